//! Runs drivers: WebAssembly components in a sandbox.
//!
//! One engine a process, one compiled form a component, a fresh store a call. What a driver imports is checked and done by
//! `capability`; the modules below `imports` only convert types. A trap, a spent budget or a deadline is a result, and
//! costs the store.

mod driver;
mod imports;
mod manifest;
mod sandbox;

pub use self::driver::{Code, GrantsError, NodeFacilities, Runtime, Source};
pub use manifest::{NoManifest, manifest_of};
pub use sandbox::{COMPILE_VERB, Limits, LoadError, NoEngine, compile_child, digest};
