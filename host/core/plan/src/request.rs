//! The request for a plan: which action, on which resources, and how far.

use std::collections::BTreeSet;
use std::fmt;

use model::select::Barrier;
use model::{Group, NodeName, Rid};

use crate::CopyRequest;

/// An action on an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Bring everything up.
    Start,
    /// Bring the standby resources up.
    StartStandby,
    /// Bring everything down but the standby resources.
    Stop,
    /// Bring everything down.
    Shutdown,
    /// Stop, then start.
    Restart,
    /// Provision and start each resource.
    Provision,
    /// Stop and unprovision each resource.
    Unprovision,
    /// Run the tasks.
    Run,
    /// Copy to other nodes.
    Sync,
    /// Move what runs to another node, without stopping it.
    Migrate,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 10] = [
        Action::Start,
        Action::StartStandby,
        Action::Stop,
        Action::Shutdown,
        Action::Restart,
        Action::Provision,
        Action::Unprovision,
        Action::Run,
        Action::Sync,
        Action::Migrate,
    ];

    /// As typed and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Start => "start",
            Action::StartStandby => "startstandby",
            Action::Stop => "stop",
            Action::Shutdown => "shutdown",
            Action::Restart => "restart",
            Action::Provision => "provision",
            Action::Unprovision => "unprovision",
            Action::Run => "run",
            Action::Sync => "sync",
            Action::Migrate => "migrate",
        }
    }

    /// Whether the action concerns resources of this group. Tasks are run and syncs are synced. Everything else goes up and
    /// down, and only what goes up and down is provisioned.
    pub fn concerns(self, group: Group) -> bool {
        match self {
            Action::Run => group == Group::Task,
            Action::Sync => group == Group::Sync,
            _ => !matches!(group, Group::Task | Group::Sync | Group::Fence),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The request for a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// The action.
    pub action: Action,
    /// The resources to act on. None: all of them.
    pub selected: Option<BTreeSet<Rid>>,
    /// How far to go.
    pub to: Option<Barrier>,
    /// Start what is not provisioned, stop what is standby.
    pub force: bool,
    /// Leave a failed start as it is.
    pub disable_rollback: bool,
    /// How a sync copies, and where to.
    pub copy: CopyRequest,
    /// Where a migration goes.
    pub destination: Option<NodeName>,
    /// Another node leads a provision or an unprovision: what both have is its business, and nothing is left up here.
    pub follows: bool,
}

impl PlanRequest {
    /// The action on all resources, without `--force`.
    pub fn new(action: Action) -> PlanRequest {
        PlanRequest {
            action,
            selected: None,
            to: None,
            force: false,
            disable_rollback: false,
            copy: CopyRequest::default(),
            destination: None,
            follows: false,
        }
    }
}
