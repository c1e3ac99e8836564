//! Runs drivers: WebAssembly components in a sandbox.
//!
//! ```text
//!   exec ──▶ driver: SandboxedDriver ──▶ sandbox: one fresh store a call ──▶ the component
//!                                                                               │ its imports
//!                                                       capability ◀── imports: types converted, nothing decided
//! ```
//!
//! There is one engine a process, one compiled form a component, one fresh store a call. `sandbox` knows nothing of drivers;
//! `driver` binds their grants and reads their answers. A trap, a spent budget or a deadline is a result, and costs the store.

mod driver;
mod imports;
mod manifest;
mod sandbox;

pub use self::driver::{ComponentCode, DriverCallNote, DriverSource, GrantsError, NodeFacilities, Runtime};
pub use manifest::{SectionError, manifest_of};
pub use sandbox::{
    COMPILE_VERB, CallLimits, CallVolume, LARGEST_COMPONENT, LoadError, WasmEngineError, compile_child, digest,
};
