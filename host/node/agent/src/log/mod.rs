//! The log of an object's actions: to a terminal and to the object's file.
//!
//! A line goes through [`SecretValues`], then to the [`LogConsole`] of the command line, then to a [`LogFile`], then to the journal
//! and to syslog if node.conf says so ([`sink`]). No action fails because its log cannot be written.

mod action;
mod file;
mod follow;
mod line;
mod output;
mod query;
mod read;
mod redact;
mod sink;
mod zone;

pub use action::{ActionLog, LogConsole};
pub use capability::hide_secret_values;
pub use file::{LogFile, LogLimits, remove};
pub use follow::LogFollower;
pub use line::LogLine;
pub use query::LogReadError;
pub use read::last_lines;
pub use redact::SecretValues;
pub use sink::flush_sinks;
pub(crate) use sink::{LogSinks, SinkMessage};
