//! Parents and children: one rule for every action that starts or stops something. What is waited for is derived each time, so
//! no wait outlives its cause.

use std::collections::BTreeMap;

use model::NodeName;
use model::status::{State, object_avail};

use crate::case::ObjectCase;
use crate::{InstanceView, ObjectRelative, Reason};

/// The parents that are not up, without which the object does not start.
pub(crate) fn missing_parents(case: &ObjectCase<'_>) -> Option<Reason> {
    let is_missing = |parent: &&ObjectRelative| !matches!(state(case, parent), Some(State::Up | State::Na));
    let parents: Vec<ObjectRelative> = case.rules.parents.iter().filter(is_missing).cloned().collect();
    (!parents.is_empty()).then_some(Reason::WaitParents { parents })
}

/// The children that may be up, with which the object does not stop.
pub(crate) fn running_children(case: &ObjectCase<'_>) -> Option<Reason> {
    let is_running = |child: &&ObjectRelative| matches!(state(case, child), Some(State::Up | State::Warn));
    let children: Vec<ObjectRelative> = case.rules.children.iter().filter(is_running).cloned().collect();
    (!children.is_empty()).then_some(Reason::WaitChildren { children })
}

/// The avail state of a relative. None: there is no such object, or nothing is known of it.
fn state(case: &ObjectCase<'_>, relative: &ObjectRelative) -> Option<State> {
    let object = case.view.objects().get(&relative.path).filter(|object| !object.tombstone)?;
    let counted = |node: &NodeName| relative.node.as_ref().is_none_or(|wanted| wanted == node);
    let instances: BTreeMap<&NodeName, &InstanceView> =
        object.instances.iter().filter(|(node, _)| counted(node) && !is_dead(case, node)).collect();
    let states = instances.values().filter_map(|instance| Some(instance.status.as_ref()?.sums.avail));
    match &relative.node {
        Some(_) => states.reduce(|state, _| state),
        // By the topology of the relative: a failover is up with one instance, a flex with as many as it should
        // have.
        None => Some(object_avail(object.rules.as_ref()?.topology, states)),
    }
}

fn is_dead(case: &ObjectCase<'_>, node: &NodeName) -> bool {
    use crate::NodeStanding::{Absent, Evicted};
    matches!(case.standing(node), Absent | Evicted)
}
