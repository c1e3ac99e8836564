//! The capabilities with types: one module for each interface of `wit/`.
//!
//! They add no policy, because the host decides whether a call is allowed. They add types, and errors that `?` converts to
//! the action's error.

pub mod block;
pub mod clock;
pub mod files;
pub mod holdings;
pub mod http;
pub mod log;
pub mod mount;
pub mod net;
pub mod netns;
pub mod process;
pub mod progress;
pub mod state;
pub mod volume;

use std::path::Path;
use std::time::Duration;

use crate::CapabilityError;
#[cfg(target_arch = "wasm32")]
use crate::bindings::hostler::driver as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::fake::imports as host;

/// The result of a capability.
type CapabilityResult<T> = Result<T, CapabilityError>;

/// Converts a path to the contract's text. Paths come from keywords, which are text, so nothing is lost.
fn text(path: &(impl AsRef<Path> + ?Sized)) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

/// Converts a duration to the contract's milliseconds. It is never rounded to 0, which would mean "no limit".
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Converts the time that neighbours may take to answer. Zero stays zero: then they are not asked.
fn answer_milliseconds(duration: Duration) -> u64 {
    if duration.is_zero() { 0 } else { milliseconds(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_no_limit_where_something_runs_and_no_question_where_neighbours_answer() {
        assert_eq!((milliseconds(Duration::ZERO), answer_milliseconds(Duration::ZERO)), (1, 0));
        let short = Duration::from_micros(10);
        assert_eq!((milliseconds(short), answer_milliseconds(short)), (1, 1));
        assert_eq!(answer_milliseconds(Duration::from_secs(2)), 2000);
    }
}
