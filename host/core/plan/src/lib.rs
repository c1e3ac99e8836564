//! Plans: what an action does to the resources of an instance, in which order, and why.
//!
//! [`plan`] turns [`InstanceFacts`] (how the instance is) and a [`PlanRequest`] (what is asked) into a [`Plan`] (what to do),
//! or into a [`PlanError`] that names what is wrong before anything is touched. A plan is data: `--dry-run` prints it, and the
//! executor walks the very same value.
//!
//! Pure: no clock, no input or output, no driver is called.

mod digest;
mod error;
mod instance;
mod make;
mod plan;
mod reason;
pub mod render;
mod request;
mod skip;
mod sync;
mod work;

pub use digest::PlanDigest;
pub use error::PlanError;
pub use instance::{InstanceFacts, PassiveReason, ResourceFacts};
pub use make::plan;
pub use model::select::Barrier;
pub use plan::{EdgeKind, OnFailure, Plan, PlanPhase, PlanStage, PlanStep, StepEdge, StepUndo};
pub use reason::StepReason;
pub use request::{Action, PlanRequest};
pub use skip::{ENCAP, KeptReason, SkipReason, StayReason, UnmetRequirement};
pub use sync::{CopyPlace, CopyRequest};
pub use work::{StepWork, WorkOrder};
