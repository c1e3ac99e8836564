//! What a decision about one object looks at.

use std::collections::BTreeSet;

use model::{NodeName, ObjectPath};

use crate::{BootTime, ConfigState, InstanceView, NodeStanding, NodeView, ObjectRules, ObjectView, View};

/// One object in a view, as one node decides about it.
#[derive(Clone, Copy)]
pub(crate) struct ObjectCase<'a> {
    pub(crate) view: &'a View,
    pub(crate) path: &'a ObjectPath,
    pub(crate) object: &'a ObjectView,
    pub(crate) rules: &'a ObjectRules,
    pub(crate) me: &'a NodeName,
    pub(crate) now: BootTime,
}

/// The same on a node that holds an instance.
#[derive(Clone, Copy)]
pub(crate) struct InstanceCase<'a> {
    pub(crate) case: ObjectCase<'a>,
    pub(crate) own: &'a InstanceView,
    pub(crate) node: &'a NodeView,
}

impl<'a> ObjectCase<'a> {
    /// Whether a node can be counted on. This one can: the daemon stops deciding before it cannot.
    pub(crate) fn standing(&self, node: &NodeName) -> NodeStanding {
        match self.view.standing(node, self.now) {
            NodeStanding::Silent | NodeStanding::Pinned if node == self.me => NodeStanding::Alive,
            standing => standing,
        }
    }

    /// The nodes that hold an instance, or may: those of the configuration, and those that it no longer names.
    pub(crate) fn members(&self) -> Vec<&'a NodeName> {
        let mut others: BTreeSet<&NodeName> = self.object.instances.keys().collect();
        let mut members: Vec<&NodeName> = self.rules.scope().collect();
        for member in &members {
            others.remove(member);
        }
        // Behind those of the configuration: a node that was taken out of it may still run the object, and is
        // never preferred.
        members.extend(others);
        members
    }

    /// Those of the nodes that are members, in the order of the members.
    pub(crate) fn members_among(&self, mut nodes: BTreeSet<&'a NodeName>) -> Vec<&'a NodeName> {
        let mut among: Vec<&NodeName> = self.rules.scope().filter(|node| nodes.remove(node)).collect();
        among.extend(nodes.into_iter().filter(|node| self.object.instances.contains_key(*node)));
        among
    }

    /// Whether a node has nothing of the object: no configuration, no state, no process.
    pub(crate) fn has_nothing(&self, node: &NodeName) -> bool {
        let missing = |instance: &InstanceView| instance.config == ConfigState::Missing && instance.running.is_none();
        self.object.instances.get(node).is_none_or(missing)
    }

    /// Whether this node is the one that writes down what concerns all: the first that is alive.
    pub(crate) fn is_writer(&self) -> bool {
        let mut alive = self.members().into_iter().filter(|node| self.standing(node) == NodeStanding::Alive);
        alive.next() == Some(self.me)
    }
}
