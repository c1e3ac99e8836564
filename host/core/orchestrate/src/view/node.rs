//! A node, as its news reached this one.

use crate::{BeatTiming, BootTime, NodeIncarnation, StoreRevision};

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its life in the cluster. None: it never registered.
    pub incarnation: Option<NodeIncarnation>,
    /// Whether that life was ended by another node.
    pub evicted: bool,
    /// The revision of its last beat.
    pub beat: StoreRevision,
    /// When the answer arrived that first showed this incarnation with this beat.
    pub heard: BootTime,
    /// Whether the node said that its services go on while its daemon is away.
    pub pinned: bool,
    pub state: NodeState,
    pub frozen: bool,
    /// Nothing is done of the daemon's own accord before that time.
    pub maintenance: Option<BootTime>,
    pub drain: Option<NodeDrain>,
    /// How much of it is free. The larger, the better.
    pub score: u32,
    /// Its load average, in hundredths.
    pub load: u32,
    /// Whether its death was proven from outside.
    pub fence: FenceState,
    /// How many actions it runs at the same time.
    pub max_parallel: usize,
}

/// What the node is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// Its daemon has just begun: it can do nothing, and nothing can be left to it.
    Init,
    Idle,
    /// It wants no services.
    Draining,
    /// It is going down.
    Shutting,
    /// It has too little memory or swap to take more services.
    Overloaded,
}

/// An order to stop all of a node's instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeDrain {
    /// It ends then at the latest.
    pub deadline: BootTime,
    /// Whether standby resources are stopped too, because the node goes down.
    pub shutdown: bool,
}

/// Whether a lost node was proven dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceState {
    /// Nobody tried.
    Untried,
    /// A fence driver is at work.
    Running,
    /// No level of fence drivers succeeded.
    Failure,
    /// A driver said so and its status confirmed it.
    Proof,
}

/// Whether a node can be counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeStanding {
    Alive,
    /// No beat for longer than allowed, and nobody has ended its life yet: it may still run its services.
    Silent,
    /// Away on purpose: it runs its services, and is not ended by time.
    Pinned,
    /// Its life was ended: none of its slots counts.
    Evicted,
    /// It never registered.
    Absent,
}

impl NodeView {
    /// How it stands.
    pub fn standing(&self, timing: BeatTiming, now: BootTime) -> NodeStanding {
        match self.incarnation {
            None => NodeStanding::Absent,
            // Before the pin: a person may end the life of a node that is away on purpose.
            Some(_) if self.evicted => NodeStanding::Evicted,
            Some(_) if self.pinned => NodeStanding::Pinned,
            Some(_) if now.since(self.heard) >= timing.lost_after => NodeStanding::Silent,
            Some(_) => NodeStanding::Alive,
        }
    }

    /// When it becomes silent, if nothing more is heard.
    pub(crate) fn silent_at(&self, timing: BeatTiming) -> Option<BootTime> {
        (self.incarnation.is_some() && !self.evicted && !self.pinned).then(|| self.heard + timing.lost_after)
    }

    /// Whether it is getting rid of its services: an order does not put one there.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.state, NodeState::Draining | NodeState::Shutting) || self.drain.is_some()
    }

    /// Whether it takes new services of the daemon's own accord.
    pub(crate) fn is_open(&self) -> bool {
        self.state == NodeState::Idle && self.drain.is_none()
    }
}
