//! An in-memory host, so that a driver's tests need no root, no sandbox and no kernel.
//!
//! ```text
//!   given(driver).on(&host) ──▶ Case: start, stop, status… and assertions about their results
//!                                 │ calls the driver, the driver calls a capability
//!                                 ▼
//!                               imports ──▶ Host: records the call, injects an error or changes its state in memory
//! ```
//!
//! The host behaves as the contract says, and as the kernel does in the main points (a file system cannot be unmounted twice,
//! a device in use is EBUSY). It checks the driver's promises: `status` and `validate` must not change anything, and
//! `unchanged` must be true. Each call is held against the driver's GRANTS, in which a keyword stands for anything.

mod arrange;
mod case;
mod faults;
mod grants;
mod host;
pub(crate) mod imports;
mod ledger;
mod observe;
mod world;

pub use case::{Case, DriverSetup, given, given_section};
pub use faults::{stop_leaves_nothing_of_any_failed_start, stop_undoes_any_failed_start};
pub use host::{Host, MIB};
pub use world::{FakeContainers, FakeVolume, LogLine, ProgramRun, ServerRequest, ServerResponse};
