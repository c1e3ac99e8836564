//! What the API needs of the node it runs on: its configuration, its users, and where to keep what it makes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use protocol::daemon::{JoinGrant, JoinRequest, SeatGrant, SeatRequest};
use protocol::{FailureKind, RequestFailure};

/// What the API asks of the node. It is asked again each time, so that a change holds at once.
pub trait AccessSource: Send + Sync + 'static {
    /// `[listener]` of `node.conf`. May block.
    fn listener(&self) -> Result<ListenerSettings, String>;

    /// The grants of a user, as words. None: there is no such user. May block.
    fn user(&self, name: &str) -> Result<Option<Vec<String>>, String>;

    /// Lets a node join the cluster. May block, on a thread of a runtime.
    fn admit(&self, _token: &str, _request: &JoinRequest) -> Result<JoinGrant, RequestFailure> {
        Err(no_cluster())
    }

    /// Gives a node that was let in its member of the engine. May block, on a thread of a runtime.
    fn seat(&self, _token: &str, _request: &SeatRequest) -> Result<SeatGrant, RequestFailure> {
        Err(no_cluster())
    }
}

fn no_cluster() -> RequestFailure {
    let message = "this node is in no cluster that can be joined: om cluster init begins one".to_owned();
    RequestFailure { kind: FailureKind::NotSupported, message }
}

/// Where and how the daemon answers beside its unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSettings {
    /// Without one, it does not.
    pub addresses: Vec<IpAddr>,
    pub port: u16,
    /// Names that its certificate has besides the addresses.
    pub names: Vec<String>,
    /// How many requests a second one user and one address may make. 0: any number.
    pub rate: u32,
    /// How many may come at once.
    pub burst: u32,
}

impl Default for ListenerSettings {
    fn default() -> ListenerSettings {
        ListenerSettings { addresses: Vec::new(), port: 1215, names: Vec::new(), rate: 20, burst: 100 }
    }
}

/// The directories of the API.
#[derive(Debug, Clone)]
pub struct AccessPlaces {
    /// Where states are kept.
    pub var: PathBuf,
    /// Where logs are kept.
    pub log: PathBuf,
}

impl AccessPlaces {
    /// The authority of the API's certificates.
    pub fn certificates(&self) -> PathBuf {
        self.var.join("certificate").join("api")
    }

    /// The tokens and their key.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.var.join("token")
    }

    pub(crate) fn trail(&self) -> PathBuf {
        trail_file(&self.log)
    }
}

/// The trail of who did what.
pub(crate) fn trail_file(log: &Path) -> PathBuf {
    log.join("access.jsonl")
}
