//! The plan itself: phases of stages of steps. Data only; [`crate::plan`] makes it, [`crate::render`] prints it.

use std::fmt;
use std::time::Duration;

use model::object::Trigger;
use model::status::State;
use model::{DriverName, Group, NodeName, ObjectPath, Rid, SubsetName, Verb};

use crate::{Action, Barrier, Digest, Passive};

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The object.
    pub object: ObjectPath,
    /// The node on which it is done.
    pub node: NodeName,
    /// The action.
    pub action: Action,
    /// One after the other. Two for a restart and for a migration, one for all else.
    pub phases: Vec<Phase>,
    /// The fingerprint of all of the above.
    pub digest: Digest,
}

impl Plan {
    /// Every stage, in order.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.phases.iter().flat_map(|phase| &phase.stages)
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.stages().flat_map(|stage| &stage.steps)
    }
}

/// A way through the resources in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// What becomes of the rest, and of what was done, once a step that is not optional has failed, be it in an earlier
    /// phase.
    pub on_failure: OnFailure,
    /// One after the other.
    pub stages: Vec<Stage>,
}

/// What follows a failed step. The errors of optional steps never get that far.
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
pub struct Stage {
    /// The driver group.
    pub group: Group,
    /// The subset, if any.
    pub subset: Option<SubsetName>,
    /// Whether the steps act at the same time, as far as their edges let them.
    pub parallel: bool,
    /// In the order in which they act, or are begun where they act at the same time.
    pub steps: Vec<Step>,
}

/// What is done with one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The resource.
    pub rid: Rid,
    /// Its driver.
    pub driver: DriverName,
    /// What its driver is asked, one after the other. Empty for a step that is skipped.
    pub work: Vec<Work>,
    /// Why nothing is done, if so.
    pub skip: Option<Skip>,
    /// Why it is done, in a few words.
    pub reason: String,
    /// Whether its errors are reported but never interrupt.
    pub optional: bool,
    /// How the resource was when the plan was made.
    pub prior: State,
    /// Which other steps of the same phase come before.
    pub after: Vec<Edge>,
    /// What a rollback does with it.
    pub undo: Undo,
    /// How long a look at the resource may take, which follows every piece of work.
    pub probe: Duration,
}

impl Step {
    /// The one word for what the step does.
    pub fn action(&self) -> &'static str {
        let has = |verb| self.work.iter().any(|work| work.verb() == verb);
        match self.work.first() {
            None => "skip",
            Some(_) if has(Verb::Unprovision) => Verb::Unprovision.as_str(),
            Some(work) => work.verb().as_str(),
        }
    }
}

/// One call of a driver, and what goes around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What the driver is asked.
    pub order: WorkOrder,
    /// How long it may take.
    pub deadline: Duration,
    /// The triggers around it, in the order in which they run.
    pub triggers: Vec<Trigger>,
}

impl Work {
    /// The verb of the call.
    pub fn verb(&self) -> Verb {
        self.order.verb()
    }
}

/// A verb, and all that the driver must be given with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkOrder {
    /// Bring up.
    Start,
    /// Bring down.
    Stop,
    /// Make what must exist before the first start.
    Provision,
    /// Destroy what provision made.
    Unprovision,
    /// Run a task.
    Run,
    /// Copy.
    Sync {
        /// How, in the words of drivers: `update`, `full`…
        verb: String,
        /// Node names, or `local`. Never empty.
        targets: Vec<String>,
    },
    /// Move to another node.
    Migrate {
        /// That node.
        to: NodeName,
    },
}

impl WorkOrder {
    /// The verb of the order.
    pub fn verb(&self) -> Verb {
        match self {
            WorkOrder::Start => Verb::Start,
            WorkOrder::Stop => Verb::Stop,
            WorkOrder::Provision => Verb::Provision,
            WorkOrder::Unprovision => Verb::Unprovision,
            WorkOrder::Run => Verb::Run,
            WorkOrder::Sync { .. } => Verb::Sync,
            WorkOrder::Migrate { .. } => Verb::Migrate,
        }
    }
}

/// A step that comes before another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
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

/// What a rollback does with a step that this action has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Undo {
    /// Nothing: the action is not one that is undone.
    None,
    /// Nothing: the resource was up before.
    WasUp,
    /// Nothing: the resource is standby, and so wanted up in any case.
    Standby,
    /// Stop it, within this time. Also after `provision`: a rollback never destroys.
    Stop(Duration),
}

/// Why nothing is done with what lives inside a container: nothing of it may be done on the host instead.
pub const ENCAP: &str = "encap: acts inside its container, which is not supported here yet";

/// Why nothing is done with a resource. Displays as a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// `disable = true`.
    Disabled,
    /// `encap = true`: never on the host.
    Encap,
    /// `standby = true`, and the action leaves those up.
    Standby,
    /// `standby = false`, and the action is about the others.
    NotStandby,
    /// It lies beyond `--to`.
    Beyond(Barrier),
    /// The action is not about resources of this group.
    NotConcerned(Action),
    /// It belongs into the network namespace of this container, which is disabled.
    ContainerDisabled(Rid),
    /// It is optional and not provisioned.
    NotProvisioned,
    /// It copies from where the service runs, and that is not here.
    Passive(Passive),
    /// It copies to none of the places that the request names.
    NoTarget,
    /// It is optional, and what it requires is not met.
    Unmet(String),
    /// A migration leaves it where it is, for this reason.
    NotMoved(&'static str),
}

impl Skip {
    /// The line for the log of the action: the ancestor's words where it has some.
    pub fn log_line(&self) -> String {
        match self {
            Skip::Standby => "skip 'stop' on standby resource (--force to override)".to_owned(),
            Skip::Disabled => "disabled".to_owned(),
            other => format!("skipped: {other}"),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::Disabled => f.write_str("disabled"),
            Skip::Encap => f.write_str(ENCAP),
            Skip::Standby => f.write_str("standby (--force to override)"),
            Skip::NotStandby => f.write_str("not standby"),
            Skip::Beyond(barrier) => write!(f, "beyond --to {barrier}"),
            Skip::NotConcerned(action) => write!(f, "{action} is not for this group"),
            Skip::ContainerDisabled(rid) => write!(f, "{rid} is disabled"),
            Skip::NotProvisioned => f.write_str("optional and not provisioned (--force to override)"),
            Skip::Passive(Passive::NotRunning(state)) => {
                write!(f, "the service is {state} here, and copies are made where it runs (--force to override)")
            }
            Skip::Passive(Passive::NotPrimary(primary)) => {
                write!(f, "copies are made from {primary} (--force to override)")
            }
            Skip::NoTarget => f.write_str("none of the requested targets belongs to this resource"),
            Skip::Unmet(what) => write!(f, "optional, and {what}"),
            Skip::NotMoved(why) => f.write_str(why),
        }
    }
}
