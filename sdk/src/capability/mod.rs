//! The capabilities, typed: one module each as in `wit/`.
//!
//! They add no policy: whether a call is allowed is the host's business. What they add is types, and errors that become
//! the action's with `?`.

pub mod block;
pub mod clock;
pub mod files;
pub mod http;
pub mod log;
pub mod mount;
pub mod net;
pub mod netns;
pub mod process;
pub mod progress;
pub mod state;

use std::path::Path;
use std::time::Duration;

use crate::CapabilityError;
#[cfg(target_arch = "wasm32")]
use crate::bindings::hostler::driver as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::fake::imports as host;

/// The answer of a capability.
type Answer<T> = Result<T, CapabilityError>;

/// A path as the contract has it. Keywords are text, so nothing is lost.
fn text(path: &(impl AsRef<Path> + ?Sized)) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

/// A duration as the contract has it. Never rounded to 0, which would mean "no limit".
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
