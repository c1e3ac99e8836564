//! The version of the API, and the small documents of requests about the daemon itself.
//!
//! A version is a number that grows when a client of the former one would be misunderstood. Members that are added to documents
//! do not change it: readers ignore members that they do not know.

use model::NodeName;
use serde::{Deserialize, Serialize};

use crate::word;

/// The name of the socket that a daemon listens on, in the run directory of its node.
pub const SOCKET_NAME: &str = "daemon.sock";

/// The header in which a client and a daemon name the version of the API that they speak.
pub const API_HEADER: &str = "hostler-api";

/// The version of the API that this build speaks.
pub const API_VERSION: u32 = 1;

/// The oldest version whose clients a daemon of this build still serves.
pub const API_OLDEST: u32 = 1;

/// The daemon that answers. Every client may ask for this, whatever version it speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionDocument {
    #[serde(with = "word")]
    pub node: NodeName,
    pub pid: u32,
    /// The version of the agent.
    pub agent: String,
    /// The versions of the API that it serves: from the oldest to this one.
    pub api: u32,
    pub api_oldest: u32,
}

/// Whether a request changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    pub changed: bool,
}

/// How the daemon stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    /// Stop the services first. Otherwise they go on without a daemon.
    #[serde(default)]
    pub drain: bool,
    /// On a node of several: leave what has slots running, although no other node takes over until the daemon is back.
    #[serde(default)]
    pub keep: bool,
}

/// What is ordered of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeOrderRequest {
    pub verb: NodeOrder,
    /// How long a drain may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeOrder {
    /// Nothing is done of the daemon's own accord.
    Freeze,
    /// Undoes both of the others.
    Thaw,
    /// Freeze, and stop all that runs there, so that it moves.
    Drain,
}
