//! Where a driver's lines go.

use model::Rid;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For whoever debugs a driver.
    Trace,
    /// For whoever debugs a service.
    Debug,
    /// What was done.
    Info,
    /// What should be looked at.
    Warn,
    /// What failed.
    Error,
}

/// A line of a status report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How much it matters.
    pub level: Level,
    /// The line.
    pub text: String,
}

/// Takes the lines of an action. Shared by all that work for it, so it takes `&self` and never fails: an action is not
/// given up because its log cannot be written.
pub trait Log: Send + Sync {
    /// One line, of a resource or of the action itself.
    fn line(&self, rid: Option<&Rid>, level: Level, text: &str);

    /// How far long work is.
    fn progress(&self, rid: &Rid, done: u64, total: Option<u64>, unit: &str) {
        let _ = (rid, done, total, unit);
    }
}

/// A log that nobody reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Log for Silent {
    fn line(&self, _: Option<&Rid>, _: Level, _: &str) {}
}
