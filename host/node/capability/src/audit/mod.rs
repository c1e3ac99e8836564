//! The audit trail: which driver asked the kernel for what, for which resource, and what the result was.
//!
//! A record never holds a secret. A trail that cannot be written never fails an action: the next record that can be written
//! says how many are missing.

mod file;
mod record;
mod redact;

pub use file::{FileAudit, audit_files};
pub use record::{AuditRecord, AuditSink, AuditVerdict, MemoryAudit, NoAudit};
pub use redact::{Redactor, hide_option_values, hide_secret_values};
