//! Requests of a node that joins the cluster, and about its engine.

use hyper::StatusCode;
use protocol::daemon::{JoinRequest, SeatRequest};

use crate::reply::{self, Reply};
use crate::route::ApiRequest;
use crate::route::node::done;
use crate::route::request::beside;

pub(super) async fn join(request: &ApiRequest) -> Reply {
    let wanted: JoinRequest = request.document()?;
    let (source, token) = (request.access.source.clone(), token(request));
    reply::json(StatusCode::OK, &beside(move || source.admit(&token, &wanted)).await?)
}

pub(super) async fn seat(request: &ApiRequest) -> Reply {
    let wanted: SeatRequest = request.document()?;
    let (source, token) = (request.access.source.clone(), token(request));
    reply::json(StatusCode::OK, &beside(move || source.seat(&token, &wanted)).await?)
}

pub(super) async fn accept_engine(request: &ApiRequest) -> Reply {
    request.daemon.accept_engine().await?;
    Ok(done(StatusCode::NO_CONTENT))
}

fn token(request: &ApiRequest) -> String {
    request.caller.join_token().unwrap_or_default().to_owned()
}
