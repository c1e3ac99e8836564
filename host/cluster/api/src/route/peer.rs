//! What the other daemons of the cluster ask.

use hyper::StatusCode;
use model::NodeName;
use protocol::daemon::PingRequest;
use protocol::{FailureKind, RequestFailure};

use crate::reply::{self, Reply};
use crate::route::ApiRequest;

pub(super) async fn ping(request: &ApiRequest) -> Reply {
    let ping: PingRequest = request.document()?;
    let answer = request.daemon.ping(asker(request)?, ping).await?;
    reply::json(StatusCode::OK, &answer)
}

/// The node whose daemon asks. The rule of the route has seen to it that there is one.
fn asker(request: &ApiRequest) -> Result<NodeName, RequestFailure> {
    let denied =
        || RequestFailure { kind: FailureKind::Denied, message: "only another daemon may ask this".to_owned() };
    request.caller.peer().cloned().ok_or_else(denied)
}
