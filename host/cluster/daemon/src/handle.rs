//! What others can ask of the daemon.

use std::sync::Arc;

use model::{NodeName, ObjectPath};
use peer::PeerEndpoint;
use protocol::daemon::{
    EvictRequest, NodeOrder, NodeOrderRequest, ObjectExplanation, OrderDocument, OrderReceipt, OrderRequest,
    PingAnswer, PingRequest, ProcessDocument, StatusDocument, StopRequest,
};
use protocol::{FailureKind, RequestFailure};
use tokio::sync::{mpsc, oneshot};

use crate::{EventLog, TraceLog};

/// So many requests may wait. Who asks more waits in turn.
const WAITING: usize = 64;

/// A request, and where its answer goes.
pub type Asked<T> = oneshot::Sender<Result<T, RequestError>>;

/// What is asked of the task that owns the daemon's state.
#[derive(Debug)]
pub enum DaemonRequest {
    Status(Asked<Arc<StatusDocument>>),
    Order {
        path: ObjectPath,
        order: OrderRequest,
        by: String,
        answer: Asked<OrderReceipt>,
    },
    /// The last order about an object, or the one with this id.
    OrderState {
        path: ObjectPath,
        id: Option<String>,
        answer: Asked<OrderDocument>,
    },
    Explain {
        path: ObjectPath,
        answer: Asked<ObjectExplanation>,
    },
    Processes(Asked<Vec<ProcessDocument>>),
    /// Cancels something that the daemon runs.
    Kill {
        id: u64,
        answer: Asked<()>,
    },
    /// Freezes, thaws or drains a node.
    OrderNode {
        node: NodeName,
        order: NodeOrderRequest,
        answer: Asked<bool>,
    },
    /// Reads the configurations again, and looks at an object, or at all.
    Refresh {
        path: Option<ObjectPath>,
        answer: Asked<()>,
    },
    /// The daemon ends. What runs goes on, unless `drain` says to stop it first.
    Stop {
        drain: bool,
        /// Also where no other node takes over what has a slot here.
        keep: bool,
        answer: Asked<()>,
    },
    /// The engine is taken as it is, also if it is another one or older than what was seen.
    AcceptEngine(Asked<()>),
    /// The life of a node ends on the word of a user, if it is as it was seen. The answer is false if it had ended.
    Evict {
        node: NodeName,
        life: EvictRequest,
        answer: Asked<bool>,
    },
    /// Another daemon of the cluster tells that it is there.
    Ping {
        from: NodeName,
        ping: PingRequest,
        answer: Asked<PingAnswer>,
    },
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    pub kind: FailureKind,
    pub message: String,
}

impl RequestError {
    /// A refusal of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> RequestError {
        RequestError { kind, message: message.into() }
    }

    fn gone() -> RequestError {
        RequestError::new(FailureKind::Failed, "the daemon is ending")
    }
}

impl From<RequestError> for RequestFailure {
    fn from(error: RequestError) -> RequestFailure {
        RequestFailure { kind: error.kind, message: error.message }
    }
}

/// The daemon, as the API holds it. A clone is the same daemon.
#[derive(Debug, Clone)]
pub struct DaemonHandle {
    node: NodeName,
    requests: mpsc::Sender<DaemonRequest>,
    events: EventLog,
    trace: TraceLog,
    peers: Option<PeerEndpoint>,
}

/// A handle, and the requests that it makes.
pub fn request_channel(node: NodeName, events: EventLog) -> (DaemonHandle, mpsc::Receiver<DaemonRequest>) {
    let (requests, receiver) = mpsc::channel(WAITING);
    let trace = TraceLog::new(node.clone());
    (DaemonHandle { node, requests, events, trace, peers: None }, receiver)
}

impl DaemonHandle {
    /// The node of the daemon.
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// The same daemon, with this end of the link to others.
    #[must_use]
    pub fn with_peers(self, peers: Option<PeerEndpoint>) -> DaemonHandle {
        DaemonHandle { peers, ..self }
    }

    /// Its end of the link to the other daemons of the cluster. None on a node alone.
    pub fn peers(&self) -> Option<&PeerEndpoint> {
        self.peers.as_ref()
    }

    /// What happens from now on, and what happened not long ago.
    pub fn events(&self) -> &EventLog {
        &self.events
    }

    /// What the daemon decides and does from now on.
    pub fn trace(&self) -> &TraceLog {
        &self.trace
    }

