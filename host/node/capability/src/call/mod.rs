//! One call of a driver, as the capabilities see it.
//!
//! ```text
//!  ContextSetup ──▶ CallContext ──admit(operation)──▶ AdmittedCall ──blocking | blocking_at | waiting──▶ result
//!   subject,       deadline,                         permit,         runs the effect, which
//!   inputs,        CallLog,                          CallAudit       returns an Effect<T>
//!   grants …       CallRecorder
//! ```
//!
//! The context lives as long as the driver's call. An admitted call lives as long as one function of a capability, and
//! leaves one record in the audit trail.

mod admitted;
mod call_audit;
mod call_log;
mod context;
mod effect;
mod place_judge;
mod services;
mod setup;

pub use admitted::AdmittedCall;
pub use call_log::OUTPUT_BUDGET;
pub use context::CallContext;
pub(crate) use context::ROOT;
pub use effect::Effect;
pub(crate) use place_judge::PlaceJudge;
pub use services::HostServices;
pub use setup::{CallInputs, ContextSetup, GrantTemplates, InstancePaths, RecordPlace, ResourcePaths, Subject};
