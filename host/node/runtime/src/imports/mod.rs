//! The imported interfaces, one module each: types of the contract in, a capability called, types of the contract out.
//! Nothing is decided here.

mod block;
mod clock;
mod files;
mod http;
mod log;
mod mount;
mod net;
mod netns;
mod process;
mod progress;
mod state;

use bindings::driver::hostler::driver::types::{CapabilityError, Kv};
use capability::Error;

/// What every function here returns: a failure of the host itself outside, an answer to the driver inside.
type Answer<T> = wasmtime::Result<Result<T, CapabilityError>>;

/// An answer to the driver.
fn answer<T, U: From<T>>(result: Result<T, Error>) -> Answer<U> {
    Ok(result.map(U::from).map_err(to_wit))
}

fn to_wit(error: Error) -> CapabilityError {
    match error {
        Error::Denied(line) => CapabilityError::Denied(line),
        Error::NotFound(what) => CapabilityError::NotFound(what),
        Error::TimedOut => CapabilityError::TimedOut,
        Error::Cancelled => CapabilityError::Cancelled,
        Error::Invalid(text) => CapabilityError::Invalid(text),
        Error::Os { errno, text } => CapabilityError::Os((errno, text)),
        Error::Other(text) => CapabilityError::Other(text),
    }
}

fn pairs(list: Vec<Kv>) -> Vec<(String, String)> {
    list.into_iter().map(|kv| (kv.key, kv.value)).collect()
}

fn kvs(list: Vec<(String, String)>) -> Vec<Kv> {
    list.into_iter().map(|(key, value)| Kv { key, value }).collect()
}
