//! Why something is not done, or waits: data for `om <path> explain`, with a code and a sentence each.

use std::fmt;

use model::object::OrchestrateMode;
use model::status::State;
use model::{NodeName, ObjectPath, Rid};

use crate::{BootTime, InstanceAction, IntentId, NodeStanding, ObjectRelative};

/// Why an object is not acted on, or what its next step waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reason {
    // The object.
    NeverLoaded,
    ConfigBroken {
        node: NodeName,
        problem: String,
    },
    ConfigMissing {
        node: NodeName,
    },
    Disabled,
    NotPlacedHere,
    // The instance.
    ActionRunning {
        node: NodeName,
        action: InstanceAction,
    },
    StatusUnknown {
        node: NodeName,
    },
    NotBooted {
        node: NodeName,
    },
    Failure {
        node: NodeName,
        action: InstanceAction,
        text: String,
    },
    EndedAs {
        node: NodeName,
        action: InstanceAction,
        state: State,
    },
    NotProvisioned {
        node: NodeName,
    },
    PartlyUp,
    // What forbids automatic steps.
    Frozen,
    NodeFrozen,
    Maintenance {
        until: BootTime,
    },
    NotOrchestrated {
        mode: OrchestrateMode,
    },
    NoPlacement,
    IntentOpen {
        id: IntentId,
    },
    // Other objects.
    WaitParents {
        parents: Vec<ObjectRelative>,
    },
    WaitChildren {
        children: Vec<ObjectRelative>,
    },
    Affinity {
        with: ObjectPath,
    },
    // Other nodes.
    NodeAway {
        node: NodeName,
        standing: NodeStanding,
    },
    NodeClosed {
        node: NodeName,
    },
    WaitLeader {
        leader: NodeName,
    },
    WaitNonLeader {
        node: NodeName,
    },
    WaitPrior {
        node: NodeName,
    },
    WaitSource {
        node: NodeName,
    },
    PlacedElsewhere {
        on: Vec<NodeName>,
    },
    NoCandidate,
    RunsElsewhere {
        node: NodeName,
    },
    SlotHeld {
        owner: NodeName,
    },
    SlotBlocked {
        owner: NodeName,
    },
    Fencing {
        node: NodeName,
    },
    FenceFailed {
        node: NodeName,
    },
    Rejoin {
        until: BootTime,
    },
    // Tries.
    WaitRestart {
        rid: Rid,
        until: BootTime,
    },
    RestartsSpent {
        rid: Rid,
        until: Option<BootTime>,
    },
    StoppedByHand {
        rid: Rid,
    },
    WaitStart {
        until: BootTime,
    },
    StartsSpent {
        until: Option<BootTime>,
    },
    MonitorSpent,
    // The node's queue.
    Queue {
        running: usize,
    },
    // The intent.
    Expired,
    /// As it was written down, by this process or another one.
    Recorded {
        code: String,
        text: String,
    },
}

