//! The action's log. In `status`, warnings and errors become messages of the report.

use std::fmt::Display;

use super::host;

/// For whoever debugs a driver.
pub fn trace(text: impl Display) {
    host::log::log("trace", &text.to_string());
}

/// For whoever debugs a service.
pub fn debug(text: impl Display) {
    host::log::log("debug", &text.to_string());
}

/// What was done.
pub fn info(text: impl Display) {
    host::log::log("info", &text.to_string());
}

/// What should be looked at.
pub fn warn(text: impl Display) {
    host::log::log("warn", &text.to_string());
}

/// What failed.
pub fn error(text: impl Display) {
    host::log::log("error", &text.to_string());
}
