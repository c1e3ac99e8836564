//! What is decided about nodes rather than objects: whose life has ended, and whether this one is drained.

use model::{NodeName, ObjectPath};

use crate::{BootTime, NodeIncarnation, NodeView, SlotState, StoreRevision, View};

/// A step about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeStep {
    /// Ends the life of a node that has not been heard of for too long. The commit compares both revisions: a newer beat or a
    /// new registration wins.
    Evict { node: NodeName, incarnation: NodeIncarnation, beat: StoreRevision },
    /// The drain is over. What it could not stop is left.
    EndDrain { left: Vec<ObjectPath> },
}

/// What is decided about nodes, and when to decide again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeDecision {
    pub steps: Vec<NodeStep>,
    pub wake_at: Option<BootTime>,
}

/// Decides about the nodes.
pub fn decide_nodes(view: &View, me: &NodeName, now: BootTime) -> NodeDecision {
    let mut decision = NodeDecision::default();
    let peers = view.nodes().iter().filter(|(node, _)| *node != me);
    peers.for_each(|(name, node)| decide_eviction(view, name, node, now, &mut decision));
    decide_drain_end(view, me, now, &mut decision);
    decision
}

fn decide_eviction(view: &View, name: &NodeName, node: &NodeView, now: BootTime, decision: &mut NodeDecision) {
    let Some(incarnation) = node.incarnation.filter(|_| !node.evicted && !node.pinned) else { return };
    // The simulator follows this step. In the daemon, the membership ends lives (`ownership`).
    let at = node.heard + view.cluster().timing.evicted_after();
    if now >= at {
        decision.steps.push(NodeStep::Evict { node: name.clone(), incarnation, beat: node.beat });
    } else {
        decision.wake_at = crate::time::earlier(decision.wake_at, Some(at));
    }
}

/// A drain is over when nothing is left to stop, and at its deadline whatever is left.
fn decide_drain_end(view: &View, me: &NodeName, now: BootTime, decision: &mut NodeDecision) {
    let Some(drain) = view.nodes().get(me).and_then(|node| node.drain) else { return };
    let left = left_on(view, me);
    if left.is_empty() || now >= drain.deadline {
        decision.steps.push(NodeStep::EndDrain { left });
    } else {
        decision.wake_at = crate::time::earlier(decision.wake_at, Some(drain.deadline));
    }
}

/// The objects that run on a node, or may, or hold a slot there.
fn left_on(view: &View, me: &NodeName) -> Vec<ObjectPath> {
    let is_left = |object: &crate::ObjectView| {
        let instance = object.instances.get(me);
        let down = |own: &crate::InstanceView| own.fresh_status().is_some_and(|status| status.is_down());
        // An instance without a status has no configuration here: the daemon decides nothing before it has looked
        // at every other one (`Owner::look_whether_ready`).
        let runs = instance.is_some_and(|own| own.status.is_some() && !down(own));
        runs || object.slots.iter().any(|slot| slot.owner == *me && slot.state != SlotState::Released)
    };
    let left = view.objects().iter().filter(|(_, object)| is_left(object));
    left.map(|(path, _)| path.clone()).collect()
}
