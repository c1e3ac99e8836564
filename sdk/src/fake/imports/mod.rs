//! The imports of `wit/` in memory, with the signatures that wit-bindgen generates.

pub(crate) mod block;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod holdings;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod mount;
pub(crate) mod net;
pub(crate) mod netns;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod state;
pub(crate) mod volume;

pub(crate) use crate::bindings::hostler::driver::types::CapabilityError;

/// The result of an import.
pub(crate) type ImportResult<T> = Result<T, CapabilityError>;

/// An error of the kernel.
fn os<T>(errno: i32, doing: impl Into<String>) -> ImportResult<T> {
    Err(CapabilityError::Os((errno, doing.into())))
}

/// An error for something that does not exist.
fn not_found<T>(what: &str) -> ImportResult<T> {
    Err(CapabilityError::NotFound(what.to_owned()))
}
