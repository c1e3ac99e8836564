//! The part of an object's configuration that the orchestrator obeys.

use std::collections::BTreeMap;
use std::time::Duration;

use model::object::{Object, OrchestrateMode, PlacementPolicy, Topology};
use model::status::State;
use model::{Group, NodeName, ObjectPath, Rid};

use crate::RestartRules;

/// A standby resource is always tried again, so often at least.
const STANDBY_RESTARTS: u32 = 2;

/// An instance that starts and then goes down is started again so often within the window.
const AUTOMATIC_STARTS: RestartRules =
    RestartRules { budget: 3, delay: Duration::ZERO, window: crate::restart::RESTART_WINDOW };

/// A probe that does not answer says nothing until it has not answered so often in a row.
const SILENT_PROBES: u32 = 3;

/// What an object's configuration tells the orchestrator, as one node reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRules {
    /// The nodes that may run it, in the order of placement.
    pub nodes: Vec<NodeName>,
    /// The nodes that run it when an order says so.
    pub drpnodes: Vec<NodeName>,
    /// The first among the nodes of a flex object.
    pub flex_primary: Option<NodeName>,
    pub topology: Topology,
    pub orchestrate: OrchestrateMode,
    pub placement: PlacementPolicy,
    /// Objects with a lower number act first.
    pub priority: u32,
    /// Whether no instance acts.
    pub disable: bool,
    pub provision: bool,
    pub unprovision: bool,
    /// Whether a lost owner must be proven dead before another node takes over.
    pub fence: bool,
    pub parents: Vec<ObjectRelative>,
    pub children: Vec<ObjectRelative>,
    pub affinity: AffinityRules,
    /// What is done when a monitored resource fails and no restart is left; the second when the first fails.
    pub monitor_actions: Vec<MonitorAction>,
    /// Whether a command runs before the first of them.
    pub pre_monitor_action: bool,
    /// How often the daemon starts an instance that does not stay up.
    pub starts: RestartRules,
    pub resources: BTreeMap<Rid, ResourceRules>,
}

/// An object, or its instance on one node, that another object depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRelative {
    pub path: ObjectPath,
    pub node: Option<NodeName>,
}

/// Objects to be with, and objects to be away from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AffinityRules {
    pub hard: Vec<ObjectPath>,
    pub hard_anti: Vec<ObjectPath>,
    pub soft: Vec<ObjectPath>,
    pub soft_anti: Vec<ObjectPath>,
}

/// A value of `monitor_action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MonitorAction {
    /// Freeze the instance and stop it.
    FreezeStop,
    /// Stop the instance, so that another node takes over.
    Switch,
    Reboot,
    /// Reboot at once, without a sync.
    Crash,
}

/// What the section of a resource tells the orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRules {
    pub disable: bool,
    pub optional: bool,
    pub standby: bool,
    pub monitor: bool,
    pub restart: RestartRules,
    /// A probe counts as an answer "down" after so many in a row that did not answer.
    pub silent_probes: u32,
}

