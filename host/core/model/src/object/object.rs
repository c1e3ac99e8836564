//! The object: what its configuration means on one node. The crate `config` makes it.

use std::collections::BTreeMap;

use crate::{Group, NodeName, ObjectPath, Rid, SubsetName};

use super::{GroupLimits, OrchestrateMode, PlacementPolicy, Resource, Topology, VerbTimeouts};

/// The options of a subset, from its section `[subset#<group>:<name>]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubsetOptions {
    /// Whether they act at the same time.
    pub parallel: bool,
    /// The limits of what its members run.
    pub limits: GroupLimits,
}

/// An object, as its configuration means it on one node.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its path.
    pub path: ObjectPath,
    /// The node for which scopes were chosen.
    pub node: NodeName,
    /// The nodes that may run it, in the order of placement.
    pub nodes: Vec<NodeName>,
    /// The nodes that take over when those are lost.
    pub drpnodes: Vec<NodeName>,
    /// The nodes inside its containers.
    pub encapnodes: Vec<NodeName>,
    /// The first among the nodes of a flex object.
    pub flex_primary: Option<NodeName>,
    /// The first among the drpnodes of a flex object.
    pub drp_flex_primary: Option<NodeName>,
    /// How many instances may be up.
    pub topology: Topology,
    /// The actions that the daemon takes on its own.
    pub orchestrate: OrchestrateMode,
    /// How the nodes are ranked.
    pub placement: PlacementPolicy,
    /// The priority: objects with a lower number act first.
    pub priority: u32,
    /// Whether a failed start undoes what it did.
    pub rollback: bool,
    /// Whether status shows disabled resources.
    pub show_disabled: bool,
    /// Whether the instance refuses to act at all.
    pub disable: bool,
    /// Whether the object may be provisioned.
    pub provision: bool,
    /// Whether it may be unprovisioned.
    pub unprovision: bool,
    /// `PRD`, `TST`…
    pub env: String,
    /// The application code.
    pub app: String,
    /// What its free sections hold under names of secrets: no log may show it.
    pub secrets: Vec<String>,
    /// How long its actions may take.
    pub timeouts: VerbTimeouts,
    /// The limits of all that it runs.
    pub limits: GroupLimits,
    /// Whether what it runs is limited at all.
    pub create_pg: bool,
    /// Its resources, in the order of their ids.
    pub resources: Vec<Resource>,
    /// Its subsets, by group and name.
    pub subsets: BTreeMap<(Group, SubsetName), SubsetOptions>,
    /// The evaluated keywords of DEFAULT, in canonical form. The fields above are among them.
    pub keywords: BTreeMap<String, Vec<String>>,
}

impl Object {
    /// The resource of that id.
    pub fn resource(&self, rid: &Rid) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.rid == *rid)
    }

    /// The other nodes that may run it, each once.
    pub fn others(&self) -> impl Iterator<Item = &NodeName> {
        // A node in both lists is named once, where `nodes` has it.
        let first = |node: &&NodeName| !self.nodes.contains(node);
        self.nodes.iter().chain(self.drpnodes.iter().filter(first)).filter(|node| **node != self.node)
    }

    /// Whether the members of a subset act at the same time.
    pub fn is_parallel(&self, group: Group, subset: &SubsetName) -> bool {
        // A subset need not have a section. Without one its members act one by one.
        self.subsets.get(&(group, subset.clone())).is_some_and(|subset| subset.parallel)
    }
}
