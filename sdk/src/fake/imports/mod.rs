//! The imports of `wit/`, with the very signatures that wit-bindgen generates, done in memory.

pub(crate) mod block;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod mount;
pub(crate) mod net;
pub(crate) mod netns;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod state;

pub(crate) use crate::bindings::hostler::driver::types::CapabilityError;

/// The answer of an import.
pub(crate) type Answer<T> = Result<T, CapabilityError>;

/// The kernel refused.
fn os<T>(errno: i32, doing: impl Into<String>) -> Answer<T> {
    Err(CapabilityError::Os((errno, doing.into())))
}

/// What was named does not exist.
fn not_found<T>(what: &str) -> Answer<T> {
    Err(CapabilityError::NotFound(what.to_owned()))
}