impl Reason {
    /// A word for programs, which does not change.
    pub fn code(&self) -> &str {
        match self {
            Reason::NeverLoaded => "never-loaded",
            Reason::ConfigBroken { .. } => "config-broken",
            Reason::ConfigMissing { .. } => "config-missing",
            Reason::Disabled => "disabled",
            Reason::NotPlacedHere => "not-placed-here",
            Reason::ActionRunning { .. } => "action-running",
            Reason::StatusUnknown { .. } => "status-unknown",
            Reason::NotBooted { .. } => "not-booted",
            Reason::Failure { .. } => "failure",
            Reason::EndedAs { .. } => "ended-as",
            Reason::NotProvisioned { .. } => "not-provisioned",
            Reason::PartlyUp => "partly-up",
            Reason::Frozen => "frozen",
            Reason::NodeFrozen => "node-frozen",
            Reason::Maintenance { .. } => "maintenance",
            Reason::NotOrchestrated { .. } => "not-orchestrated",
            Reason::NoPlacement => "no-placement",
            Reason::IntentOpen { .. } => "intent-open",
            Reason::WaitParents { .. } => "wait-parents",
            Reason::WaitChildren { .. } => "wait-children",
            Reason::Affinity { .. } => "affinity",
            Reason::NodeAway { .. } => "node-away",
            Reason::NodeClosed { .. } => "node-closed",
            Reason::WaitLeader { .. } => "wait-leader",
            Reason::WaitNonLeader { .. } => "wait-non-leader",
            Reason::WaitPrior { .. } => "wait-prior",
            Reason::WaitSource { .. } => "wait-source",
            Reason::PlacedElsewhere { .. } => "placed-elsewhere",
            Reason::NoCandidate => "no-candidate",
            Reason::RunsElsewhere { .. } => "runs-elsewhere",
            Reason::SlotHeld { .. } => "slot-held",
            Reason::SlotBlocked { .. } => "slot-blocked",
            Reason::Fencing { .. } => "fencing",
            Reason::FenceFailed { .. } => "fence-failed",
            Reason::Rejoin { .. } => "rejoin",
            Reason::WaitRestart { .. } => "wait-restart",
            Reason::RestartsSpent { .. } => "restarts-spent",
            Reason::StoppedByHand { .. } => "stopped-by-hand",
            Reason::WaitStart { .. } => "wait-start",
            Reason::StartsSpent { .. } => "starts-spent",
            Reason::MonitorSpent => "monitor-spent",
            Reason::Queue { .. } => "queue",
            Reason::Expired => "expired",
            Reason::Recorded { code, .. } => code,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NeverLoaded => write!(f, "its configuration has never loaded on this node"),
            Reason::ConfigBroken { node, problem } => write!(f, "its configuration does not load on {node}: {problem}"),
            Reason::ConfigMissing { node } => write!(f, "its configuration has not reached {node} yet"),
            Reason::Disabled => write!(f, "it is disabled"),
            Reason::NotPlacedHere => write!(f, "this node is not one of its nodes"),
            Reason::ActionRunning { node, action } => write!(f, "{action} is running on {node}"),
            Reason::StatusUnknown { node } => write!(f, "its status on {node} is not known since the last action"),
            Reason::NotBooted { node } => write!(f, "what was left by the last boot of {node} is not cleared yet"),
            Reason::Failure { node, action, text } => {
                write!(f, "{action} failed on {node}: {text}")
            }
            Reason::EndedAs { node, action, state } => write!(f, "it was {state} on {node} after {action} succeeded"),
            Reason::NotProvisioned { node } => write!(f, "it is not provisioned on {node}"),
            Reason::PartlyUp => write!(f, "a part of it is up: its resources are restarted one by one"),
            Reason::Frozen => write!(f, "the instance is frozen"),
            Reason::NodeFrozen => write!(f, "the node is frozen"),
            Reason::Maintenance { .. } => write!(f, "it is in maintenance"),
            Reason::NotOrchestrated { mode: OrchestrateMode::Start } => {
                write!(f, "orchestrate is start: it is started at the boot of its first node alone")
            }
            Reason::NotOrchestrated { .. } => write!(f, "orchestrate is no: it is started by hand alone"),
            Reason::NoPlacement => write!(f, "placement is none: it is started by hand alone"),
            Reason::IntentOpen { id } => write!(f, "the order {id} has not ended"),
            Reason::WaitParents { parents } => write!(f, "it waits for its parents {}", list(parents)),
            Reason::WaitChildren { children } => write!(f, "it waits for its children {} to stop", list(children)),
            Reason::Affinity { with } => write!(f, "its affinity to {with} forbids this node"),
            Reason::NodeAway { node, standing } => write!(f, "{node} is {}", standing.as_str()),
            Reason::NodeClosed { node } => write!(f, "{node} takes no services"),
            Reason::WaitLeader { leader } => write!(f, "it waits for {leader}, which provisions first"),
            Reason::WaitNonLeader { node } => write!(f, "it waits for {node}, which unprovisions first"),
            Reason::WaitPrior { node } => write!(f, "it waits for {node}, which restarts first"),
            Reason::WaitSource { node } => write!(f, "it waits for {node} to stop"),
            Reason::PlacedElsewhere { on } => write!(f, "its place is {}", list(on)),
            Reason::NoCandidate => write!(f, "none of its nodes can run it"),
            Reason::RunsElsewhere { node } => write!(f, "it runs on {node}, or may"),
            Reason::SlotHeld { owner } => write!(f, "{owner} holds its slot"),
            Reason::SlotBlocked { owner } => write!(f, "{owner} could not be cleared, and blocks its slot"),
            Reason::Fencing { node } => write!(f, "{node} is being fenced"),
            Reason::FenceFailed { node } => write!(f, "{node} could not be fenced"),
            Reason::Rejoin { .. } => write!(f, "the cluster has just started: better placed nodes may still come"),
            Reason::WaitRestart { rid, .. } => write!(f, "{rid} is restarted after a delay"),
            Reason::RestartsSpent { rid, .. } => write!(f, "no restart of {rid} is left"),
            Reason::StoppedByHand { rid } => write!(f, "{rid} was stopped by hand, and stays down until it is started"),
            Reason::WaitStart { .. } => write!(f, "it is started again after a delay"),
            Reason::StartsSpent { .. } => write!(f, "it was started too often, and did not stay up"),
            Reason::MonitorSpent => write!(f, "its monitor action is done"),
            Reason::Queue { running } => write!(f, "{running} actions are running on this node"),
            Reason::Expired => write!(f, "its time is up"),
            Reason::Recorded { text, .. } => f.write_str(text),
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for ObjectRelative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            None => write!(f, "{}", self.path),
            Some(node) => write!(f, "{}@{node}", self.path),
        }
    }
}

impl NodeStanding {
    /// As messages name it.
    pub fn as_str(self) -> &'static str {
        match self {
            NodeStanding::Alive => "alive",
            NodeStanding::Silent => "silent",
            NodeStanding::Pinned => "away on purpose",
            NodeStanding::Evicted => "evicted",
            NodeStanding::Absent => "absent",
        }
    }
}
