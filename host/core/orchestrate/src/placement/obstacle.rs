//! What keeps a node from running an instance.

use model::NodeName;
use model::status::Provisioned;

use crate::affinity::forbidden;
use crate::case::ObjectCase;
use crate::{BootPhase, ConfigState, InstanceView, MonitorEpisode, NodeStanding, Reason};

/// Why a node does not start the object of its own accord. None: it may.
pub(crate) fn obstacle(case: &ObjectCase<'_>, node: &NodeName) -> Option<Reason> {
    of_node(case, node).or_else(|| of_instance(case, node)).or_else(|| forbidden(case, node))
}

/// Whether a node can follow an order to run the object.
pub(crate) fn can_act(case: &ObjectCase<'_>, node: &NodeName) -> bool {
    let leaving = case.view.nodes().get(node).is_none_or(|node| node.is_leaving());
    let broken = case.object.instances.get(node).is_some_and(|own| matches!(own.config, ConfigState::Broken { .. }));
    // A freeze is none: an order may do what it forbids to the daemon.
    case.standing(node) == NodeStanding::Alive && !leaving && !broken && forbidden(case, node).is_none()
}

fn of_node(case: &ObjectCase<'_>, name: &NodeName) -> Option<Reason> {
    let standing = case.standing(name);
    if standing != NodeStanding::Alive {
        return Some(Reason::NodeAway { node: name.clone(), standing });
    }
    let node = &case.view.nodes()[name];
    if !node.is_open() {
        return Some(Reason::NodeClosed { node: name.clone() });
    }
    if node.frozen {
        return Some(Reason::NodeFrozen);
    }
    node.maintenance.filter(|until| *until > case.now).map(|until| Reason::Maintenance { until })
}

fn of_instance(case: &ObjectCase<'_>, node: &NodeName) -> Option<Reason> {
    let missing = || Some(Reason::ConfigMissing { node: node.clone() });
    let Some(instance) = case.object.instances.get(node) else { return missing() };
    match &instance.config {
        ConfigState::Missing => return missing(),
        ConfigState::Broken { problem, .. } => {
            return Some(Reason::ConfigBroken { node: node.clone(), problem: problem.clone() });
        }
        ConfigState::Loaded(_) => {}
    }
    if instance.frozen {
        return Some(Reason::Frozen);
    }
    if let Some(failure) = &instance.failure {
        let (action, text) = (failure.action, failure.text.clone());
        return Some(Reason::Failure { node: node.clone(), action, text });
    }
    if instance.record.boot == BootPhase::Due {
        return Some(Reason::NotBooted { node: node.clone() });
    }
    if instance.record.monitor == Some(MonitorEpisode::Spent) {
        return Some(Reason::MonitorSpent);
    }
    of_status(instance, node)
}

fn of_status(instance: &InstanceView, node: &NodeName) -> Option<Reason> {
    match instance.fresh_status().map(|status| status.sums.provisioned) {
        None => Some(Reason::StatusUnknown { node: node.clone() }),
        Some(Provisioned::False | Provisioned::Mixed) => Some(Reason::NotProvisioned { node: node.clone() }),
        Some(_) => None,
    }
}
