//! The log of the action. During `status`, warnings and errors become messages of the report.

use std::fmt::Display;

use super::host;

/// Logs a detail that helps to debug the driver.
pub fn trace(text: impl Display) {
    host::log::log("trace", &text.to_string());
}

/// Logs a detail that helps to debug a service.
pub fn debug(text: impl Display) {
    host::log::log("debug", &text.to_string());
}

/// Logs what was done.
pub fn info(text: impl Display) {
    host::log::log("info", &text.to_string());
}

/// Logs something that the operator should look at.
pub fn warn(text: impl Display) {
    host::log::log("warn", &text.to_string());
}

/// Logs a failure.
pub fn error(text: impl Display) {
    host::log::log("error", &text.to_string());
}
