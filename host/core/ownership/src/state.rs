//! The state of one process of the daemon, and what an answer does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::NodeName;
use orchestrate::{BootTime, FencingToken, NodeIncarnation, StoreRevision};

use crate::beat::BeatChain;
use crate::peer::PeerWatch;
use crate::promise::{FailsafeRound, GivenPromise};
use crate::request::is_broken;
use crate::slot::SlotClaim;
use crate::{
    Generation, GuardFinding, NodeMemory, OwnershipEffect, OwnershipReading, OwnershipRequest, RequestGuard,
    RequestOutcome, SentRequest, SlotName,
};

/// The times of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnershipTiming {
    /// How long an acknowledged beat is good for, counted from when it was sent: T − M.
    pub validity: Duration,
    /// How long a life must be silent before it may be ended, counted from the arrival of the answer: T × 1.01.
    pub patience: Duration,
}

/// What one process of the daemon knows of who may run what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ownership {
    pub(crate) me: NodeName,
    pub(crate) boot: String,
    pub(crate) timing: OwnershipTiming,
    pub(crate) memory: NodeMemory,
    /// The last reading, with what refusals have shown since.
    pub(crate) reading: Option<OwnershipReading>,
    /// The highest revision of this generation that anything showed.
    pub(crate) seen: StoreRevision,
    /// This node's life, in the present generation.
    pub(crate) life: Option<StoreRevision>,
    /// A registration is under way.
    pub(crate) registering: bool,
    pub(crate) chain: BeatChain,
    pub(crate) claims: BTreeMap<SlotName, SlotClaim>,
    /// The greatest token of each slot that was given up. Nothing that is not greater counts any more.
    pub(crate) given_up: BTreeMap<SlotName, FencingToken>,
    /// What runs here, also what a former process started.
    pub(crate) running: BTreeSet<SlotName>,
    pub(crate) peers: BTreeMap<NodeName, PeerWatch>,
    pub(crate) promises: BTreeMap<NodeName, GivenPromise>,
    pub(crate) round: Option<FailsafeRound>,
    /// Until then, what this node does not run is not taken: nodes that have not seen this generation may still run it.
    pub(crate) quarantine: Option<BootTime>,
    /// The revision of the list of nodes, and that of the first list with this node in it.
    pub(crate) members: StoreRevision,
    pub(crate) member_since: StoreRevision,
}

impl Ownership {
    /// The state of a process that begins. `running` is what runs here already, as the keeper and the agent say.
    pub fn new(
        me: NodeName,
        boot: String,
        timing: OwnershipTiming,
        memory: NodeMemory,
        running: impl IntoIterator<Item = SlotName>,
    ) -> Self {
        Self {
            life: memory.boot.life,
            me,
            boot,
            timing,
            memory,
            reading: None,
            seen: StoreRevision(0),
            registering: false,
            chain: BeatChain::default(),
            claims: BTreeMap::new(),
            given_up: BTreeMap::new(),
            running: running.into_iter().collect(),
            peers: BTreeMap::new(),
            promises: BTreeMap::new(),
            round: None,
            quarantine: None,
            members: StoreRevision(0),
            member_since: StoreRevision(0),
        }
    }

    /// The list of nodes that are asked for promises, by its revision, and the first one that had this node.
    pub fn set_members(&mut self, members: StoreRevision, member_since: StoreRevision) {
        (self.members, self.member_since) = (members, member_since);
    }

    /// What must be kept.
    pub fn memory(&self) -> &NodeMemory {
        &self.memory
    }

    /// This node's life, if it has one.
    pub fn incarnation(&self) -> Option<NodeIncarnation> {
        let generation = self.generation()?.number;
        self.life.map(|revision| NodeIncarnation { generation, revision })
    }

    /// The caller has begun to run something in a slot, see [`Ownership::may_start`].
    pub fn started(&mut self, slot: SlotName) {
        self.running.insert(slot);
    }

    /// What runs here, or may.
    pub fn running(&self) -> impl Iterator<Item = &SlotName> {
        self.running.iter()
    }

