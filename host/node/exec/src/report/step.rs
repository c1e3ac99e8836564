//! What became of each step of a plan, and why one failed.

use std::time::Duration;

use driver::{ActionError, Change, DriverFault, Verb};
use model::Rid;
use model::object::Trigger;
use model::status::{Provisioned, State};
use plan::SkipReason;

use crate::FacilityError;
use crate::journal::JournalError;

/// What became of one step.
#[derive(Debug)]
pub struct StepReport {
    /// The resource.
    pub rid: Rid,
    /// The step's action, as in the plan.
    pub action: &'static str,
    /// Whether its failure does not fail the action.
    pub optional: bool,
    /// Whether it changed anything.
    pub change: Change,
    /// How it ended.
    pub end: StepOutcome,
    /// How long it took.
    pub elapsed: Duration,
}

/// How a step ended.
#[derive(Debug)]
pub enum StepOutcome {
    /// The resource is as wanted.
    Done,
    /// It failed, or the resource is not as wanted.
    Failed(StepError),
    /// The plan left it out.
    Skipped(SkipReason),
    /// The action ended before it was reached.
    NotReached,
}

impl StepOutcome {
    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&StepError> {
        match self {
            StepOutcome::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The driver reported an error.
    #[error(transparent)]
    Driver(#[from] ActionError),
    /// The call could not be prepared.
    #[error("cannot prepare {verb}")]
    Prepare {
        /// The verb that was to be called.
        verb: Verb,
        /// Why it could not.
        #[source]
        cause: FacilityError,
    },
    /// A blocking trigger failed.
    #[error("{trigger} failed")]
    Trigger {
        /// The trigger.
        trigger: Trigger,
        /// Why it failed.
        #[source]
        cause: FacilityError,
    },
    /// The driver reported success, but the resource's status contradicts it.
    #[error("{verb} reported success, but the resource is {state}{}", in_brackets(.messages))]
    NotInState {
        /// The verb that was called.
        verb: Verb,
        /// The state that it is in.
        state: State,
        /// The messages of its status.
        messages: Vec<String>,
    },
    /// The driver reported success, but `provisioned` contradicts it.
    #[error("{verb} reported success, but provisioned is {provisioned}")]
    NotProvisioned {
        /// The verb that was called.
        verb: Verb,
        /// Whether it is provisioned.
        provisioned: Provisioned,
    },
    /// The stop succeeded and the driver's status is down, but the host sees that not all is gone.
    #[error("it still holds {}", .0.join(", "))]
    UnreleasedResource(Vec<String>),
    /// Its start succeeded, and its program exited a moment later.
    #[error("{0}")]
    Exited(String),
    /// A task exited with a status that does not count as success.
    #[error("exited with status {0}")]
    Exit(i32),
    /// Some targets of a sync failed.
    #[error("not copied to {}", .0.join(", "))]
    Targets(Vec<String>),
    /// A step that it needs has failed.
    #[error("not tried: needs {0}, which failed")]
    Needs(Rid),
    /// An earlier step failed, and may still use the data.
    #[error("stopped but not unprovisioned, because an earlier step failed")]
    Spared,
    /// It could not be journalled, and was not tried for that reason.
    #[error("not tried: cannot write the journal")]
    Journal(#[source] JournalError),
}

impl StepError {
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(
            self,
            StepError::Driver(ActionError::Fault(DriverFault::Wall(_)) | ActionError::TimedOut(_))
                | StepError::Trigger { cause: FacilityError::TimedOut(_), .. }
        )
    }

    /// Whether the step failed only because another one failed.
    pub(crate) fn is_consequence(&self) -> bool {
        matches!(self, StepError::Needs(_) | StepError::Spared)
    }

    /// Whether the driver does not support the action.
    pub(crate) fn is_unsupported(&self) -> bool {
        matches!(self, StepError::Driver(ActionError::Unsupported))
    }

    /// A stable word for it, for scripts and protocols.
    pub fn code(&self) -> &'static str {
        match self {
            StepError::Driver(error) => error.code(),
            StepError::Prepare { .. } => "not_prepared",
            StepError::Trigger { .. } => "trigger_failed",
            StepError::NotInState { .. } => "not_in_state",
            StepError::NotProvisioned { .. } => "not_provisioned",
            StepError::UnreleasedResource(_) => "still_held",
            StepError::Exited(_) => "exited_early",
            StepError::Exit(_) => "exit_status",
            StepError::Targets(_) => "targets_failed",
            StepError::Needs(_) => "requirement_failed",
            StepError::Spared => "spared",
            StepError::Journal(_) => "not_journalled",
        }
    }

    /// The error and its causes, on one line.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

fn in_brackets(messages: &[String]) -> String {
    if messages.is_empty() { String::new() } else { format!(" ({})", messages.join("; ")) }
}
