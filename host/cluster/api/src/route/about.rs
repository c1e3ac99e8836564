//! What the daemon is, and all that it knows.

use hyper::StatusCode;
use protocol::RequestFailure;
use protocol::daemon::{API_OLDEST, API_VERSION, StatusDocument, VersionDocument};

use crate::metrics;
use crate::openapi;
use crate::reply::{self, Reply};
use crate::route::ApiRequest;
use crate::usage;
use crate::version::AGENT;

pub(super) fn version(request: &ApiRequest) -> Reply {
    let document = VersionDocument {
        node: request.daemon.node().clone(),
        pid: std::process::id(),
        agent: AGENT.to_owned(),
        api: API_VERSION,
        api_oldest: API_OLDEST,
    };
    reply::json(StatusCode::OK, &document)
}

pub(super) fn usage(request: &ApiRequest) -> Reply {
    reply::json(StatusCode::OK, &usage::now(request.began))
}

pub(super) fn openapi() -> Reply {
    reply::json(StatusCode::OK, &openapi::document())
}

pub(super) async fn metrics(request: &ApiRequest) -> Reply {
    let status = visible(request).await?;
    Ok(reply::text("text/plain; version=0.0.4", metrics::text(&status)))
}

pub(super) async fn status(request: &ApiRequest) -> Reply {
    reply::json(StatusCode::OK, &visible(request).await?)
}

/// Of all that the daemon knows, what the user may see, and where it listens, which only the API knows.
async fn visible(request: &ApiRequest) -> Result<StatusDocument, RequestFailure> {
    let status = request.daemon.status().await?;
    let mut status = std::sync::Arc::unwrap_or_clone(status);
    let sees = |path: &model::ObjectPath| request.caller.sees(path);
    status.cluster.object.retain(|path, _| sees(path));
    for node in status.cluster.node.values_mut() {
        node.instance.retain(|path, _| sees(path));
    }
    if let Some(thread) = status.daemon.threads.iter_mut().find(|thread| thread.id == "listener") {
        request.listener.describe(thread);
    }
    Ok(status)
}
