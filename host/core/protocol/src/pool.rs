//! The pools of a node, from which volumes are made.

use model::ObjectPath;
use serde::{Deserialize, Serialize};

use crate::word;

/// The pools of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolList {
    pub pools: Vec<PoolDocument>,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolDocument {
    pub name: String,
    /// `directory`, `shm`, `loop`, `vg`, `drbd` or `virtual`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What its volumes come out of: a directory, a volume group, an object.
    pub head: String,
    /// What its volumes can be, in OpenSVC's words.
    pub capabilities: Vec<String>,
    /// In bytes. None if that cannot be said.
    pub size: Option<u64>,
    /// In bytes.
    pub free: Option<u64>,
    /// The volumes of this node that came out of it.
    #[serde(with = "word::list")]
    pub volumes: Vec<ObjectPath>,
    /// Why it gives no volumes now.
    pub error: Option<String>,
}
