//! The goals of provision and unprovision. What counts is the outcome of the action, not that a status has changed: resources
//! that have nothing to provision, or refuse to be unprovisioned, never change theirs.

use model::NodeName;
use model::status::Provisioned;

use super::Intent;
use super::progress::{InstanceProgress, is_gone, once, ready};
use super::start::start;
use crate::case::ObjectCase;
use crate::dependency::{missing_parents, running_children};
use crate::{InstanceAction, InstanceView, Reason};

/// Provisioned: the leader first, then the others.
pub(super) fn provisioned(
    case: &ObjectCase<'_>,
    intent: &Intent,
    node: &NodeName,
    leader: &NodeName,
) -> InstanceProgress {
    if node == leader {
        return provision(case, intent, node, true);
    }
    match provision(case, intent, leader, true) {
        InstanceProgress::Done => provision(case, intent, node, false),
        stuck @ InstanceProgress::Stuck(_) => stuck,
        _ => InstanceProgress::Wait(Reason::WaitLeader { leader: leader.clone() }),
    }
}

fn provision(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName, leader: bool) -> InstanceProgress {
    let instance = match ready(case, node) {
        Ok(instance) => instance,
        Err(progress) => return progress,
    };
    if let Some(progress) = once(intent, node, InstanceAction::Provision, || InstanceProgress::Done) {
        return progress;
    }
    // A provision ends with a start, also where there is nothing to provision.
    if matches!(provisioned_state(instance), Provisioned::True | Provisioned::Na) {
        return if leader { start(case, intent, node) } else { InstanceProgress::Done };
    }
    // A provision ends with a start, so it waits for what a start waits for.
    match missing_parents(case).filter(|_| leader) {
        Some(reason) => InstanceProgress::Wait(reason),
        None => InstanceProgress::Act { action: InstanceAction::Provision, leader },
    }
}

/// Unprovisioned: the others first, then the leader, which alone destroys what they share.
pub(super) fn unprovisioned(
    case: &ObjectCase<'_>,
    intent: &Intent,
    node: &NodeName,
    leader: &NodeName,
) -> InstanceProgress {
    if node != leader {
        return unprovision(case, intent, node, false);
    }
    for other in case.members().into_iter().filter(|member| *member != leader) {
        match unprovision(case, intent, other, false) {
            InstanceProgress::Done => {}
            stuck @ InstanceProgress::Stuck(_) => return stuck,
            _ => return InstanceProgress::Wait(Reason::WaitNonLeader { node: other.clone() }),
        }
    }
    unprovision(case, intent, node, true)
}

fn unprovision(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName, leader: bool) -> InstanceProgress {
    if is_gone(case, node) || case.has_nothing(node) {
        return InstanceProgress::Done;
    }
    let instance = match ready(case, node) {
        Ok(instance) => instance,
        Err(progress) => return progress,
    };
    if let Some(progress) = once(intent, node, InstanceAction::Unprovision, || InstanceProgress::Done) {
        return progress;
    }
    let down = instance.fresh_status().is_some_and(|status| status.is_down());
    if down && matches!(provisioned_state(instance), Provisioned::False | Provisioned::Na) {
        return InstanceProgress::Done;
    }
    match running_children(case).filter(|_| !down) {
        Some(reason) => InstanceProgress::Wait(reason),
        None => InstanceProgress::Act { action: InstanceAction::Unprovision, leader },
    }
}

fn provisioned_state(instance: &InstanceView) -> Provisioned {
    instance.fresh_status().map_or(Provisioned::Undef, |status| status.sums.provisioned)
}
