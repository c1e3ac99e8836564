//! A world: the store, the nodes, and the requests under way.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use model::NodeName;
use orchestrate::{BootTime, FencingToken};

use super::bounds::WorldBounds;
use crate::{
    FailsafeQuestion, NodeMemory, Ownership, OwnershipEffect, OwnershipReading, OwnershipTiming, RequestOutcome,
    SentRequest, SlotName,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: BootTime,
    pub(super) store: OwnershipReading,
    /// A copy that may be restored.
    pub(super) copy: Option<OwnershipReading>,
    pub(super) nodes: Vec<WorldNode>,
    pub(super) messages: Vec<WorldMessage>,
    /// The last token, which the next one must exceed.
    pub(super) last_token: FencingToken,
    pub(super) spent: SpentFaults,
}

/// What has happened already, of what may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct SpentFaults {
    pub(super) crashes: u8,
    pub(super) reboots: u8,
    pub(super) pins: u8,
    pub(super) hands: u8,
    pub(super) restored: bool,
}

/// A node: what a crash of the daemon leaves, and the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct WorldNode {
    pub(super) name: NodeName,
    pub(super) boot: u8,
    pub(super) memory: NodeMemory,
    pub(super) daemon: Option<Ownership>,
    /// Something runs in the slot.
    pub(super) running: bool,
    /// Until when the keeper lets it run.
    pub(super) until: BootTime,
    /// Its addresses have no end: it was pinned.
    pub(super) unlimited: bool,
    /// Of a round of questions, who has said yes.
    pub(super) question: Option<FailsafeQuestion>,
}

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct WorldMessage {
    pub(super) sent: SentRequest,
    pub(super) from: usize,
    /// Whether the process that sent it still waits.
    pub(super) awaited: bool,
    pub(super) outcome: Option<RequestOutcome>,
}

/// The slot that all is about.
pub(super) fn slot() -> SlotName {
    static SLOT: LazyLock<SlotName> = LazyLock::new(|| SlotName { path: "web".parse().unwrap(), index: 0 });
    SLOT.clone()
}

pub(super) fn ticks(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl WorldNode {
    pub(super) fn is_active(&self, now: BootTime) -> bool {
        self.running && (self.unlimited || now < self.until)
    }

    /// The daemon does what its state says.
    pub(super) fn obey(&mut self, effects: &[OwnershipEffect]) {
        let Some(daemon) = self.daemon.as_mut() else { return };
        for effect in effects {
            match effect {
                OwnershipEffect::Keep => {}
                OwnershipEffect::Extend { sent, validity, .. } if self.running => {
                    self.until = self.until.max(*sent + *validity);
                }
                OwnershipEffect::Extend { .. } => {}
                OwnershipEffect::Cut { slot } => {
                    daemon.stopped(slot);
                    (self.running, self.unlimited, self.until) = (false, false, BootTime::BOOT);
                }
                OwnershipEffect::PinHolds => self.unlimited = true,
                // A step of its own (`pins`), as the daemon may crash before.
                OwnershipEffect::EndPin => {}
            }
        }
        self.memory = daemon.memory().clone();
    }

    /// Whatever it was, the daemon is gone. `memory` stays, and what runs.
    pub(super) fn crash(&mut self) {
        self.daemon = None;
        self.question = None;
    }

    pub(super) fn start(&mut self, bounds: &WorldBounds) {
        let running = self.running.then(slot);
        let boot = self.boot.to_string();
        self.daemon = Some(Ownership::new(self.name.clone(), boot, timing(bounds), self.memory.clone(), running));
    }
}

pub(super) fn timing(bounds: &WorldBounds) -> OwnershipTiming {
    use super::mutation::RuleMutation::{FastClock, NoPatience};
    let more = u64::from(bounds.mutation == Some(FastClock));
    // All nodes share one clock here, so nothing is added for clocks that differ.
    let patience = if bounds.mutation == Some(NoPatience) { 0 } else { bounds.ticks };
    OwnershipTiming { validity: ticks(bounds.ticks + more), patience: ticks(patience) }
}

impl World {
    /// All nodes, as they are asked for promises.
    pub(super) fn configured(&self) -> BTreeSet<NodeName> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// What must never be.
    pub(super) fn violation(&self) -> Option<&'static str> {
        let active = self.nodes.iter().filter(|node| node.is_active(self.now)).count();
        (active > 1).then_some("two nodes run the slot")
    }
}
