//! The fence of a node that is under way, so that one node alone does it and all others see it. What it has proven stands in the
//! registration of the node that it ended.

use model::NodeName;
use serde::{Deserialize, Serialize};

use super::VERSION;

/// A fence that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceRow {
    pub version: u32,
    /// The revision of the registration of the node that is ended, as it was before.
    pub life: u64,
    /// The node that does it, and the revision of its own registration.
    pub by: String,
    pub by_life: u64,
    /// Why it has proven nothing. None: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl FenceRow {
    pub(crate) fn begun(life: u64, by: &NodeName, by_life: u64) -> FenceRow {
        FenceRow { version: VERSION, life, by: by.to_string(), by_life, failed: None }
    }
}
