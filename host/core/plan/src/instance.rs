//! The facts of an instance that the planner needs: plain data, which its caller fills in from configuration and status.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use model::object::{Requirement, Trigger, VerbTimeouts};
use model::status::{Provisioned, State};
use model::{DriverName, Group, NodeName, ObjectPath, Rid, SubsetName, Verb};

/// An object on this node, with the present state of its resources.
#[derive(Debug, Clone)]
pub struct InstanceFacts {
    /// The object.
    pub object: ObjectPath,
    /// This node.
    pub node: NodeName,
    /// The nodes that may run the object, this one among them.
    pub nodes: Vec<NodeName>,
    /// The nodes that take over when those are lost.
    pub drpnodes: Vec<NodeName>,
    /// The resources, in any order.
    pub resources: Vec<ResourceFacts>,
    /// The subsets whose members act at the same time.
    pub parallel: BTreeSet<(Group, SubsetName)>,
    /// `DEFAULT.rollback`.
    pub rollback: bool,
}

/// A resource of the instance.
#[derive(Debug, Clone)]
pub struct ResourceFacts {
    /// Its id.
    pub rid: Rid,
    /// Its driver.
    pub driver: DriverName,
    /// The subset it is a member of.
    pub subset: Option<SubsetName>,
    /// Whether every action leaves it alone.
    pub disable: bool,
    /// Whether it lives inside a container, whose own agent acts on it.
    pub encap: bool,
    /// Whether its errors are reported but never interrupt.
    pub optional: bool,
    /// Whether it is up on every node, wherever the service runs.
    pub standby: bool,
    /// Whether every node sees the same one.
    pub shared: bool,
    /// Whether its driver can move it to another node while it is up.
    pub migrates: bool,
    /// The peers that leave it alone.
    pub disabled_on: Vec<NodeName>,
    /// Whether `provision` may provision it.
    pub provision: bool,
    /// Whether `unprovision` may unprovision it.
    pub unprovision: bool,
    /// The container whose network namespace an ip goes into.
    pub netns: Option<Rid>,
    /// The containers whose namespaces a container shares: it acts with them.
    pub shares: BTreeSet<Rid>,
    /// `<verb>_requires`.
    pub requires: BTreeMap<Verb, Vec<Requirement>>,
    /// The triggers that are set. The agent knows the commands.
    pub triggers: BTreeSet<Trigger>,
    /// How long each verb may take.
    pub timeouts: VerbTimeouts,
    /// Where it copies to, in the words of its keyword `target`. None if it has none: everywhere.
    pub targets: Option<Vec<String>>,
    /// Why a sync leaves it alone, unless it is forced.
    pub passive: Option<PassiveReason>,
    /// The path that it makes, such as its mount point: what lies in it comes later in a start, and earlier in a stop.
    pub place: Option<PathBuf>,
    /// The absolute paths in its keywords, which may lie in the place of another resource.
    pub paths: Vec<PathBuf>,
    /// Its state now.
    pub state: State,
    /// Why its driver cannot be asked. A call of it will fail.
    pub fault: Option<String>,
    /// Whether it is provisioned now.
    pub provisioned: Provisioned,
}

impl ResourceFacts {
    /// A resource with every keyword at its default, whose state is not known.
    pub fn new(rid: Rid, driver: DriverName) -> ResourceFacts {
        ResourceFacts {
            rid,
            driver,
            subset: None,
            disable: false,
            encap: false,
            optional: false,
            standby: false,
            shared: false,
            migrates: false,
            disabled_on: Vec::new(),
            provision: true,
            unprovision: true,
            netns: None,
            shares: BTreeSet::new(),
            requires: BTreeMap::new(),
            triggers: BTreeSet::new(),
            timeouts: VerbTimeouts::default(),
            targets: None,
            passive: None,
            place: None,
            paths: Vec::new(),
            state: State::Undef,
            fault: None,
            provisioned: Provisioned::Undef,
        }
    }
}

/// Why this node is not the one to copy from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassiveReason {
    /// The service is in this state here.
    NotRunning(State),
    /// The service runs on several nodes, of which this one is the first.
    NotPrimary(NodeName),
}
