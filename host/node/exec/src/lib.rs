//! Executes a plan: each call bounded in time, journalled, and undone if the action fails. It holds no policy: which resources
//! act, in which order, and what follows a failure is all in the [`plan::Plan`].
//!
//! ```text
//!   Plan ──execute──▶ phases ──stage──▶ steps ──step──▶ prepare, journal, triggers ──call──▶ driver, then its status
//!                        │ after each phase: prove what its stops left
//!                        │ after the last phase: look whether what was started still runs
//!                        │ failure
//!                        └──rollback──▶ undo, the last step first ──▶ ExecutionReport
//!   journal of a process that died ──recover──▶ undo ──▶ RecoveryReport
//! ```
//!
//! [`execute`] asks its caller's [`Facilities`] for the driver and the call of a resource just before the resource acts, so that
//! late references see what earlier steps expose. Every step is in the [`journal`] before it is done: if the process dies in the
//! middle, [`recover`] finishes the action from there.

mod blocking;
mod call;
mod context;
mod execute;
mod execution;
mod facilities;
pub mod failpoint;
pub mod journal;
mod proof;
mod recorder;
mod recover;
mod report;
mod rollback;
mod stage;
mod step;
mod undo;

pub use blocking::blocking;
pub use context::{ExecutionContext, default_parallel};
pub use execute::{ExecutionRefusal, execute};
pub use facilities::{Facilities, FacilityError, PreparedCall};
pub use proof::{EarlyExit, UnreleasedResource};
pub use recover::{RecoveryReport, RecoveryVerdict, recover};
pub use report::{
    ActionEnding, ExecutionReport, KeepReason, LeaveReason, RollbackReport, StepError, StepOutcome, StepReport,
    UndoOutcome, UndoneStep, opening,
};
