//! Requests to the store: each with all that it compares, in one place.

use model::NodeName;
use orchestrate::{BootTime, FencingToken, NodeIncarnation, SlotState, StoreRevision};

use crate::{Generation, SlotName, SlotReading};

/// A transaction, and what its sender knew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SentRequest {
    pub request: OwnershipRequest,
    pub generation: Generation,
    pub node: NodeName,
    /// The sender's life. None: it registers.
    pub life: Option<StoreRevision>,
    /// When it was sent. A deadline counts from here, whenever the answer comes.
    pub sent: BootTime,
}

/// What a node asks of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OwnershipRequest {
    /// Begins a life, and a chain of beats: both keys get the revision.
    Register {
        seen: StoreRevision,
        boot: String,
        members: StoreRevision,
    },
    Beat {
        previous: StoreRevision,
        pinned: bool,
        members: StoreRevision,
    },
    /// Ends the life of another node. Without a beat it rests on a fence, or on a person who looked: only the life is compared.
    Evict {
        node: NodeName,
        life: StoreRevision,
        beat: Option<StoreRevision>,
    },
    /// Takes a slot. `gone` is the owner whose life must have ended; without one, the slot is released, this node's own, or of an
    /// earlier generation, and `seen` says it all.
    Take {
        slot: SlotName,
        seen: StoreRevision,
        gone: Option<(NodeName, StoreRevision)>,
    },
    /// Gives a slot up, or says that something of it could not be removed.
    Release {
        slot: SlotName,
        token: FencingToken,
        state: SlotState,
    },
}

/// Something that must hold when the request is applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestGuard {
    /// The generation has this value. Its revision could be the same in a restored store.
    Generation(Generation),
    /// The node's life has this revision, 0 if it never registered.
    Life(NodeName, StoreRevision),
    /// The node's life has another revision.
    LifeGone(NodeName, StoreRevision),
    /// The node's beat has this revision.
    Beat(NodeName, StoreRevision),
    /// The slot has this revision, 0 if it was never taken.
    Slot(SlotName, StoreRevision),
}

/// What a guard of a refused request found, for each guard in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GuardFinding {
    Generation(Generation),
    Life(StoreRevision),
    Beat(StoreRevision),
    Slot(Option<SlotReading>),
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RequestOutcome {
    Applied(StoreRevision),
    /// It was not applied, and never will be.
    Refused(Vec<GuardFinding>),
    /// It may be applied, now or at any later time.
    Unknown,
}

impl SentRequest {
    /// All that must hold. Compares are on revisions; the generation alone is compared by its value.
    pub fn guards(&self) -> Vec<RequestGuard> {
        let mut guards = vec![RequestGuard::Generation(self.generation)];
        if let Some(life) = self.life {
            // A request of a life that has ended must change nothing, whenever it is applied.
            guards.push(RequestGuard::Life(self.node.clone(), life));
        }
        match &self.request {
            OwnershipRequest::Register { seen, .. } => guards.push(RequestGuard::Life(self.node.clone(), *seen)),
            OwnershipRequest::Beat { previous, .. } => guards.push(RequestGuard::Beat(self.node.clone(), *previous)),
            OwnershipRequest::Evict { node, life, beat } => {
                guards.push(RequestGuard::Life(node.clone(), *life));
                guards.extend(beat.map(|beat| RequestGuard::Beat(node.clone(), beat)));
            }
            OwnershipRequest::Take { slot, seen, gone } => {
                guards.push(RequestGuard::Slot(slot.clone(), *seen));
                guards.extend(gone.clone().map(|(node, life)| RequestGuard::LifeGone(node, life)));
            }
            OwnershipRequest::Release { slot, token, .. } => {
                guards.push(RequestGuard::Slot(slot.clone(), token.revision));
            }
        }
        guards
    }

    /// The sender's life as it stands in a slot.
    pub fn incarnation(&self) -> Option<NodeIncarnation> {
        self.life.map(|revision| NodeIncarnation { generation: self.generation.number, revision })
    }
}

/// Whether a refusal found a guard broken.
pub(crate) fn is_broken(guard: &RequestGuard, finding: &GuardFinding) -> bool {
    match (guard, finding) {
        (RequestGuard::Generation(expected), GuardFinding::Generation(found)) => expected != found,
        (RequestGuard::Life(_, expected), GuardFinding::Life(found))
        | (RequestGuard::Beat(_, expected), GuardFinding::Beat(found)) => expected != found,
        (RequestGuard::LifeGone(_, life), GuardFinding::Life(found)) => life == found,
        (RequestGuard::Slot(_, expected), GuardFinding::Slot(found)) => {
            *expected != found.as_ref().map_or(StoreRevision(0), |slot| slot.revision)
        }
        // Findings that do not belong to their guards say nothing that may be relied on.
        _ => true,
    }
}