    /// All that the daemon knows.
    pub async fn status(&self) -> Result<Arc<StatusDocument>, RequestError> {
        self.ask(DaemonRequest::Status).await
    }

    /// Orders something on behalf of the user `by`. The answer comes when the order is durable.
    pub async fn order(&self, path: ObjectPath, order: OrderRequest, by: String) -> Result<OrderReceipt, RequestError> {
        self.ask(|answer| DaemonRequest::Order { path, order, by, answer }).await
    }

    /// What became of an order: of the last one about the object, or of the one with this id.
    pub async fn order_state(&self, path: ObjectPath, id: Option<String>) -> Result<OrderDocument, RequestError> {
        self.ask(|answer| DaemonRequest::OrderState { path, id, answer }).await
    }

    /// Why an object is as it is.
    pub async fn explain(&self, path: ObjectPath) -> Result<ObjectExplanation, RequestError> {
        self.ask(|answer| DaemonRequest::Explain { path, answer }).await
    }

    /// What the daemon runs now.
    pub async fn processes(&self) -> Result<Vec<ProcessDocument>, RequestError> {
        self.ask(DaemonRequest::Processes).await
    }

    /// Cancels something that the daemon runs.
    pub async fn kill(&self, id: u64) -> Result<(), RequestError> {
        self.ask(|answer| DaemonRequest::Kill { id, answer }).await
    }

    /// Freezes or thaws the node. False if there was nothing to change.
    pub async fn freeze_node(&self, frozen: bool) -> Result<bool, RequestError> {
        let verb = if frozen { NodeOrder::Freeze } else { NodeOrder::Thaw };
        self.order_node(self.node.clone(), NodeOrderRequest { verb, time: None }).await
    }

    /// Freezes, thaws or drains a node of the cluster. False if there was nothing to change.
    pub async fn order_node(&self, node: NodeName, order: NodeOrderRequest) -> Result<bool, RequestError> {
        self.ask(|answer| DaemonRequest::OrderNode { node, order, answer }).await
    }

    /// Reads the configurations again, and looks at an object, or at all. The answer comes when the statuses are new.
    pub async fn refresh(&self, path: Option<ObjectPath>) -> Result<(), RequestError> {
        self.ask(|answer| DaemonRequest::Refresh { path, answer }).await
    }

    /// Takes the engine as it is, also if it is another one or older than what was seen.
    pub async fn accept_engine(&self) -> Result<(), RequestError> {
        self.ask(DaemonRequest::AcceptEngine).await
    }

    /// Ends the life of a node on the word of a user, if it is as it was seen. False if it had ended.
    pub async fn evict(&self, node: NodeName, life: EvictRequest) -> Result<bool, RequestError> {
        self.ask(|answer| DaemonRequest::Evict { node, life, answer }).await
    }

    /// Ends the daemon. What runs goes on, unless `drain` says to stop it first.
    pub async fn stop(&self, drain: bool) -> Result<(), RequestError> {
        self.stop_as(StopRequest { drain, keep: !drain }).await
    }

    /// The same, which is refused if nothing says what becomes of services with slots.
    pub async fn stop_as(&self, StopRequest { drain, keep }: StopRequest) -> Result<(), RequestError> {
        self.ask(|answer| DaemonRequest::Stop { drain, keep, answer }).await
    }

    /// Tells that another daemon is there, and asks for what it wants to know.
    pub async fn ping(&self, from: NodeName, ping: PingRequest) -> Result<PingAnswer, RequestError> {
        self.ask(|answer| DaemonRequest::Ping { from, ping, answer }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Asked<T>) -> DaemonRequest) -> Result<T, RequestError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| RequestError::gone())?;
        answered.await.unwrap_or_else(|_| Err(RequestError::gone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_a_daemon_that_ends_learns_of_it() {
        let node: NodeName = "n1".parse().unwrap();
        let (handle, mut requests) = request_channel(node.clone(), EventLog::new(node, 0));
        let asked = tokio::spawn({
            let handle = handle.clone();
            async move { handle.kill(1).await }
        });
        // It was asked, and ends without an answer.
        assert!(matches!(requests.recv().await, Some(DaemonRequest::Kill { id: 1, .. })));
        assert_eq!(asked.await.unwrap(), Err(RequestError::gone()));
        drop(requests);
        assert_eq!(handle.stop(false).await, Err(RequestError::gone()));
    }
}
