//! An in-memory host, so that a driver's tests need no root, no sandbox and no kernel.
//!
//! ```text
//!   given(driver).on(&host) ──▶ Case: start, stop, status… and what they must answer
//!                                 │ calls the driver, the driver calls a capability
//!                                 ▼
//!                               imports ──▶ Host: records the call, fails it if told to, else does it in the World
//! ```
//!
//! It keeps the contract's promises and the kernel's main ones (a mounted file cannot be unmounted twice, a busy device
//! is EBUSY), and checks the driver's: `status` and `validate` must not change anything, and `unchanged` must be true.
//! It does not check grants: `tests/` does, on the real host.

mod arrange;
mod case;
mod faults;
mod host;
pub(crate) mod imports;
mod observe;
mod world;

pub use case::{Case, Given, given, given_section};
pub use faults::stop_undoes_any_failed_start;
pub use host::{Host, MIB};
pub use world::{Asked, LogLine, Run, Served};
