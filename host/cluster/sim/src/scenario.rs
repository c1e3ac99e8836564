//! What a run is made of, drawn from its seed: how many nodes, which objects, which faults exist and how often.
//!
//! A swarm: each run first draws which faults it has at all. A run with every fault hides what a run with two of them shows.

use std::collections::BTreeMap;
use std::time::Duration;

use model::object::{OrchestrateMode, PlacementPolicy, Topology};
use model::{NodeName, ObjectPath, Rid};
use orchestrate::{AffinityRules, MonitorAction, ObjectRelative, ObjectRules, ResourceRules, RestartRules};

use crate::Random;

/// A run before it begins.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub nodes: Vec<NodeName>,
    pub objects: BTreeMap<ObjectPath, ObjectRules>,
    pub faults: FaultRates,
    /// How many actions a node runs at the same time.
    pub max_parallel: usize,
    /// How long faults and orders go on, before everything is mended.
    pub turmoil: Duration,
    /// How many orders and hands there are.
    pub hands: u64,
}

/// How often faults are, in percent or as a count over the run. Zero: this run has none.
#[derive(Debug, Clone, Default)]
pub struct FaultRates {
    /// Daemons killed and started again.
    pub daemon_kills: u64,
    pub reboots: u64,
    /// All nodes go down together, and come back one after the other.
    pub power_cuts: u64,
    /// Network cuts between a node and the store.
    pub cuts: u64,
    /// Resources that go down by themselves.
    pub crashes: u64,
    /// Resources that begin or cease to fail at their start or stop.
    pub breakages: u64,
    /// Probes that stop answering for a while.
    pub silences: u64,
    /// Configurations that do not load on a node for a while.
    pub broken_configs: u64,
    /// Requests of a hundred that never arrive.
    pub lost_requests: u64,
    /// Requests of a hundred whose answer never arrives.
    pub lost_answers: u64,
    /// Requests of a hundred that are applied long after they were given up.
    pub late_requests: u64,
    /// Statuses of a hundred that arrive late.
    pub late_statuses: u64,
    /// Freezes, maintenances and drains of nodes.
    pub node_orders: u64,
}

/// How long attempts count: shorter than in the field, so that a run sees them leave.
pub(crate) const WINDOW: Duration = Duration::from_secs(40);

/// No order takes longer.
pub(crate) const LONGEST_ORDER: Duration = Duration::from_secs(40);

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(random: &mut Random) -> Scenario {
        // Each draw shifts all that follow. One more or less gives every seed another schedule: those of
        // `tests/kept.txt` have to be found anew.
        let nodes = match random.below(10) {
            0..6 => 1,
            6..8 => 2,
            _ => 3,
        };
        let nodes: Vec<NodeName> = (1..=nodes).filter_map(|number| format!("n{number}").parse().ok()).collect();
        let paths: Vec<ObjectPath> =
            (1..=random.between(1, 4)).filter_map(|number| ObjectPath::svc(&format!("svc{number}")).ok()).collect();
        let objects = paths.iter().enumerate().map(|(index, path)| {
            // Relatives are objects before this one, so that nothing waits in a circle.
            (path.clone(), draw_rules(random, &nodes, &paths[..index]))
        });
        Scenario {
            objects: objects.collect(),
            faults: FaultRates::draw(random),
            max_parallel: random.between(1, 4) as usize,
            turmoil: Duration::from_secs(random.between(20, 150)),
            // Now and then, a storm of orders.
            hands: if random.percent(5) { 60 } else { random.below(12) },
            nodes,
        }
    }
}

impl FaultRates {
    fn draw(random: &mut Random) -> FaultRates {
        let mut maybe = |most: u64| if random.percent(35) { random.between(1, most) } else { 0 };
        FaultRates {
            daemon_kills: maybe(4),
            reboots: maybe(3),
            power_cuts: maybe(2) / 2,
            cuts: maybe(4),
            crashes: maybe(12),
            breakages: maybe(8),
            silences: maybe(4),
            broken_configs: maybe(3),
            lost_requests: maybe(20),
            lost_answers: maybe(20),
            late_requests: maybe(20),
            late_statuses: maybe(60),
            node_orders: maybe(4),
        }
    }
}

fn draw_rules(random: &mut Random, nodes: &[NodeName], before: &[ObjectPath]) -> ObjectRules {
    let count = nodes.len() as u32;
    let topology = if random.percent(65) {
        Topology::Failover
    } else {
        Topology::Flex { min: 1, max: None, target: random.between(1, u64::from(count)) as u32 }
    };
    let modes = [OrchestrateMode::Ha, OrchestrateMode::Ha, OrchestrateMode::Start, OrchestrateMode::No];
    let policies = [
        PlacementPolicy::NodesOrder,
        PlacementPolicy::Score,
        PlacementPolicy::LoadAvg,
        PlacementPolicy::Spread,
        PlacementPolicy::Shift,
        PlacementPolicy::LastStart,
    ];
    let relatives = |random: &mut Random, chance: u64| {
        let one = random.pick(before).filter(|_| random.clone().percent(chance)).cloned();
        one.map(|path| ObjectRelative { path, node: None }).into_iter().collect()
    };
    ObjectRules {
        nodes: nodes.to_vec(),
        drpnodes: Vec::new(),
        flex_primary: None,
        topology,
        orchestrate: *random.pick(&modes).unwrap_or(&OrchestrateMode::Ha),
        placement: *random.pick(&policies).unwrap_or(&PlacementPolicy::NodesOrder),
        priority: random.between(10, 13) as u32,
        disable: false,
        provision: random.percent(95),
        unprovision: random.percent(95),
        fence: false,
        parents: relatives(random, 30),
        children: Vec::new(),
        affinity: AffinityRules::default(),
        monitor_actions: draw_monitor_actions(random),
        pre_monitor_action: random.percent(30),
        starts: RestartRules { window: WINDOW, ..RestartRules::new(3, Duration::ZERO) },
        resources: draw_resources(random),
    }
}

fn draw_monitor_actions(random: &mut Random) -> Vec<MonitorAction> {
    use MonitorAction::{Crash, FreezeStop, Reboot, Switch};
    let choices: [&[MonitorAction]; 5] = [&[], &[FreezeStop], &[Switch, Reboot], &[FreezeStop, Crash], &[Switch]];
    random.pick(&choices).map(|choice| choice.to_vec()).unwrap_or_default()
}

fn draw_resources(random: &mut Random) -> BTreeMap<Rid, ResourceRules> {
    let groups = ["ip", "fs", "app"];
    let rids = (1..=random.between(1, 3)).filter_map(|number| {
        let group = random.pick(&groups)?;
        format!("{group}#{number}").parse::<Rid>().ok()
    });
    let rids: Vec<Rid> = rids.collect();
    let mut resources: BTreeMap<Rid, ResourceRules> =
        rids.into_iter().map(|rid| (rid, draw_resource(random))).collect();
    // A service of standby resources alone is never up.
    if let Some(first) = resources.values_mut().next() {
        first.standby = false;
        first.optional = false;
    }
    resources
}

fn draw_resource(random: &mut Random) -> ResourceRules {
    let standby = random.percent(20);
    let budget = random.below(4) as u32;
    let delay = Duration::from_millis(random.between(0, 5000));
    ResourceRules {
        disable: false,
        optional: random.percent(10),
        standby,
        monitor: random.percent(40),
        restart: RestartRules {
            window: WINDOW,
            ..RestartRules::new(if standby { budget.max(2) } else { budget }, delay)
        },
        silent_probes: 3,
    }
}
