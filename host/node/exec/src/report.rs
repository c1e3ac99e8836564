//! What an action did, for whoever asked for it.

use std::fmt;
use std::time::Duration;

use driver::{ActionError, Change, Fault, Level, Verb};
use model::Rid;
use model::status::{Provisioned, State};
use plan::{Action, Skip, Trigger};

use crate::FacilityError;
use crate::journal::JournalError;

/// How an action ended. Each has an exit code of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything is as wanted, but perhaps optional resources.
    Done,
    /// These have failed, in the order of the plan.
    Failed(Vec<Rid>),
    /// This one did not end in time.
    TimedOut(Rid),
    /// The drivers of these have no such action.
    Unsupported(Vec<Rid>),
    /// It was given up by whoever asked for it.
    Interrupted,
}

impl Ending {
    /// The exit code of a command that ends so.
    pub fn exit_code(&self) -> u8 {
        match self {
            Ending::Done => 0,
            Ending::Failed(_) => 1,
            Ending::Unsupported(_) => 4,
            Ending::Interrupted => 6,
            Ending::TimedOut(_) => 7,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => f.write_str("done"),
            Ending::Failed(rids) => write!(f, "failed at {}", list(rids)),
            Ending::TimedOut(rid) => write!(f, "timed out at {rid}"),
            Ending::Unsupported(rids) => write!(f, "not supported by {}", list(rids)),
            Ending::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// What an action did.
#[derive(Debug)]
pub struct Report {
    /// The action.
    pub action: Action,
    /// How it ended.
    pub ending: Ending,
    /// Every step of the plan, in its order.
    pub steps: Vec<StepReport>,
    /// What was undone.
    pub rollback: Rollback,
    /// How long all of it took.
    pub elapsed: Duration,
}

impl Report {
    /// Whether anything was touched. A command that found everything as wanted says so.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(|step| step.change != Change::Unchanged)
    }

    /// The last line of the log of an action, once the state of the instance is known.
    pub fn closing(&self, command: &str, instance: State) -> (Level, String) {
        let (action, elapsed) = (self.action, readable(self.elapsed));
        match &self.ending {
            Ending::Done => {
                (Level::Info, format!("<<< done {action} [{command}] in {elapsed}, instance status is now {instance}"))
            }
            ending => {
                let rollback = self.rollback.to_string();
                let comma = if rollback.is_empty() { "" } else { ", " };
                let text = format!("{ending}{comma}{rollback}, instance status is {instance}");
                (Level::Error, format!("<<< done {action} [{command}] in {elapsed}: {text}"))
            }
        }
    }
}

/// The first line of the log of an action.
pub fn opening(action: Action, command: &str, origin: &str, sid: &str) -> String {
    format!(">>> do {action} [{command}] (origin {origin}, sid {sid})")
}

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
    pub end: StepEnd,
    /// How long it took.
    pub elapsed: Duration,
}

/// What became of a step.
#[derive(Debug)]
pub enum StepEnd {
    /// The resource is as wanted.
    Done,
    /// It is not.
    Failed(StepError),
    /// The plan had nothing to do.
    Skipped(Skip),
    /// The action ended before.
    NotReached,
}

impl StepEnd {
    /// Why it failed, if so.
    pub fn error(&self) -> Option<&StepError> {
        match self {
            StepEnd::Failed(error) => Some(error),
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

/// What became of what a failed action had changed.
#[derive(Debug)]
pub enum Rollback {
    /// The action is not one that is undone, or has not failed.
    None,
    /// All was left as it is, for the given reason.
    Kept(&'static str),
    /// These steps were looked at, the last one first.
    Ran(Vec<Undone>),
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undone = match self {
            Rollback::None => return Ok(()),
            Rollback::Kept(_) => return f.write_str("not rolled back"),
            Rollback::Ran(undone) => undone,
        };
        let failed = undone.iter().filter(|undone| matches!(undone.end, UndoneEnd::Failed(_)));
        let failed: Vec<Rid> = failed.map(|undone| undone.rid.clone()).collect();
        let touched = undone.iter().any(|undone| !matches!(undone.end, UndoneEnd::Left(_)));
        match failed.is_empty() {
            true if !touched => f.write_str("nothing to roll back"),
            true => f.write_str("rolled back"),
            false => write!(f, "rolled back all but {}", list(&failed)),
        }
    }
}

/// What a rollback did with a step.
#[derive(Debug)]
pub struct Undone {
    /// The resource.
    pub rid: Rid,
    /// What became of it.
    pub end: UndoneEnd,
}

/// What a rollback did with a step.
#[derive(Debug)]
pub enum UndoneEnd {
    /// It is down again.
    Stopped,
    /// It is not, or nobody knows.
    Failed(StepError),
    /// It was left as it was, for the given reason.
    Left(&'static str),
}

fn list(rids: &[Rid]) -> String {
    rids.iter().map(Rid::to_string).collect::<Vec<_>>().join(", ")
}

fn in_brackets(messages: &[String]) -> String {
    if messages.is_empty() { String::new() } else { format!(" ({})", messages.join("; ")) }
}

/// `99ms`, `3.4s`, `2m05s`.
fn readable(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0 => format!("{}ms", elapsed.as_millis()),
        1..60 => format!("{:.1}s", elapsed.as_secs_f64()),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}
