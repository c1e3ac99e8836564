//! The importance of a line of a log or of a status.

use driver::LogSeverity;
use serde::{Deserialize, Serialize};

/// The importance of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the author of a driver.
    Trace,
    /// For the author of a service.
    Debug,
    /// Something was done.
    Info,
    /// Something should be looked at.
    Warn,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Trace => "trace",
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }
    }
}

impl From<LogSeverity> for LogLevel {
    fn from(level: LogSeverity) -> LogLevel {
        match level {
            LogSeverity::Trace => LogLevel::Trace,
            LogSeverity::Debug => LogLevel::Debug,
            LogSeverity::Info => LogLevel::Info,
            LogSeverity::Warn => LogLevel::Warn,
            LogSeverity::Error => LogLevel::Error,
        }
    }
}

impl From<LogLevel> for LogSeverity {
    fn from(level: LogLevel) -> LogSeverity {
        match level {
            LogLevel::Trace => LogSeverity::Trace,
            LogLevel::Debug => LogSeverity::Debug,
            LogLevel::Info => LogSeverity::Info,
            LogLevel::Warn => LogSeverity::Warn,
            LogLevel::Error => LogSeverity::Error,
        }
    }
}
