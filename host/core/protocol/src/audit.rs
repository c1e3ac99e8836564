//! The audit trail: the calls of drivers to this node's kernel and services, and what came of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request for records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    pub object: Option<String>,
    pub rid: Option<String>,
    pub driver: Option<String>,
    /// The first characters of the id of a session.
    pub sid: Option<String>,
    /// Whether only what was denied is asked for.
    pub denied: bool,
    /// The number of the last records. Zero: all.
    pub lines: usize,
}

/// A record, as it is in the file: one of another version may have other members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditEntry(pub Value);

impl AuditEntry {
    /// The text of a member, empty if there is none.
    pub fn text(&self, member: &str) -> &str {
        // A member that is missing, as in a record of another version, indexes to null instead of a panic.
        self.0[member].as_str().unwrap_or_default()
    }
}

impl AuditQuery {
    /// Whether the record is asked for.
    pub fn accepts(&self, record: &AuditEntry) -> bool {
        let is = |member: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|one| record.text(member) == one);
        is("object", &self.object)
            && is("rid", &self.rid)
            && is("driver", &self.driver)
            && self.sid.as_ref().is_none_or(|sid| record.text("sid").starts_with(sid))
            && (!self.denied || record.text("verdict") == "denied")
    }
}
