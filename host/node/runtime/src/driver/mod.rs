//! Drivers in the sandbox: [`driver::Driver`] on top of components that export `lifecycle`.
//!
//! ```text
//!   DriverSource ──runtime──▶ SandboxedDriver ──call: policy ∩ requests ∩ keywords──▶ CallContext ──sandbox──▶ answer, exposures
//! ```

mod answer;
mod call;
mod covered;
mod environment;
mod exposures;
mod remedy;
mod runtime;
mod sandboxed;

pub use environment::{DriverCallNote, NodeFacilities};
pub use runtime::{ComponentCode, DriverSource, GrantsError, Runtime};
