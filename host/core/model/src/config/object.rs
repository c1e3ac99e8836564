//! The resolved object: what its configuration means on one node. Made by [`load`](super::load()) alone.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::object::{Requirement, Timeouts, Topology, Trigger};
use crate::{DriverName, Group, NodeName, ObjectPath, Rid, Verb};

use super::late::{Late, Value};

/// What the daemon does of its own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Orchestrate {
    /// Nothing.
    No,
    /// Starts the object when its first node boots.
    Start,
    /// Starts it, and moves it when its node fails.
    Ha,
}

/// How the daemon ranks the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placement {
    /// As `nodes` lists them.
    NodesOrder,
    /// By their score.
    Score,
    /// By their load average.
    LoadAvg,
    /// Objects spread evenly.
    Spread,
    /// Each object begins one node further.
    Shift,
    /// Where the object was started last.
    LastStart,
}

/// The resources of a group that `[subset#<group>:<name>]` speaks of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subset {
    /// Whether they act at the same time.
    pub parallel: bool,
    /// Limits of its process group: keyword without `pg_`, value.
    pub process_group: BTreeMap<String, String>,
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
    /// Those that take over when the former are lost.
    pub drpnodes: Vec<NodeName>,
    /// The nodes inside its containers.
    pub encapnodes: Vec<NodeName>,
    /// The first among the nodes of a flex object.
    pub flex_primary: Option<NodeName>,
    /// The first among the drpnodes of a flex object.
    pub drp_flex_primary: Option<NodeName>,
    /// How many instances may be up.
    pub topology: Topology,
    /// What the daemon does of its own accord.
    pub orchestrate: Orchestrate,
    /// How the nodes are ranked.
    pub placement: Placement,
    /// Lower acts first.
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
    /// How long its actions may take.
    pub timeouts: Timeouts,
    /// Its resources, in the order of their ids.
    pub resources: Vec<Resource>,
    /// Its subsets, by group and name.
    pub subsets: BTreeMap<(Group, String), Subset>,
    /// The evaluated keywords of DEFAULT, in canonical form: those above and all others.
    pub keywords: BTreeMap<String, Vec<String>>,
}

impl Object {
    /// The resource of that id.
    pub fn resource(&self, rid: &Rid) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.rid == *rid)
    }

    /// The other nodes that may run it, each once.
    pub fn others(&self) -> impl Iterator<Item = &NodeName> {
        let first = |node: &&NodeName| !self.nodes.contains(node);
        self.nodes.iter().chain(self.drpnodes.iter().filter(first)).filter(|node| **node != self.node)
    }

    /// Whether the members of a subset act at the same time.
    pub fn is_parallel(&self, group: Group, subset: &str) -> bool {
        self.subsets.get(&(group, subset.to_owned())).is_some_and(|subset| subset.parallel)
    }
}

/// A resource of an object, as its section means it on one node.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its id.
    pub rid: Rid,
    /// Its section, which is called otherwise where it is written the old way: `drbd#1` for disk#1.
    pub section: String,
    /// Its driver.
    pub driver: DriverName,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// The subset that it acts with.
    pub subset: Option<String>,
    /// Whether the object has it by itself, because it has several nodes.
    pub implicit: bool,
    /// Whether it is left alone.
    pub disable: bool,
    /// The other nodes of the object that leave it alone.
    pub disabled_on: Vec<NodeName>,
    /// Whether its failures are reported only.
    pub optional: bool,
    /// Whether it is up on every node.
    pub standby: bool,
    /// Whether every node sees the same one, so that the leader alone provisions it.
    pub shared: bool,
    /// Whether it lives inside a container.
    pub encap: bool,
    /// Whether its failure moves the object.
    pub monitor: bool,
    /// How many times the daemon restarts it.
    pub restart: u32,
    /// How long it waits between two restarts.
    pub restart_delay: Duration,
    /// Whether provision cares for it.
    pub provision: bool,
    /// Whether unprovision cares for it.
    pub unprovision: bool,
    /// What its actions ask of others.
    pub requires: BTreeMap<Verb, Vec<Requirement>>,
    /// Commands that run around its actions. One element an argument.
    pub triggers: BTreeMap<Trigger, Vec<String>>,
    /// How long its actions may take, those of the object included.
    pub timeouts: Timeouts,
    /// When it runs by itself.
    pub schedule: Option<String>,
    /// Limits of its process group: keyword without `pg_`, value.
    pub process_group: BTreeMap<String, String>,
    /// What somebody wrote about it.
    pub comment: String,
    /// The container whose network an address joins (`netns = container#1`): it acts with that container.
    pub joins: Option<Rid>,
    /// The driver's keywords, resolved but for what only other resources know.
    pub(super) keywords: Vec<Prepared>,
}

impl Resource {
    /// The resources of whose devices its keywords speak: `{disk#1.exposed_devs[0]}`. What only provision asks for, and nobody
    /// wrote, counts where `provisioning` says so.
    pub fn speaks_of(&self, provisioning: bool) -> Vec<&Rid> {
        let keywords = self.keywords.iter().filter(|keyword| provisioning || !keyword.aside);
        let mut rids: Vec<&Rid> = keywords.flat_map(|keyword| keyword.value.late()).map(Late::rid).collect();
        rids.sort();
        rids.dedup();
        rids
    }

    /// The driver's keywords, in canonical form. What other resources expose is asked of `exposed` now.
    pub fn evaluate(&self, exposed: &dyn Exposed) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for keyword in &self.keywords {
            keyword.evaluate(exposed, &mut evaluation);
        }
        evaluation
    }
}

/// A driver's keyword, resolved but for late references, which are filled in and converted when the resource acts.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) name: String,
    pub(super) kind: crate::keyword::Kind,
    pub(super) secret: bool,
    pub(super) store: Option<crate::Kind>,
    /// Whether it is a default that only provision asks for: what it speaks of need not be there.
    pub(super) aside: bool,
    /// The canonical values, where nothing is late.
    pub(super) known: Option<Vec<String>>,
    pub(super) value: Value,
}

/// What resources expose at this moment.
pub trait Exposed {
    /// The devices of a resource, in the order in which its driver reported them. None, or none at all, while it is down.
    fn devices(&self, rid: &Rid) -> Option<Vec<String>>;
}

/// Nothing is exposed: for those who only look at a configuration.
impl Exposed for () {
    fn devices(&self, _: &Rid) -> Option<Vec<String>> {
        None
    }
}

/// A keyword in canonical form: see `wit/types.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// Its name.
    pub name: String,
    /// What its values are made of.
    pub kind: crate::keyword::Kind,
    /// One value, or one an element of a list.
    pub values: Vec<String>,
    /// Whether the values must never be shown.
    pub secret: bool,
    /// The kind of the stores that the values are references to.
    pub store: Option<crate::Kind>,
    /// The resource whose devices the values were made of.
    pub from: Option<Rid>,
}

/// The evaluated keywords of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Those that have a value.
    pub keywords: Vec<Evaluated>,
    /// Those whose value cannot be had now, such as the device of a disk that is down.
    pub missing: Vec<Missing>,
}

/// A keyword whose value cannot be had now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{keyword} speaks of {rid}, which {reason}")]
pub struct Missing {
    /// The keyword.
    pub keyword: String,
    /// The resource that it speaks of.
    pub rid: Rid,
    /// Why that is no answer.
    pub reason: String,
}
