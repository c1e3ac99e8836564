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
