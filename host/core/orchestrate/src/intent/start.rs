//! The goals that want instances up.

use model::NodeName;
use model::object::Topology;
use model::status::{Provisioned, State};

use super::progress::{InstanceProgress, once, ready};
use super::stop::stop;
use super::{ActionAttempt, Intent};
use crate::case::ObjectCase;
use crate::dependency::missing_parents;
use crate::{ConfigState, InstanceAction, InstanceView, Reason};

/// Started: the first nodes of the order that can, as many as wanted. The others need not.
pub(super) fn started(
    case: &ObjectCase<'_>,
    intent: &Intent,
    node: &NodeName,
    order: &[NodeName],
    count: usize,
) -> InstanceProgress {
    let able = order.iter().map(|candidate| (candidate, start(case, intent, candidate)));
    let chosen: Vec<_> = able.filter(|(_, progress)| !matches!(progress, InstanceProgress::Stuck(_))).collect();
    if let Some((_, progress)) = chosen.iter().take(count).find(|(candidate, _)| *candidate == node) {
        return progress.clone();
    }
    // A node that cannot is a failure only if no other has taken its place.
    if chosen.len() < count && order.contains(node) { start(case, intent, node) } else { InstanceProgress::Done }
}

/// Restarted: each node stops and starts when those before it have.
pub(super) fn restarted(
    case: &ObjectCase<'_>,
    intent: &Intent,
    node: &NodeName,
    order: &[NodeName],
) -> InstanceProgress {
    let Some(position) = order.iter().position(|candidate| candidate == node) else { return InstanceProgress::Done };
    for prior in &order[..position] {
        match restart(case, intent, prior) {
            InstanceProgress::Done => {}
            // The rest keeps running what it has.
            stuck @ InstanceProgress::Stuck(_) => return stuck,
            _ => return InstanceProgress::Wait(Reason::WaitPrior { node: prior.clone() }),
        }
    }
    restart(case, intent, node)
}

fn restart(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName) -> InstanceProgress {
    // What was down when its turn came is not stopped after its start.
    if intent.attempt(node, InstanceAction::Start) != ActionAttempt::Untried {
        return start(case, intent, node);
    }
    let stopped = once(intent, node, InstanceAction::Stop, || InstanceProgress::Done);
    stopped.unwrap_or_else(|| stop(case, intent, node)).then(|| start(case, intent, node))
}

/// Placed: down on the other nodes, then up on these.
pub(super) fn placed(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName, on: &[NodeName]) -> InstanceProgress {
    if !on.contains(node) {
        return stop(case, intent, node);
    }
    // Of a flex object the new instances may run beside the old ones, so the service has no gap.
    if case.rules.topology == Topology::Failover {
        for source in case.members().into_iter().filter(|member| !on.contains(member)) {
            match stop(case, intent, source) {
                InstanceProgress::Done => {}
                stuck @ InstanceProgress::Stuck(_) => return stuck,
                _ => return InstanceProgress::Wait(Reason::WaitSource { node: source.clone() }),
            }
        }
    }
    start(case, intent, node)
}

/// One instance up.
pub(super) fn start(case: &ObjectCase<'_>, intent: &Intent, node: &NodeName) -> InstanceProgress {
    let instance = match ready(case, node) {
        Ok(instance) => instance,
        Err(progress) => return progress,
    };
    let state = instance.avail();
    if matches!(state, Some(State::Up | State::Na)) {
        return InstanceProgress::Done;
    }
    let reached = || match state {
        None => InstanceProgress::Wait(Reason::StatusUnknown { node: node.clone() }),
        Some(state) => {
            InstanceProgress::Stuck(Reason::EndedAs { node: node.clone(), action: InstanceAction::Start, state })
        }
    };
    once(intent, node, InstanceAction::Start, reached).unwrap_or_else(|| may_start(case, node, instance))
}

fn may_start(case: &ObjectCase<'_>, node: &NodeName, instance: &InstanceView) -> InstanceProgress {
    let stuck = InstanceProgress::Stuck;
    if case.rules.disable {
        return stuck(Reason::Disabled);
    }
    if case.view.nodes().get(node).is_some_and(|node| node.is_leaving()) {
        return stuck(Reason::NodeClosed { node: node.clone() });
    }
    if let ConfigState::Broken { problem, .. } = &instance.config {
        return stuck(Reason::ConfigBroken { node: node.clone(), problem: problem.clone() });
    }
    let provisioned = instance.fresh_status().map(|status| status.sums.provisioned);
    // Of one that is provisioned in part, such as a file system whose device is not there, the action itself says what is missing.
    if provisioned == Some(Provisioned::False) {
        return stuck(Reason::NotProvisioned { node: node.clone() });
    }
    match missing_parents(case) {
        Some(reason) => InstanceProgress::Wait(reason),
        None => InstanceProgress::act(InstanceAction::Start),
    }
}
