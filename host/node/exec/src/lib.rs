//! Walks a plan: bounded, journalled, undone on failure. Holds no policy: who acts, in which order, and what follows an
//! error is all in the [`plan::Plan`].
//!
//! [`execute`] asks its caller's [`Facilities`] for the driver and the evaluated call of a resource just before it acts, so that late
//! references see what the steps before have exposed. Everything that is done is in the [`journal`] before it is done:
//! whoever dies in the middle leaves a story that [`recover`] brings to an end.

mod call;
mod context;
mod execute;
mod execution;
mod facilities;
pub mod failpoint;
pub mod journal;
mod recorder;
mod recover;
mod report;
mod rollback;
mod stage;
mod step;
mod undo;

pub use context::{ExecutionContext, boot_id, default_parallel};
pub use execute::{ExecutionRefusal, execute};
pub use facilities::{Facilities, FacilityError, PreparedCall};
pub use recover::{RecoveryReport, RecoveryVerdict, recover};
pub use report::{
    ActionEnding, ExecutionReport, KeepReason, LeaveReason, RollbackReport, StepError, StepOutcome, StepReport,
    UndoOutcome, UndoneStep, opening,
};
