//! What the daemon does next: steps, each with the guard that its commit needs.

use model::NodeName;

use crate::{ActionStep, BootTime, FencingToken, IntentId, IntentOutcome, MonitorAction, Reason, StoreRevision};

/// Something to do for one object on this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An action of the agent.
    Act(ActionStep),
    /// A change of a slot.
    Slot(SlotStep),
    /// Proof of a lost node's death.
    Fence { node: NodeName },
    /// The boot is over for this instance.
    EndBoot,
    /// The command before the first monitor action. The episode is noted first, so it runs once.
    PrepareMonitor,
    /// A monitor action on the node itself. The episode is noted first, so it is done once.
    Monitor(MonitorAction),
    /// The tombstone of an object that is purged, if its intent is still the present one.
    Bury { id: IntentId },
    /// The outcome of an intent, if it is still the present one and has none.
    Settle { id: IntentId, outcome: IntentOutcome },
}

/// A change of a slot. Each compares the slot's revision, this node's own incarnation and the store's generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotStep {
    /// If the slot is as seen, and free or of an owner whose life has ended. None: it was never taken.
    Take { index: usize, seen: Option<StoreRevision> },
    /// Takes what is this node's own already, for a new token: needed before a slot counts that was only read.
    Reassert { index: usize, seen: StoreRevision },
    /// Gives it up after a proven stop. The token is dead from the moment when this is sent.
    Release { index: usize, token: FencingToken },
}

/// What is decided about an object: the next steps, why there are no others, and when to decide again if nothing changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    pub steps: Vec<Step>,
    pub reasons: Vec<Reason>,
    pub wake_at: Option<BootTime>,
}

impl Decision {
    /// The action among the steps. There is one at most.
    pub fn action(&self) -> Option<&ActionStep> {
        self.steps.iter().find_map(|step| match step {
            Step::Act(action) => Some(action),
            _ => None,
        })
    }
}
