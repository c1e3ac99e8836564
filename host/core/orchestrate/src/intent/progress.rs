//! How far an instance is on the way to an intent's goal. The same function tells a node what it has to do, and every node what
//! the others still have to.

use model::NodeName;

use super::{ActionAttempt, Intent, IntentGoal, IntentOutcome, provision, remove, start, stop};
use crate::case::ObjectCase;
use crate::{BootPhase, ConfigState, InstanceAction, InstanceView, NodeStanding, Reason};

/// How far an instance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceProgress {
    /// The goal asks no more of it.
    Done,
    /// It acts next.
    Act { action: InstanceAction, leader: bool },
    /// It waits for something that can still come.
    Wait(Reason),
    /// It cannot go on.
    Stuck(Reason),
}

impl InstanceProgress {
    pub(super) fn act(action: InstanceAction) -> InstanceProgress {
        InstanceProgress::Act { action, leader: false }
    }

    /// Goes on with `next` where this is done.
    pub(super) fn then(self, next: impl FnOnce() -> InstanceProgress) -> InstanceProgress {
        if self == InstanceProgress::Done { next() } else { self }
    }
}

/// How far the instance on `node` is.
pub(crate) fn progress(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName) -> InstanceProgress {
    match &intent.goal {
        IntentGoal::Started { order, count } => start::started(case, intent, node, order, *count),
        IntentGoal::Stopped => stop::stopped(case, intent, node),
        IntentGoal::Restarted { order } => start::restarted(case, intent, node, order),
        IntentGoal::Placed { on } => start::placed(case, intent, node, on),
        IntentGoal::Provisioned { leader } => provision::provisioned(case, intent, node, leader),
        IntentGoal::Unprovisioned { leader } => provision::unprovisioned(case, intent, node, leader),
        IntentGoal::Purged { leader } => remove::purged(case, intent, node, leader),
        IntentGoal::Deleted => remove::deleted(case, intent, node),
    }
}

/// Whether the goal wants the instance up in the end.
pub(crate) fn wants_up(goal: &IntentGoal, node: &NodeName) -> bool {
    match goal {
        IntentGoal::Started { order, .. } | IntentGoal::Restarted { order } => order.contains(node),
        IntentGoal::Placed { on } => on.contains(node),
        IntentGoal::Provisioned { leader } => leader == node,
        _ => false,
    }
}

/// How the intent ends, if it does: when no instance acts or waits any more, or when its time is up.
pub(crate) fn intent_outcome(case: &ObjectCase<'_>, intent: &Intent) -> Option<IntentOutcome> {
    let nodes = case.members();
    let reports: Vec<InstanceProgress> = nodes.iter().map(|node| progress(case, intent, node)).collect();
    let open = reports.iter().any(|report| matches!(report, InstanceProgress::Act { .. } | InstanceProgress::Wait(_)));
    let mut reasons = reports.into_iter().filter_map(|report| match report {
        InstanceProgress::Wait(reason) | InstanceProgress::Stuck(reason) => Some(reason),
        _ => None,
    });
    // Only when none acts or waits: an instance that is stuck must not end the order while another one is in the
    // middle of its action.
    if !open {
        return Some(reasons.next().map_or(IntentOutcome::Done, IntentOutcome::Failure));
    }
    (case.now >= intent.expires).then(|| IntentOutcome::Expiry(reasons.collect()))
}

/// What every step of an instance needs: a node that is there, a configuration, no other action, a status.
pub(super) fn ready<'a>(case: &ObjectCase<'a>, node: &NodeName) -> Result<&'a InstanceView, InstanceProgress> {
    let instance = attached(case, node)?;
    let wait = |reason| Err(InstanceProgress::Wait(reason));
    if let Some(running) = &instance.running {
        return wait(Reason::ActionRunning { node: node.clone(), action: running.action });
    }
    if instance.record.boot == BootPhase::Due {
        return match &instance.failure {
            Some(failure) if failure.action == InstanceAction::Boot => Err(InstanceProgress::Stuck(Reason::Failure {
                node: node.clone(),
                action: failure.action,
                text: failure.text.clone(),
            })),
            _ => wait(Reason::NotBooted { node: node.clone() }),
        };
    }
    match instance.fresh_status() {
        None => wait(Reason::StatusUnknown { node: node.clone() }),
        Some(_) => Ok(instance),
    }
}

/// The instance on a node that is there.
pub(super) fn attached<'a>(case: &ObjectCase<'a>, node: &NodeName) -> Result<&'a InstanceView, InstanceProgress> {
    let away = |standing| Reason::NodeAway { node: node.clone(), standing };
    match case.standing(node) {
        NodeStanding::Alive => {}
        // Its life has ended, and what it ran with it.
        standing @ (NodeStanding::Evicted | NodeStanding::Absent) => {
            return Err(InstanceProgress::Stuck(away(standing)));
        }
        standing => return Err(InstanceProgress::Wait(away(standing))),
    }
    match case.object.instances.get(node) {
        None | Some(InstanceView { config: ConfigState::Missing, .. }) => {
            Err(InstanceProgress::Wait(Reason::ConfigMissing { node: node.clone() }))
        }
        Some(instance) => Ok(instance),
    }
}

/// Whether a node's life has ended, so that nothing of the object can run there.
pub(super) fn is_gone(case: &ObjectCase<'_>, node: &NodeName) -> bool {
    matches!(case.standing(node), NodeStanding::Evicted | NodeStanding::Absent)
}

/// Judges the attempt of an action that has not reached its state: it is made once.
pub(super) fn once(
    intent: &Intent,
    node: &NodeName,
    action: InstanceAction,
    reached: impl FnOnce() -> InstanceProgress,
) -> Option<InstanceProgress> {
    match intent.attempt(node, action) {
        ActionAttempt::Untried => None,
        ActionAttempt::Success => Some(reached()),
        ActionAttempt::Failure(text) => {
            let reason = Reason::Failure { node: node.clone(), action, text: text.to_owned() };
            Some(InstanceProgress::Stuck(reason))
        }
    }
}
