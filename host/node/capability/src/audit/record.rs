//! The records of the audit trail, and the sinks that take them in tests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The result of a capability call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// It succeeded, allowed by this grant line.
    Done(String),
    /// It was allowed, and failed for this reason.
    Failed(String),
    /// It was refused, for this reason.
    Denied(String),
}

/// One call of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    pub object: String,
    pub rid: String,
    pub driver: String,
    /// The digest of the driver's component.
    pub digest: String,
    /// The session of the action.
    pub sid: String,
    pub action: &'static str,
    /// The call as a grant line, without secrets.
    pub call: String,
    /// The guard's description of the call, if a guard has read it.
    pub judged: Option<String>,
    /// What the line of the call does not say: `user`, `cwd`, `options`…, without secrets.
    pub details: Vec<(&'static str, String)>,
    pub verdict: AuditVerdict,
    pub duration: Duration,
}

/// Takes the records.
pub trait AuditSink: Send + Sync {
    /// Takes the record of one call.
    fn record(&self, record: &AuditRecord);
}

/// Drops all records.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAudit;

impl AuditSink for NoAudit {
    fn record(&self, _: &AuditRecord) {}
}

/// Keeps the records in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryAudit(Mutex<Vec<AuditRecord>>);

impl MemoryAudit {
    /// The records so far.
    pub fn records(&self) -> Vec<AuditRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AuditSink for MemoryAudit {
    fn record(&self, record: &AuditRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}
