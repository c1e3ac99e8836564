//! Why a step does what it does.

use std::fmt;

use model::NodeName;
use model::status::{Provisioned, State};

use crate::SkipReason;

/// Why a step does what it does, or nothing. Displays as a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepReason {
    /// A task is run.
    Run,
    /// Data is copied.
    Copy {
        /// How, in the words of drivers: `update`, `full`…
        verb: String,
        /// Node names, or `local`.
        targets: Vec<String>,
    },
    /// The resource is up here and moves.
    Move {
        /// How it is here.
        state: State,
        /// The node that it moves to. None only while a request is refused.
        to: Option<NodeName>,
    },
    /// A shared resource is stopped here, because everything else has moved.
    AfterMove(State),
    /// The resource is already as the action wants it: its driver is called to make sure.
    AsWanted(State),
    /// The same, for an action that is also about provisioning.
    ProvisionedAsWanted(State, Provisioned),
    /// The state that the action changes, and whether the resource is provisioned.
    Provisioning(State, Provisioned),
    /// The restart has stopped it.
    StoppedBefore(State),
    /// The state that the action changes.
    Changes {
        /// That state.
        state: State,
        /// Why the driver cannot be asked, where it cannot.
        fault: Option<String>,
    },
    /// Nothing is done with it.
    Skip(SkipReason),
}

impl StepReason {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            StepReason::Run => "run",
            StepReason::Copy { .. } => "copy",
            StepReason::Move { .. } => "move",
            StepReason::AfterMove(_) => "after_move",
            StepReason::AsWanted(_) | StepReason::ProvisionedAsWanted(..) => "as_wanted",
            StepReason::Provisioning(..) => "provisioning",
            StepReason::StoppedBefore(_) => "stopped_before",
            StepReason::Changes { fault: None, .. } => "changes",
            StepReason::Changes { fault: Some(_), .. } => "fault",
            StepReason::Skip(skip) => skip.code(),
        }
    }

    /// Whether the resource is found as the action wants it.
    pub fn is_as_wanted(&self) -> bool {
        matches!(self, StepReason::AsWanted(_) | StepReason::ProvisionedAsWanted(..))
    }
}

impl fmt::Display for StepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepReason::Run => f.write_str("run once"),
            StepReason::Copy { verb, targets } => write!(f, "{verb} to {}", targets.join(" ")),
            StepReason::Move { state, to: Some(to) } => write!(f, "{state}, to {to}"),
            StepReason::Move { state, to: None } => state.fmt(f),
            StepReason::AfterMove(state) => write!(f, "{state}, once all has moved"),
            StepReason::AsWanted(state) => write!(f, "already {state}, nothing to do"),
            StepReason::ProvisionedAsWanted(state, provisioned) => {
                write!(f, "already {state} and {}, nothing to do", words(*provisioned))
            }
            StepReason::Provisioning(state, provisioned) => match words(*provisioned) {
                "" => state.fmt(f),
                words => write!(f, "{words}, {state}"),
            },
            StepReason::StoppedBefore(state) => write!(f, "{state}, stopped before"),
            StepReason::Changes { state, fault: Some(fault) } => write!(f, "{state}: {fault}"),
            StepReason::Changes { state, fault: None } => state.fmt(f),
            StepReason::Skip(skip) => skip.fmt(f),
        }
    }
}

fn words(provisioned: Provisioned) -> &'static str {
    match provisioned {
        Provisioned::True => "provisioned",
        Provisioned::False => "not provisioned",
        Provisioned::Mixed => "partly provisioned",
        Provisioned::Na | Provisioned::Undef => "",
    }
}
