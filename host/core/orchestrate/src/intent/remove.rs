//! The goals that remove an object. A tombstone says that it is deleted: nothing else makes a node delete anything, and a node
//! that was away learns it from there.

use model::NodeName;

use super::Intent;
use super::progress::{InstanceProgress, is_gone, once, ready};
use super::provision::unprovisioned;
use super::stop::stop;
use crate::case::ObjectCase;
use crate::{InstanceAction, Reason};

/// Purged: unprovisioned everywhere, then deleted everywhere.
pub(super) fn purged(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName, leader: &NodeName) -> InstanceProgress {
    if case.object.tombstone {
        return deleted(case, intent, node);
    }
    // Done here is done nowhere before the tombstone is there, which the last unprovision makes possible.
    unprovisioned(case, intent, node, leader)
        .then(|| InstanceProgress::Wait(Reason::WaitNonLeader { node: leader.clone() }))
}

/// Whether every instance is unprovisioned, so that the object can be deleted.
pub(crate) fn is_purgeable(case: &ObjectCase<'_>, intent: &Intent, leader: &NodeName) -> bool {
    case.members().iter().all(|node| unprovisioned(case, intent, node, leader) == InstanceProgress::Done)
}

/// Deleted: down, and without configuration and state.
pub(super) fn deleted(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName) -> InstanceProgress {
    // A node whose life has ended deletes it when it comes back.
    if is_gone(case, node) || case.has_nothing(node) {
        return InstanceProgress::Done;
    }
    stop(case, intent, node).then(|| match ready(case, node) {
        Err(progress) => progress,
        Ok(_) => once(intent, node, InstanceAction::Delete, || InstanceProgress::Done)
            .unwrap_or(InstanceProgress::act(InstanceAction::Delete)),
    })
}
