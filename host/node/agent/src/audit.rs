//! Reading the audit trail.

use protocol::{AuditEntry, AuditQuery};

use crate::Agent;
use crate::file::durable::{self, FileError};

impl Agent {
    /// The records that are asked for, the oldest first. A line that a full disk cut short is left out.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, FileError> {
        let mut text = String::new();
        for path in self.home().audit_files() {
            text.push_str(&String::from_utf8_lossy(&durable::read(&path)?.unwrap_or_default()));
        }
        let records = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let mut records: Vec<AuditEntry> = records.filter(|record| query.accepts(record)).collect();
        if query.lines > 0 {
            records.drain(..records.len().saturating_sub(query.lines));
        }
        Ok(records)
    }
}
