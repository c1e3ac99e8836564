//! What became of each step of a plan, and why one failed.

use std::time::Duration;

use driver::{ActionError, Change, Fault, Verb};
use model::Rid;
use model::object::Trigger;
use model::status::{Provisioned, State};
use plan::SkipReason;

use crate::FacilityError;
use crate::journal::JournalError;

/// What became of a step.
#[derive(Debug)]
pub struct StepReport {
    /// The resource.
    pub rid: Rid,
    /// What was to be done, as in the plan.
    pub action: &'static str,
    /// Whether an error only counts as a warning.
    pub optional: bool,
    /// Whether anything was touched.
    pub change: Change,
    /// What became of it.
    pub end: StepOutcome,
    /// How long it took.
    pub elapsed: Duration,
}

/// What became of a step.
#[derive(Debug)]
pub enum StepOutcome {
    /// The resource is as wanted.
    Done,
    /// It is not.
    Failed(StepError),
    /// The plan had nothing to do.
    Skipped(SkipReason),
    /// The action ended before.
    NotReached,
}

impl StepOutcome {
    /// Why it failed, if so.
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
    /// The driver says so.
    #[error(transparent)]
    Driver(#[from] ActionError),
    /// The call could not be made up.
    #[error("cannot prepare {verb}")]
    Prepare {
        /// What was to be called.
        verb: Verb,
        /// Why not.
        #[source]
        cause: FacilityError,
    },
    /// A blocking trigger failed.
    #[error("{trigger} failed")]
    Trigger {
        /// Which.
        trigger: Trigger,
        /// Why.
        #[source]
        cause: FacilityError,
    },
    /// The driver says that all is well, and a look at the resource says that it is not.
    #[error("{verb} reported success, but the resource is {state}{}", in_brackets(.messages))]
    NotInState {
        /// What was called.
        verb: Verb,
        /// What the look says.
        state: State,
        /// What else the look says.
        messages: Vec<String>,
    },
    /// The same for what exists.
    #[error("{verb} reported success, but provisioned is {provisioned}")]
    NotProvisioned {
        /// What was called.
        verb: Verb,
        /// What the look says.
        provisioned: Provisioned,
    },
    /// A task ended with a status that does not count as success.
    #[error("exited with status {0}")]
    Exit(i32),
    /// Some targets of a sync failed.
    #[error("not copied to {}", .0.join(", "))]
    Targets(Vec<String>),
    /// What it needs has failed.
    #[error("not tried: needs {0}, which failed")]
    Needs(Rid),
    /// Something else has failed that may still use the data.
    #[error("stopped but not unprovisioned, because another step has failed before")]
    Spared,
    /// It could not be journalled, and so was not tried.
    #[error("not tried: cannot write the journal")]
    Journal(#[source] JournalError),
}

impl StepError {
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(
            self,
            StepError::Driver(ActionError::Fault(Fault::Wall(_)) | ActionError::TimedOut(_))
                | StepError::Trigger { cause: FacilityError::TimedOut(_), .. }
        )
    }

    /// Whether the step failed only because another one has.
    pub(crate) fn is_consequence(&self) -> bool {
        matches!(self, StepError::Needs(_) | StepError::Spared)
    }

    /// Whether the driver has no such action.
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