impl ObjectRules {
    /// The rules of an object whose configuration is gone.
    pub(crate) const NONE: &'static ObjectRules = &ObjectRules {
        nodes: Vec::new(),
        drpnodes: Vec::new(),
        flex_primary: None,
        topology: Topology::Failover,
        orchestrate: OrchestrateMode::No,
        placement: PlacementPolicy::None,
        priority: u32::MAX,
        disable: false,
        provision: false,
        unprovision: false,
        fence: false,
        parents: Vec::new(),
        children: Vec::new(),
        affinity: AffinityRules { hard: Vec::new(), hard_anti: Vec::new(), soft: Vec::new(), soft_anti: Vec::new() },
        monitor_actions: Vec::new(),
        pre_monitor_action: false,
        starts: AUTOMATIC_STARTS,
        resources: BTreeMap::new(),
    };

    /// The rules of an object.
    pub fn of(object: &Object) -> ObjectRules {
        let words = |name: &str| object.keywords.get(name).map_or(&[][..], Vec::as_slice);
        let flag = |name: &str| words(name).first().is_some_and(|word| word == "true");
        // `config` has reported every word that does not parse, so what is left out here is known to the author.
        let paths = |name: &str| words(name).iter().filter_map(|word| word.parse().ok()).collect();
        let relatives = |name: &str| words(name).iter().filter_map(|word| ObjectRelative::parse(word)).collect();
        let resources = object.resources.iter().map(|resource| (resource.rid.clone(), ResourceRules::of(resource)));
        ObjectRules {
            nodes: object.nodes.clone(),
            drpnodes: object.drpnodes.clone(),
            flex_primary: object.flex_primary.clone(),
            topology: object.topology,
            orchestrate: object.orchestrate,
            placement: object.placement,
            priority: object.priority,
            disable: object.disable,
            provision: object.provision,
            unprovision: object.unprovision,
            fence: flag("stonith"),
            parents: relatives("parents"),
            children: relatives("children"),
            affinity: AffinityRules {
                hard: paths("hard_affinity"),
                hard_anti: paths("hard_anti_affinity"),
                soft: paths("soft_affinity"),
                soft_anti: paths("soft_anti_affinity"),
            },
            monitor_actions: words("monitor_action").iter().filter_map(|word| MonitorAction::parse(word)).collect(),
            pre_monitor_action: !words("pre_monitor_action").is_empty(),
            starts: AUTOMATIC_STARTS,
            resources: resources.collect(),
        }
    }

    /// How many instances shall be up.
    pub fn wanted(&self) -> usize {
        match self.topology {
            Topology::Failover => 1,
            Topology::Flex { target, .. } => target as usize,
        }
    }

    /// All nodes that may hold an instance, each once.
    pub fn scope(&self) -> impl Iterator<Item = &NodeName> {
        self.nodes.iter().chain(self.drpnodes.iter().filter(|node| !self.nodes.contains(node)))
    }

    /// Whether starts need a slot. An object with one node does not: nobody else could run it.
    pub fn has_slots(&self) -> bool {
        self.scope().nth(1).is_some()
    }

    /// The objects whose state decides when this one may act.
    pub fn relatives(&self) -> impl Iterator<Item = &ObjectPath> {
        let family = self.parents.iter().chain(&self.children).map(|relative| &relative.path);
        let AffinityRules { hard, hard_anti, soft, soft_anti } = &self.affinity;
        family.chain(hard).chain(hard_anti).chain(soft).chain(soft_anti)
    }
}

impl ObjectRelative {
    /// Reads `<path>[@<node>]`.
    fn parse(word: &str) -> Option<ObjectRelative> {
        let (path, node) = match word.split_once('@') {
            Some((path, node)) => (path, Some(node.parse().ok()?)),
            None => (word, None),
        };
        Some(ObjectRelative { path: path.parse().ok()?, node })
    }
}

impl MonitorAction {
    /// As `monitor_action` names it. `none` is no action.
    fn parse(word: &str) -> Option<MonitorAction> {
        match word {
            "freezestop" => Some(MonitorAction::FreezeStop),
            "switch" => Some(MonitorAction::Switch),
            "reboot" => Some(MonitorAction::Reboot),
            "crash" => Some(MonitorAction::Crash),
            _ => None,
        }
    }

    /// As `monitor_action` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            MonitorAction::FreezeStop => "freezestop",
            MonitorAction::Switch => "switch",
            MonitorAction::Reboot => "reboot",
            MonitorAction::Crash => "crash",
        }
    }
}

impl ResourceRules {
    fn of(resource: &model::object::Resource) -> ResourceRules {
        // Syncs and tasks are run, not kept up. What lives in a container is watched there.
        let kept = !matches!(resource.rid.group(), Group::Sync | Group::Task) && !resource.encap;
        let standby = resource.standby && kept;
        let budget = match (kept, standby) {
            (false, _) => 0,
            (_, true) => resource.restart.max(STANDBY_RESTARTS),
            _ => resource.restart,
        };
        ResourceRules {
            disable: resource.disable,
            optional: resource.optional,
            standby,
            monitor: resource.monitor && kept,
            restart: RestartRules::new(budget, resource.restart_delay),
            silent_probes: SILENT_PROBES,
        }
    }

    /// Whether the state of the resource is a reason to restart it.
    pub(crate) fn is_failure(&self, state: State) -> bool {
        !self.disable && matches!(state, State::Down | State::StdbyDown | State::Warn)
    }
}
