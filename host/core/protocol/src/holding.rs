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

/// How far the deletion of an object may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeleteOrder {
    /// Whether what is up or provisioned is left as it is.
    pub force: bool,
    /// Whether that goes for what is held, too, which nothing of the object can stop any more.
    pub i_know: bool,
    /// Whether it was just unprovisioned: what is left of that is meant to stay.
    pub unprovisioned: bool,
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
