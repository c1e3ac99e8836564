//! What the daemon runs now, for `om daemon ps` and `om daemon kill`.

use model::{ObjectPath, Rid};
use serde::{Deserialize, Serialize};

use crate::word;

/// Something that the daemon runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessDocument {
    /// Its number among those of this daemon.
    pub id: u64,
    #[serde(with = "word")]
    pub path: ObjectPath,
    /// The resources that it is limited to. None: all.
    #[serde(default, with = "word::list")]
    pub rids: Vec<Rid>,
    /// `start`, `status`, `run`…
    pub action: String,
    /// Why: an order, a restart, a schedule…
    pub cause: String,
    /// Seconds since 1970.
    pub began_at: f64,
}

/// What the daemon's process uses of the machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DaemonUse {
    pub pid: u32,
    pub threads: u32,
    /// Of one processor, since it was asked last, or since its start.
    pub cpu_percent: f64,
    pub cpu_seconds: f64,
    pub rss_bytes: u64,
    pub read_bytes: u64,
    pub written_bytes: u64,
}
