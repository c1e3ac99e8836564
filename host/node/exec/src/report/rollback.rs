//! What became of the changes of a failed action.

use std::fmt;

use model::Rid;

use super::{StepError, list};

/// What a rollback did after a failed action.
#[derive(Debug)]
pub enum RollbackReport {
    /// There was none: the action did not fail, or is of a kind that is never undone.
    None,
    /// Everything was left as it is, because the operator or the configuration says so.
    Kept(KeepReason),
    /// These steps were considered, the last one first.
    Ran(Vec<UndoneStep>),
}

impl fmt::Display for RollbackReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undone = match self {
            RollbackReport::None => return Ok(()),
            RollbackReport::Kept(_) => return f.write_str("not rolled back"),
            RollbackReport::Ran(undone) => undone,
        };
        let failed = undone.iter().filter(|undone| matches!(undone.end, UndoOutcome::Failed(_)));
        let failed: Vec<Rid> = failed.map(|undone| undone.rid.clone()).collect();
        let touched = undone.iter().any(|undone| !matches!(undone.end, UndoOutcome::Left(_)));
        match failed.is_empty() {
            true if !touched => f.write_str("nothing to roll back"),
            true => f.write_str("rolled back"),
            false => write!(f, "rolled back all but {}", list(&failed)),
        }
    }
}

/// A step that a rollback considered.
#[derive(Debug)]
pub struct UndoneStep {
    /// The resource.
    pub rid: Rid,
    /// What the rollback did with it.
    pub end: UndoOutcome,
}

/// What a rollback did with a step.
#[derive(Debug)]
pub enum UndoOutcome {
    /// The resource is down again.
    Stopped,
    /// It could not be stopped, or its state is unknown.
    Failed(StepError),
    /// It was not touched.
    Left(LeaveReason),
}

/// What says that a failed action is not undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepReason {
    /// The option of the command.
    Option,
    /// The keyword of the object.
    Configuration,
}

impl KeepReason {
    /// A stable word for it, for scripts and protocols.
    pub fn code(self) -> &'static str {
        match self {
            KeepReason::Option => "disable_rollback_option",
            KeepReason::Configuration => "rollback_keyword",
        }
    }
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeepReason::Option => "--disable-rollback",
            KeepReason::Configuration => "rollback = false",
        })
    }
}

/// Why a rollback does not touch a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveReason {
    /// It is standby: it stays up on this node.
    Standby,
    /// The action had not changed it.
    NotChanged,
}

impl LeaveReason {
    /// A stable word for it, for scripts and protocols.
    pub fn code(self) -> &'static str {
        match self {
            LeaveReason::Standby => "standby",
            LeaveReason::NotChanged => "not_changed",
        }
    }
}

impl fmt::Display for LeaveReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeaveReason::Standby => "left up, because it is standby",
            LeaveReason::NotChanged => "left as it was before this action",
        })
    }
}
