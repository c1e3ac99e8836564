//! Runs drivers: WebAssembly components in a sandbox.
//!
//! One engine a process, one compiled form a component, a fresh store a call. What a driver imports is checked and done by
//! `capability`; the modules below `imports` only convert types. A trap, a spent budget or a deadline is a result, and
//! costs the store.

mod answer;
mod cache;
mod compile;
mod describe;
mod engine;
mod imports;
mod manifest;
mod outcome;
mod output;
mod runtime;
mod sandboxed;
mod stopwatch;
mod store;
mod way_out;

pub use cache::{LoadError, digest};
pub use compile::{VERB as COMPILE_VERB, compile_child};
pub use manifest::{NoManifest, manifest_of};
pub use runtime::{Code, GrantsError, NoEngine, NodeFacilities, Runtime, Source};
pub use store::Limits;
