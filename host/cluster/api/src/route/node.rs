//! Requests about the node, the daemon and what it runs.

use http_body_util::{BodyExt, Empty};
use hyper::{Response, StatusCode};
use protocol::daemon::{NodeChange, StopRequest};

use crate::reply::{self, Reply, ReplyBody};
use crate::route::ApiRequest;
use crate::route::request::invalid;

pub(super) async fn refresh(request: &ApiRequest) -> Reply {
    request.daemon.refresh(None).await?;
    Ok(done(StatusCode::NO_CONTENT))
}

pub(super) async fn processes(request: &ApiRequest) -> Reply {
    let mut processes = request.daemon.processes().await?;
    processes.retain(|process| request.caller.sees(&process.path));
    reply::json(StatusCode::OK, &processes)
}

pub(super) async fn kill(request: &ApiRequest) -> Reply {
    let text = request.values.first().map_or("", String::as_str);
    let id = text.parse().map_err(|_| invalid(format!("{text:?} is not the number of a process: see /processes")))?;
    request.daemon.kill(id).await?;
    Ok(done(StatusCode::NO_CONTENT))
}

pub(super) async fn freeze(request: &ApiRequest, frozen: bool) -> Reply {
    let changed = request.daemon.freeze_node(frozen).await?;
    reply::json(StatusCode::OK, &NodeChange { changed })
}

pub(super) async fn order(request: &ApiRequest) -> Reply {
    let text = request.values.first().map_or("", String::as_str);
    let node = text.parse().map_err(|error| invalid(format!("{text:?} is not a node: {error}")))?;
    let changed = request.daemon.order_node(node, request.document()?).await?;
    reply::json(StatusCode::OK, &NodeChange { changed })
}

pub(super) async fn evict(request: &ApiRequest) -> Reply {
    let text = request.values.first().map_or("", String::as_str);
    let node = text.parse().map_err(|error| invalid(format!("{text:?} is not a node: {error}")))?;
    let changed = request.daemon.evict(node, request.document()?).await?;
    reply::json(StatusCode::OK, &NodeChange { changed })
}

pub(super) async fn stop(request: &ApiRequest) -> Reply {
    let stop: StopRequest = request.document()?;
    request.daemon.stop_as(stop).await?;
    Ok(done(StatusCode::ACCEPTED))
}

/// The answer that only says that it was done.
pub(super) fn done(status: StatusCode) -> Response<ReplyBody> {
    reply::with(status, "application/json", Empty::new().boxed_unsync())
}
