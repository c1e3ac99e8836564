//! Why a plan leaves a resource alone, or keeps an instance from moving.

use std::fmt;

use model::select::Barrier;
use model::status::State;
use model::{DriverName, NodeName, Rid};

use crate::{Action, PassiveReason};

/// The reason of a resource that lives inside a container: acting on it from the host would act on something else.
pub const ENCAP: &str = "encap: acts inside its container, which is not supported here yet";

/// Why nothing is done with a resource. Displays as a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// `disable = true`.
    Disabled,
    /// `encap = true`: never on the host.
    Encap,
    /// `standby = true`, and the action leaves standby resources up.
    Standby,
    /// `standby = false`, and the action concerns standby resources only.
    NotStandby,
    /// It lies beyond `--to`.
    Beyond(Barrier),
    /// The action does not concern resources of its group.
    NotConcerned(Action),
    /// It belongs into the network namespace of this container, which is disabled.
    ContainerDisabled(Rid),
    /// It is optional and not provisioned.
    NotProvisioned,
    /// Copies are made from another node.
    Passive(PassiveReason),
    /// It copies to none of the places that the request names.
    NoTarget,
    /// It is optional, and a requirement is not met.
    Unmet(UnmetRequirement),
    /// A migration leaves it where it is.
    NotMoved(StayReason),
    /// It is shared, and the node that leads provisions it.
    Led,
    /// A node that does not lead has nothing to do with it.
    Settled,
}

impl SkipReason {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            SkipReason::Disabled => "disabled",
            SkipReason::Encap => "encap",
            SkipReason::Standby => "standby",
            SkipReason::NotStandby => "not_standby",
            SkipReason::Beyond(_) => "beyond",
            SkipReason::NotConcerned(_) => "not_concerned",
            SkipReason::ContainerDisabled(_) => "container_disabled",
            SkipReason::NotProvisioned => "not_provisioned",
            SkipReason::Passive(PassiveReason::NotRunning(_)) => "not_running",
            SkipReason::Passive(PassiveReason::NotPrimary(_)) => "not_primary",
            SkipReason::NoTarget => "no_target",
            SkipReason::Unmet(_) => "unmet",
            SkipReason::NotMoved(StayReason::Standby) => "stays_standby",
            SkipReason::NotMoved(StayReason::NotUp) => "stays_not_up",
            SkipReason::NotMoved(StayReason::Shared) => "stays_shared",
            SkipReason::Led => "led",
            SkipReason::Settled => "settled",
        }
    }

    /// The line for the log of the action, in the words of OpenSVC where it has a line for it.
    pub fn log_line(&self) -> String {
        match self {
            SkipReason::Standby => "skip 'stop' on standby resource (--force to override)".to_owned(),
            SkipReason::Disabled => "disabled".to_owned(),
            other => format!("skipped: {other}"),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Disabled => f.write_str("disabled"),
            SkipReason::Encap => f.write_str(ENCAP),
            SkipReason::Standby => f.write_str("standby (--force to override)"),
            SkipReason::NotStandby => f.write_str("not standby"),
            SkipReason::Beyond(barrier) => write!(f, "beyond --to {barrier}"),
            SkipReason::NotConcerned(action) => write!(f, "{action} is not for this group"),
            SkipReason::ContainerDisabled(rid) => write!(f, "{rid} is disabled"),
            SkipReason::NotProvisioned => f.write_str("optional and not provisioned (--force to override)"),
            SkipReason::Passive(PassiveReason::NotRunning(state)) => {
                write!(f, "the service is {state} here, and copies are made where it runs (--force to override)")
            }
            SkipReason::Passive(PassiveReason::NotPrimary(primary)) => {
                write!(f, "copies are made from {primary} (--force to override)")
            }
            SkipReason::NoTarget => f.write_str("none of the requested targets belongs to this resource"),
            SkipReason::Unmet(requirement) => write!(f, "optional, and {requirement}"),
            SkipReason::NotMoved(reason) => reason.fmt(f),
            SkipReason::Led => f.write_str("shared: the node that leads provisions it"),
            SkipReason::Settled => f.write_str("nothing to provision here"),
        }
    }
}

/// Why a migration can leave a resource where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayReason {
    /// It is up on every node.
    Standby,
    /// It is not up.
    NotUp,
    /// Both nodes see the same one.
    Shared,
}

impl fmt::Display for StayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StayReason::Standby => "standby, and so up on every node",
            StayReason::NotUp => "not up, nothing to move",
            StayReason::Shared => "shared, and so there too: it is stopped here once all has moved",
        })
    }
}

/// Why a resource keeps its instance on this node: it is up, cannot move and may not stay behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptReason {
    /// Its driver cannot migrate.
    NoMigration {
        /// How the resource is.
        state: State,
        /// Its driver.
        driver: DriverName,
    },
    /// It is disabled on the other node.
    DisabledThere {
        /// How the resource is here.
        state: State,
        /// The other node.
        node: NodeName,
    },
}

impl fmt::Display for KeptReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeptReason::NoMigration { state, driver } => write!(f, "{state}, and {driver} does not migrate"),
            KeptReason::DisabledThere { state, node } => write!(f, "{state}, and disabled on {node}"),
        }
    }
}

/// A requirement that is not met, and that the action does not bring about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmetRequirement {
    /// The resource that requires.
    pub rid: Rid,
    /// The resource that it requires.
    pub required: Rid,
    /// The states that would be good enough.
    pub wanted: Vec<State>,
    /// The state that the required resource is in.
    pub state: State,
}

impl fmt::Display for UnmetRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.wanted.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" or ");
        write!(f, "{} requires {} {wanted}, but it is {}", self.rid, self.required, self.state)
    }
}
