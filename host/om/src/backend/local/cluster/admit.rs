//! What the API asks of this node when another one joins.

use agent::Agent;
use etcd::AdmissionDesk;
use protocol::daemon::{JoinGrant, JoinRequest, SeatGrant, SeatRequest};
use protocol::{FailureKind, RequestFailure};
use tokio::runtime::Handle;

use super::{open_engine, place_of};

/// Lets a node in. Blocks a thread of the runtime.
pub(in crate::backend) fn admit(
    agent: &Agent,
    token: &str,
    request: &JoinRequest,
) -> Result<JoinGrant, RequestFailure> {
    at_desk(agent, async |desk| Ok(desk.admit(token, request).await?))
}

/// Gives a node its member of the engine. Blocks a thread of the runtime.
pub(in crate::backend) fn seat(agent: &Agent, token: &str, request: &SeatRequest) -> Result<SeatGrant, RequestFailure> {
    at_desk(agent, async |desk| Ok(desk.seat(token, request).await?))
}

fn at_desk<T>(
    agent: &Agent,
    work: impl AsyncFnOnce(AdmissionDesk<'_>) -> Result<T, RequestFailure>,
) -> Result<T, RequestFailure> {
    let failed = |message: String| RequestFailure { kind: FailureKind::Failed, message };
    let data = agent.cluster().map_err(|error| failed(agent::chain(&error)))?;
    let engine = data.engine.ok_or_else(|| {
        let message = "this node is in no cluster that can be joined: om cluster init begins one".to_owned();
        RequestFailure { kind: FailureKind::NotSupported, message }
    })?;
    let (store, place) = (open_engine(&engine.members, engine.files.as_ref()), place_of(agent));
    let desk = AdmissionDesk { store: &store, place: &place, agent: env!("CARGO_PKG_VERSION") };
    // The API puts this on a thread that may block (`beside`): on a worker of the runtime, `block_on` panics.
    Handle::current().block_on(work(desk))
}
