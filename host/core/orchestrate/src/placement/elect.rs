//! Which nodes run the object, and how one of them gets its slot. A place is never more than a wish: only a slot that a
//! transaction gave lets an instance start.

use model::NodeName;

use super::{obstacle, ranked};
use crate::case::ObjectCase;
use crate::{FenceState, FencingToken, NodeStanding, Reason, SlotStanding, SlotStep, SlotView, Step};

/// The nodes that run the object or may: they hold a slot, or their status says so.
pub(crate) fn occupied<'a>(case: &ObjectCase<'a>) -> Vec<&'a NodeName> {
    let is_gone = |node: &NodeName| matches!(case.standing(node), NodeStanding::Evicted | NodeStanding::Absent);
    let runs = case.object.instances.iter().filter(|(node, instance)| instance.may_run() && !is_gone(node));
    let holders = case.object.slots.iter().filter_map(|slot| holder(case, slot));
    // Few of many nodes: the others are not sorted, and no node is looked up for them.
    case.members_among(runs.map(|(node, _)| node).chain(holders).collect())
}

fn holder<'a>(case: &ObjectCase<'a>, slot: &'a SlotView) -> Option<&'a NodeName> {
    match slot.standing(case.me, case.view.nodes()) {
        SlotStanding::Own(_) | SlotStanding::Unconfirmed(_) => Some(case.me),
        SlotStanding::Foreign(owner) | SlotStanding::Blocked(owner) => Some(owner),
        SlotStanding::Free | SlotStanding::Orphan(_) => None,
    }
}

/// The nodes that shall run the object: those that do, as [`occupied`] says, and as many of the best others as are missing.
pub(crate) fn chosen<'a>(case: &ObjectCase<'a>, occupied: Vec<&'a NodeName>) -> Vec<&'a NodeName> {
    let mut chosen = occupied;
    let missing = case.rules.wanted().saturating_sub(chosen.len());
    if missing == 0 {
        return chosen;
    }
    let free = |node: &&NodeName| !chosen.contains(node) && obstacle(case, node).is_none();
    let candidates: Vec<&NodeName> = ranked(case).into_iter().filter(free).take(missing).collect();
    chosen.extend(candidates);
    chosen
}

/// Whether the slot is there.
pub(crate) enum SlotAccess {
    /// It is, or none is needed.
    Open(Option<FencingToken>),
    /// This must be done first.
    After(Step),
    /// It cannot be had now.
    Closed(Reason),
}

/// What a node must do to have a slot of the object. `position` keeps several nodes from running for the same one.
pub(crate) fn acquire_slot(case: &ObjectCase<'_>, position: usize) -> SlotAccess {
    if !case.rules.has_slots() {
        return SlotAccess::Open(None);
    }
    // Whatever its index is: an instance needs one, and a second one would be another node's.
    for slot in &case.object.slots {
        match slot.standing(case.me, case.view.nodes()) {
            SlotStanding::Own(token) => return SlotAccess::Open(Some(token)),
            SlotStanding::Unconfirmed(token) => {
                let (index, seen) = (slot.index, token.revision);
                return SlotAccess::After(Step::Slot(SlotStep::Reassert { index, seen }));
            }
            _ => {}
        }
    }
    let slot_of = |index: usize| case.object.slots.iter().find(|slot| slot.index == index);
    let standing_of = |index| slot_of(index).map(|slot| slot.standing(case.me, case.view.nodes()));
    let is_free =
        |index: &usize| matches!(standing_of(*index), None | Some(SlotStanding::Free | SlotStanding::Orphan(_)));
    let free: Vec<usize> = (0..case.rules.wanted()).filter(is_free).collect();
    // With fewer free slots than nodes that try, the transaction decides.
    let Some(&index) = free.get(position).or(free.first()) else { return SlotAccess::Closed(taken(case)) };
    match standing_of(index) {
        Some(SlotStanding::Orphan(owner)) if needs_fence(case, owner) => fence(case, owner),
        _ => SlotAccess::After(Step::Slot(SlotStep::Take { index, seen: slot_of(index).map(|slot| slot.revision) })),
    }
}

/// Whether the death of an owner is still to be proven. One that registered again has shown that its former life is over.
fn needs_fence(case: &ObjectCase<'_>, owner: &NodeName) -> bool {
    let proven = case.view.nodes().get(owner).is_some_and(|node| node.fence == FenceState::Proof);
    case.rules.fence && case.standing(owner) == NodeStanding::Evicted && !proven
}

/// What is not proven lets nobody start, also under an order, and whatever the last status said.
fn fence(case: &ObjectCase<'_>, owner: &NodeName) -> SlotAccess {
    let node = owner.clone();
    match case.view.nodes().get(owner).map(|node| node.fence) {
        Some(FenceState::Running) => SlotAccess::Closed(Reason::Fencing { node }),
        Some(FenceState::Failure) => SlotAccess::Closed(Reason::FenceFailed { node }),
        _ => SlotAccess::After(Step::Fence { node }),
    }
}

fn taken(case: &ObjectCase<'_>) -> Reason {
    let mut reasons = case.object.slots.iter().filter_map(|slot| match slot.standing(case.me, case.view.nodes()) {
        SlotStanding::Blocked(owner) => Some(Reason::SlotBlocked { owner: owner.clone() }),
        SlotStanding::Foreign(owner) => Some(Reason::SlotHeld { owner: owner.clone() }),
        _ => None,
    });
    reasons.next().unwrap_or(Reason::NoCandidate)
}
