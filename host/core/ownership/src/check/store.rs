//! The store of a world: a reading is all of it. A request is applied if its guards hold.

use orchestrate::{SlotState, StoreRevision};

use super::mutation::RuleMutation;
use crate::request::is_broken;
use crate::{
    GuardFinding, NodeReading, OwnershipReading, OwnershipRequest, RequestGuard, RequestOutcome, SentRequest,
    SlotReading,
};

/// Applies a request, or says what its guards found.
pub(super) fn apply(
    store: &mut OwnershipReading,
    sent: &SentRequest,
    mutation: Option<RuleMutation>,
) -> RequestOutcome {
    let guards = sent.guards();
    let findings: Vec<GuardFinding> = guards.iter().map(|guard| find(store, guard)).collect();
    let broken = |(guard, finding)| is_broken(guard, finding) && !is_dropped(sent, guard, mutation);
    if guards.iter().zip(&findings).any(broken) {
        return RequestOutcome::Refused(findings);
    }
    let revision = StoreRevision(store.revision.0 + 1);
    if change(store, sent, revision) {
        store.revision = revision;
    }
    RequestOutcome::Applied(store.revision)
}

fn find(store: &OwnershipReading, guard: &RequestGuard) -> GuardFinding {
    let zero = StoreRevision(0);
    match guard {
        RequestGuard::Generation(_) => GuardFinding::Generation(store.generation),
        RequestGuard::Life(node, _) | RequestGuard::LifeGone(node, _) => {
            GuardFinding::Life(store.nodes.get(node).map_or(zero, |node| node.life))
        }
        RequestGuard::Beat(node, _) => GuardFinding::Beat(store.nodes.get(node).map_or(zero, |node| node.beat)),
        RequestGuard::Slot(slot, _) => GuardFinding::Slot(store.slots.get(slot).cloned()),
    }
}

/// Whether a mutation leaves this guard out.
fn is_dropped(sent: &SentRequest, guard: &RequestGuard, mutation: Option<RuleMutation>) -> bool {
    let own = |node: &model::NodeName| *node == sent.node;
    match (mutation, &sent.request, guard) {
        (Some(RuleMutation::BeatWithoutLife), OwnershipRequest::Beat { .. }, RequestGuard::Life(..)) => true,
        (Some(RuleMutation::PinWithoutChain), OwnershipRequest::Beat { .. }, RequestGuard::Beat(..)) => true,
        (Some(RuleMutation::TakeWithoutLife), OwnershipRequest::Take { .. }, RequestGuard::LifeGone(..)) => true,
        (Some(RuleMutation::ReleaseWithoutToken), OwnershipRequest::Release { .. }, RequestGuard::Slot(..)) => true,
        (Some(RuleMutation::EvictWithoutBeat), OwnershipRequest::Evict { .. }, RequestGuard::Beat(..)) => true,
        (Some(RuleMutation::HandEvictsByLife), OwnershipRequest::Evict { .. }, RequestGuard::Beat(..)) => true,
        (Some(RuleMutation::EvictWithoutOwnLife), OwnershipRequest::Evict { .. }, RequestGuard::Life(node, _)) => {
            own(node)
        }
        (Some(RuleMutation::RegisterWithoutLife), OwnershipRequest::Register { .. }, RequestGuard::Life(..)) => true,
        _ => false,
    }
}

fn change(store: &mut OwnershipReading, sent: &SentRequest, revision: StoreRevision) -> bool {
    match &sent.request {
        OwnershipRequest::Register { boot, members, .. } => {
            let (boot, members) = (boot.clone(), *members);
            let node = NodeReading { life: revision, alive: true, boot, beat: revision, pinned: false, members };
            store.nodes.insert(sent.node.clone(), node);
            true
        }
        OwnershipRequest::Beat { pinned, members, .. } => store.nodes.get_mut(&sent.node).is_some_and(|node| {
            (node.beat, node.pinned, node.members) = (revision, *pinned, *members);
            true
        }),
        OwnershipRequest::Evict { node, .. } => store.nodes.get_mut(node).is_some_and(|node| {
            (node.life, node.alive, node.pinned) = (revision, false, false);
            true
        }),
        OwnershipRequest::Take { slot, .. } => sent.incarnation().is_some_and(|incarnation| {
            let taken = SlotReading { revision, owner: sent.node.clone(), incarnation, state: SlotState::Held };
            store.slots.insert(slot.clone(), taken);
            true
        }),
        OwnershipRequest::Release { slot, state, .. } => store.slots.get_mut(slot).is_some_and(|slot| {
            (slot.revision, slot.state) = (revision, *state);
            true
        }),
    }
}
