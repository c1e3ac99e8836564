//! A request as the routes read it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use daemon::{DaemonHandle, TaskProgram};
use hyper::HeaderMap;
use model::ObjectPath;
use protocol::daemon::ProcessDocument;
use protocol::{FailureKind, RequestFailure};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::access::{AccessControl, Caller, ClientLink};
use crate::listener::ListenerControl;
use crate::route::EventSlots;

/// A request as the routes read it.
#[derive(Debug)]
pub(crate) struct ApiRequest {
    pub(crate) daemon: DaemonHandle,
    pub(crate) caller: Caller,
    pub(crate) link: Arc<ClientLink>,
    pub(crate) access: Arc<AccessControl>,
    pub(crate) listener: Arc<ListenerControl>,
    pub(crate) headers: HeaderMap,
    /// The variable segments of the address, decoded.
    pub(crate) values: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) slots: EventSlots,
    /// What runs commands. None: nothing does.
    pub(crate) program: Option<Arc<TaskProgram>>,
    /// When the API began.
    pub(crate) began: Instant,
    /// Becomes true when the daemon ends.
    pub(crate) ending: watch::Receiver<bool>,
}

impl ApiRequest {
    /// The object that the address names.
    pub(crate) fn path(&self) -> Result<ObjectPath, RequestFailure> {
        let text = self.values.first().map_or("", String::as_str);
        text.parse().map_err(|error| invalid(format!("{text:?} is not the path of an object: {error}")))
    }

    /// The process whose number the address holds. None: nothing of this number runs.
    pub(crate) async fn process(&self) -> Result<Option<ProcessDocument>, RequestFailure> {
        let text = self.values.first().map_or("", String::as_str);
        let wrong = |_| invalid(format!("{text:?} is not the number of a process: see /processes"));
        let id: u64 = text.parse().map_err(wrong)?;
        Ok(self.daemon.processes().await?.into_iter().find(|process| process.id == id))
    }

    /// A parameter behind the `?`; of several of that name the last one.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters(name).last()
    }

    /// The parameters of that name.
    pub(crate) fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The document that it carries. Without a body: the one that says nothing.
    pub(crate) fn document<T: DeserializeOwned>(&self) -> Result<T, RequestFailure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| invalid(format!("cannot read the body: {error}")))
    }
}

/// A request that cannot be read.
pub(crate) fn invalid(message: impl Into<String>) -> RequestFailure {
    RequestFailure { kind: FailureKind::Invalid, message: message.into() }
}

/// Does what blocks beside all else.
pub(crate) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RequestFailure> + Send + 'static,
) -> Result<T, RequestFailure> {
    let lost = |_| RequestFailure { kind: FailureKind::Failed, message: "the work was lost".to_owned() };
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}