    /// The slots that read as this life's own, and that this process has not confirmed: to be asserted again or given up.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &SlotName> {
        let slots = self.reading.iter().flat_map(|reading| reading.slots.keys());
        slots.filter(|slot| self.reads_as_own(slot) && !self.is_confirmed(slot))
    }

    /// What runs here since an earlier generation, in slots that no node has taken in this one: to be taken again, before what
    /// runs in them has reached its old deadline.
    pub fn reclaimable(&self, now: BootTime) -> impl Iterator<Item = &SlotName> {
        let may = self.life.is_some() && self.is_quarantined(now);
        self.running.iter().filter(move |slot| may && !self.is_confirmed(slot) && self.is_unclaimed(slot))
    }

    /// Nothing of the slot is left on this node, which was proven.
    pub fn stopped(&mut self, slot: &SlotName) {
        self.running.remove(slot);
    }

    pub(crate) fn generation(&self) -> Option<Generation> {
        self.memory.generation
    }

    /// A request of this life.
    pub(crate) fn sent(&self, request: OwnershipRequest, now: BootTime) -> Option<SentRequest> {
        Some(SentRequest {
            request,
            generation: self.generation()?,
            node: self.me.clone(),
            life: Some(self.life?),
            sent: now,
        })
    }

    /// Learns what became of a request that this process sent.
    pub fn answer(&mut self, sent: &SentRequest, outcome: &RequestOutcome, now: BootTime) -> Vec<OwnershipEffect> {
        // An answer counts for the life and the generation that sent it, and for no other.
        if self.generation() != Some(sent.generation) || sent.life != self.life {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if let RequestOutcome::Applied(revision) = outcome {
            self.seen = self.seen.max(*revision);
        }
        if let RequestOutcome::Refused(findings) = outcome
            && self.has_ended(sent, findings, now, &mut effects)
        {
            return effects;
        }
        match &sent.request {
            OwnershipRequest::Register { .. } => self.registered(outcome, &mut effects),
            OwnershipRequest::Beat { .. } => self.beaten(sent, outcome, now, &mut effects),
            OwnershipRequest::Evict { node, .. } => self.evicted(node),
            OwnershipRequest::Take { slot, .. } => self.taken(slot, sent, outcome, &mut effects),
            OwnershipRequest::Release { slot, token, .. } => self.released(slot, *token, sent, outcome),
        }
        effects
    }

    /// Whether a refusal says that the generation or this life is over.
    fn has_ended(
        &mut self,
        sent: &SentRequest,
        findings: &[GuardFinding],
        now: BootTime,
        effects: &mut Vec<OwnershipEffect>,
    ) -> bool {
        for (guard, finding) in sent.guards().iter().zip(findings) {
            if !is_broken(guard, finding) {
                continue;
            }
            match guard {
                RequestGuard::Generation(_) => {
                    // A lower one is that of an engine of before: it refuses, and nothing follows from it.
                    if let GuardFinding::Generation(found) = finding
                        && found.number >= sent.generation.number
                    {
                        self.begin_generation(*found, now, effects);
                    }
                    return true;
                }
                RequestGuard::Life(node, _) if *node == self.me && sent.life.is_some() => {
                    self.lose_life(effects);
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// What a refusal found of the slot that it compared.
    pub(crate) fn note_slot(&mut self, slot: &SlotName, sent: &SentRequest, findings: &[GuardFinding]) {
        let guards = sent.guards();
        let found = guards.iter().zip(findings).find_map(|(guard, finding)| match (guard, finding) {
            (RequestGuard::Slot(..), GuardFinding::Slot(found)) => Some(found.clone()),
            _ => None,
        });
        let (Some(found), Some(reading)) = (found, self.reading.as_mut()) else { return };
        match found {
            Some(found) => {
                self.seen = self.seen.max(found.revision);
                reading.slots.insert(slot.clone(), found);
            }
            None => {
                reading.slots.remove(slot);
            }
        }
    }
}
