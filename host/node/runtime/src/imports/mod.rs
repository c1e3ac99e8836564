//! The interfaces that a guest imports, one module each: types of the contract in, a capability called, types of the contract out.
//! Nothing is decided here.

mod block;
mod bounds;
mod clock;
mod files;
mod holdings;
mod http;
mod log;
mod mount;
mod net;
mod netns;
mod process;
mod progress;
mod state;
mod volume;

use bindings::driver::hostler::driver::types::{self as wit, Kv};
use capability::CapabilityError;

/// The result of an imported function. The outer error is a failure of the host itself and traps the guest; the inner one is an
/// answer to it.
type ImportAnswer<T> = wasmtime::Result<Result<T, wit::CapabilityError>>;

/// Makes an answer to the guest.
fn answer<T, U: From<T>>(result: Result<T, CapabilityError>) -> ImportAnswer<U> {
    Ok(result.map(U::from).map_err(to_wit))
}

fn to_wit(error: CapabilityError) -> wit::CapabilityError {
    match error {
        CapabilityError::Denied(line) => wit::CapabilityError::Denied(line),
        CapabilityError::NotFound(what) => wit::CapabilityError::NotFound(what),
        CapabilityError::TimedOut => wit::CapabilityError::TimedOut,
        CapabilityError::Cancelled => wit::CapabilityError::Cancelled,
        CapabilityError::Invalid(text) => wit::CapabilityError::Invalid(text),
        CapabilityError::Os { errno, text } => wit::CapabilityError::Os((errno, text)),
        CapabilityError::Other(text) => wit::CapabilityError::Other(text),
    }
}

fn pairs(list: Vec<Kv>) -> Vec<(String, String)> {
    list.into_iter().map(|kv| (kv.key, kv.value)).collect()
}

fn kvs(list: Vec<(String, String)>) -> Vec<Kv> {
    list.into_iter().map(|(key, value)| Kv { key, value }).collect()
}
