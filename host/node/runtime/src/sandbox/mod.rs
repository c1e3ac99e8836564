//! A sandbox for WebAssembly components, whatever they are for: drivers today.
//!
//! ```text
//!   bytes ──cache, compile──▶ component ──link──▶ InstancePre ──fresh store──▶ guest ──export──▶ GuestOutcome
//!   once a digest, by a child process   once a process           once a call: limits, deadline, epoch
//! ```
//!
//! Nothing here knows which export is called: the caller passes it as a closure to [`Sandbox::call`]. A trap, a spent budget
//! or a deadline is a result, and costs the store.

mod cache;
mod compile;
mod contained;
mod describe;
mod engine;
mod guest_call;
mod interfaces;
mod outcome;
mod output;
mod shared;
mod stopwatch;
mod store;

pub use cache::{LARGEST as LARGEST_COMPONENT, LoadError, digest};
pub use compile::{VERB as COMPILE_VERB, compile_child};
pub(crate) use contained::contained;
pub use engine::CallVolume;
pub(crate) use guest_call::{GuestCall, GuestInstance};
pub(crate) use shared::Sandbox;
pub use shared::WasmEngineError;
pub use store::CallLimits;
pub(crate) use store::GuestState;
