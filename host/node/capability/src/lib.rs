//! The capabilities of a driver: one module for each imported interface of `wit/`.
//!
//! ```text
//!  runtime ──▶ block, files, mount, net, netns, process, http, volume, console, state, clock, log, progress
//!                 │  a function checks its arguments,
//!                 ▼
//!              call::CallContext::admit      grants a permit, or writes the refusal to the audit trail
//!                 │
//!                 ▼
//!              call::AdmittedCall            runs the effect until the deadline, counts the change, writes the record
//!                 │
//!                 ▼
//!              kernel
//! ```
//!
//! Nothing here knows the sandbox: `runtime` converts between the contract's types and those of these modules.

mod argument;
mod audit;
pub mod block;
mod call;
pub mod clock;
pub mod console;
mod device_owners;
mod error;
pub mod files;
pub mod holdings;
pub mod http;
pub mod log;
pub mod mount;
pub mod net;
pub mod netns;
pub mod process;
pub mod progress;
mod queue;
pub mod state;
pub mod volume;

pub use audit::{
    AuditRecord, AuditSink, AuditVerdict, FileAudit, MemoryAudit, NoAudit, Redactor, audit_files, hide_option_values,
    hide_secret_values,
};
pub use call::{
    AdmittedCall, CallContext, CallInputs, ContextSetup, Effect, GrantTemplates, HostServices, InstancePaths,
    OUTPUT_BUDGET, RecordPlace, ResourcePaths, Subject,
};
pub use device_owners::DeviceOwners;
pub use error::CapabilityError;
pub use http::guarded;
pub use kernel::path::denied_place;
pub use process::{CgroupSlice, control_group, control_group_of_object, output_prefix};
pub use queue::{ResourceQueues, StuckCall};
