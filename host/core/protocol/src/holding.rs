//! What resources hold on a node, by the host's own record.

use std::collections::BTreeMap;

use model::ObjectPath;
use serde::{Deserialize, Serialize};

use crate::word;

/// What is held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingList {
    pub holdings: Vec<HoldingDocument>,
    /// The records that cannot be read, in whole or in part: more may be held than is listed.
    pub unverified: Vec<UnverifiedRecord>,
}

/// One thing that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingDocument {
    #[serde(with = "word")]
    pub object: ObjectPath,
    pub rid: String,
    /// `mount`, `loop`, `address`…, or the word of the driver that declared it.
    pub kind: String,
    /// A few words for people.
    pub label: String,
    /// `present`, `gone` or `unknown`; `declared` if only its driver can look at it; `left` if a stop did not undo all of it.
    pub state: String,
    /// Whether no configuration has the resource any more.
    pub orphan: bool,
    /// What identifies it.
    pub attributes: BTreeMap<String, String>,
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedRecord {
    #[serde(with = "word")]
    pub object: ObjectPath,
    pub file: String,
    pub reason: String,
}
