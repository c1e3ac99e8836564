//! Reading the audit trail.

use jiff::Timestamp;
use protocol::{AuditEntry, AuditQuery};

use crate::Agent;
use crate::file::durable::{self, FileError};

impl Agent {
    /// The records that are asked for, the oldest first. A line that a full disk cut short is left out.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, FileError> {
        let directory = self.home().audit();
        let files = capability::audit_files(&directory).map_err(FileError::new("list", &directory))?;
        let mut records: Vec<AuditEntry> = Vec::new();
        for path in files {
            let content = durable::read(&path)?.unwrap_or_default();
            let text = String::from_utf8_lossy(&content);
            let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            records.extend(entries.filter(|record| query.accepts(record)));
        }
        // Each driver has files of its own. Records of one moment stay in their order.
        records.sort_by_cached_key(|record| record.text("time").parse::<Timestamp>().ok());
        if query.lines > 0 {
            records.drain(..records.len().saturating_sub(query.lines));
        }
        Ok(records)
    }
}
