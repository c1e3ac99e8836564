//! The plan itself: phases of stages of steps. Data only; [`crate::plan()`] makes it, [`crate::render`] prints it.

use std::time::Duration;

use model::status::State;
use model::{DriverName, Group, NodeName, ObjectPath, Rid, SubsetName, Verb};

use crate::{Action, PlanDigest, SkipReason, StepReason, StepWork};

/// The work of an action on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The object.
    pub object: ObjectPath,
    /// The node on which it is done.
    pub node: NodeName,
    /// The action.
    pub action: Action,
    /// One after the other. Two for a restart and for a migration, one for every other action.
    pub phases: Vec<PlanPhase>,
    /// The fingerprint of all of the above.
    pub digest: PlanDigest,
}

impl Plan {
    /// Every stage, in order.
    pub fn stages(&self) -> impl Iterator<Item = &PlanStage> {
        self.phases.iter().flat_map(|phase| &phase.stages)
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &PlanStep> {
        self.stages().flat_map(|stage| &stage.steps)
    }
}

/// One pass through the resources, in the order of a start or against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPhase {
    /// The fate of the remaining steps, and of the finished ones, once a step that is not optional has failed, be it in an
    /// earlier phase.
    pub on_failure: OnFailure,
    /// One after the other.
    pub stages: Vec<PlanStage>,
}

/// The consequence of a failed step. The errors of optional steps never get that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Go no further, and undo what this action changed.
    Undo,
    /// Go no further, and leave everything as it is, because the operator said `--disable-rollback`.
    KeepByOption,
    /// Go no further, and leave everything as it is, because the configuration says `rollback = false`.
    KeepByConfig,
    /// Do all the rest of the phase and report every failure, but destroy nothing any more.
    GoOn,
}

/// The steps of a group and subset that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStage {
    /// The driver group.
    pub group: Group,
    /// The subset, if any.
    pub subset: Option<SubsetName>,
    /// Whether the steps act at the same time, as far as their edges let them.
    pub parallel: bool,
    /// In the order in which they act, or are begun where they act at the same time.
    pub steps: Vec<PlanStep>,
}

/// The work on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// The resource.
    pub rid: Rid,
    /// Its driver.
    pub driver: DriverName,
    /// The calls of its driver, one after the other. Empty for a step that is skipped.
    pub work: Vec<StepWork>,
    /// Why this is done, or nothing.
    pub reason: StepReason,
    /// Whether its errors are reported but never interrupt.
    pub optional: bool,
    /// How the resource was when the plan was made.
    pub prior: State,
    /// Which other steps of the same phase come before.
    pub after: Vec<StepEdge>,
    /// How a rollback treats it.
    pub undo: StepUndo,
    /// How long the status may take that follows every piece of work.
    pub probe: Duration,
}

impl PlanStep {
    /// The one word for what the step does.
    pub fn action(&self) -> &'static str {
        let has = |verb| self.work.iter().any(|work| work.verb() == verb);
        match self.work.first() {
            None => "skip",
            // An unprovision begins with a stop, which would hide what it is about.
            Some(_) if has(Verb::Unprovision) => Verb::Unprovision.as_str(),
            Some(work) => work.verb().as_str(),
        }
    }

    /// Why nothing is done, if so.
    pub fn skip(&self) -> Option<&SkipReason> {
        match &self.reason {
            StepReason::Skip(skip) => Some(skip),
            _ => None,
        }
    }

    /// The reason in words, with the steps that this one waits for.
    pub fn explanation(&self) -> String {
        let before: Vec<String> = self.after.iter().map(|edge| edge.rid.to_string()).collect();
        // The order does not matter to a step that finds everything done.
        match before.is_empty() || self.reason.is_as_wanted() {
            true => self.reason.to_string(),
            false => format!("{}, after {}", self.reason, before.join(", ")),
        }
    }
}

/// A step that comes before another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepEdge {
    /// The resource that comes before.
    pub rid: Rid,
    /// Whether it must also succeed.
    pub kind: EdgeKind,
}

/// How strong an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// The other step comes first, and must succeed.
    Needs,
    /// The other step comes first, whatever becomes of it.
    Follows,
}

/// How a rollback treats a step that this action has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepUndo {
    /// Nothing: the action is not one that is undone.
    None,
    /// Nothing: the resource was up before.
    WasUp,
    /// Nothing: the resource is standby, and so wanted up in any case.
    Standby,
    /// Stop it, within this time. Also after `provision`: a rollback never destroys.
    Stop(Duration),
}
