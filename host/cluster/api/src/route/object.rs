//! Requests about one object.

use hyper::StatusCode;
use protocol::daemon::OrderRequest;

use crate::reply::{self, Reply};
use crate::route::ApiRequest;
use crate::route::node::done;

pub(super) async fn order(request: &ApiRequest) -> Reply {
    let (path, order): (_, OrderRequest) = (request.path()?, request.document()?);
    let receipt = request.daemon.order(path, order, request.caller.to_string()).await?;
    reply::json(StatusCode::ACCEPTED, &receipt)
}

pub(super) async fn order_state(request: &ApiRequest) -> Reply {
    let id = request.parameter("id").map(str::to_owned);
    reply::json(StatusCode::OK, &request.daemon.order_state(request.path()?, id).await?)
}

pub(super) async fn explain(request: &ApiRequest) -> Reply {
    reply::json(StatusCode::OK, &request.daemon.explain(request.path()?).await?)
}

pub(super) async fn refresh(request: &ApiRequest) -> Reply {
    request.daemon.refresh(Some(request.path()?)).await?;
    Ok(done(StatusCode::NO_CONTENT))
}
