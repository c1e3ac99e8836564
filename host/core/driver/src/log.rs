//! The lines that drivers and actions log, and where they go.

use model::Rid;

/// The severity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogSeverity {
    /// Helps to debug a driver.
    Trace,
    /// Helps to debug a service.
    Debug,
    /// Something was done.
    Info,
    /// Something should be looked at.
    Warn,
    /// Something failed.
    Error,
}

/// A line of a status report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMessage {
    pub level: LogSeverity,
    pub text: String,
}

/// Takes the lines of an action. All steps of the action share it, so it takes `&self`. It never fails: an action is not given up
/// because its log cannot be written.
pub trait LogSink: Send + Sync {
    /// Takes one line, of a resource or of the action itself.
    fn line(&self, rid: Option<&Rid>, level: LogSeverity, text: &str);

    /// Takes the progress of long work.
    fn progress(&self, rid: &Rid, done: u64, total: Option<u64>, unit: &str) {
        // Dropped, unless the sink has a place for a number that keeps changing.
        let _ = (rid, done, total, unit);
    }
}

/// A log that drops every line.
#[derive(Debug, Clone, Copy, Default)]
pub struct SilentLog;

impl LogSink for SilentLog {
    fn line(&self, _: Option<&Rid>, _: LogSeverity, _: &str) {}
}
