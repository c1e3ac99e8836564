//! The world of a run: virtual time, nodes, the store, and what is under way between them.

mod event;
mod fault;
mod hand;
mod heal;
mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::BootTime;

use crate::daemon::Daemon;
use crate::invariant::Checks;
use crate::machine::Machine;
use crate::mutation::Mutation;
use crate::scenario::Scenario;
use crate::store::StoreState;
use crate::{Random, Trace};

pub(crate) use event::Event;
pub(crate) use network::InFlight;

/// The world.
pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) scenario: Scenario,
    pub(crate) random: Random,
    pub(crate) store: StoreState,
    pub(crate) nodes: BTreeMap<NodeName, SimNode>,
    pub(crate) broken_configs: BTreeSet<(NodeName, ObjectPath)>,
    /// Whether everything was mended: no fault comes any more.
    pub(crate) healed: bool,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) checks: Checks,
    pub(crate) trace: Trace,
    events: BTreeMap<(Duration, u64), Event>,
    in_flight: BTreeMap<u64, InFlight>,
    /// The store as it is, shared with the daemons until the next commit.
    shared: Option<Arc<StoreState>>,
    lives: u64,
    numbers: u64,
}

/// A node.
#[derive(Debug)]
pub(crate) struct SimNode {
    pub(crate) machine: Machine,
    pub(crate) daemon: Option<Daemon>,
    /// Whether nothing passes between it and the store.
    pub(crate) cut: bool,
}

impl World {
    pub(crate) fn new(scenario: Scenario, mut random: Random, mutation: Option<Mutation>, verbose: bool) -> World {
        let node = |random: &mut Random| SimNode {
            machine: Machine::new(random.between(0, 1000) as i64 - 500),
            daemon: None,
            cut: false,
        };
        let nodes = scenario.nodes.iter().map(|name| (name.clone(), node(&mut random))).collect();
        let mut world = World {
            now: Duration::ZERO,
            store: StoreState::default(),
            nodes,
            broken_configs: BTreeSet::new(),
            healed: false,
            mutation,
            checks: Checks::default(),
            trace: Trace::new(verbose),
            events: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            shared: None,
            lives: 0,
            numbers: 0,
            scenario,
            random,
        };
        world.begin_run();
        world
    }

    /// Runs to the end: through the turmoil, the healing, and the time that convergence may take.
    pub(crate) fn run(&mut self) {
        let end = self.scenario.turmoil + heal::CONVERGENCE;
        while let Some(((at, _), event)) = self.events.pop_first() {
            // The first violation ends the run: what comes after it may only follow from it.
            if at > end || !self.checks.is_clean() {
                break;
            }
            self.now = at;
            self.happen(event);
        }
        if self.checks.is_clean() {
            self.judge();
        }
    }

    pub(crate) fn schedule(&mut self, delay: Duration, event: Event) {
        self.schedule_at(self.now + delay, event);
    }

    pub(crate) fn schedule_at(&mut self, at: Duration, event: Event) {
        self.numbers += 1;
        // The number keeps events of one moment in the order in which they were made, so that a seed gives the
        // same run again.
        self.events.insert((at.max(self.now), self.numbers), event);
    }

    pub(crate) fn note(&mut self, event: fmt::Arguments<'_>) {
        self.trace.note(self.now, event);
    }

    /// The time on a node's clock.
    pub(crate) fn clock(&self, name: &NodeName) -> BootTime {
        self.nodes[name].machine.clock(self.now)
    }

    pub(crate) fn life(&self, name: &NodeName) -> u64 {
        self.nodes[name].daemon.as_ref().map_or(0, |daemon| daemon.life)
    }

    /// Whether a daemon is still in that life.
    pub(crate) fn is_life(&self, name: &NodeName, life: u64) -> bool {
        self.life(name) == life && life != 0
    }

    /// Something of an instance changed: it is published, and decided about.
    pub(crate) fn touch(&mut self, name: &NodeName, path: &ObjectPath) {
        if let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) {
            daemon.unpublished.insert(path.clone());
        }
        self.decide_soon(name);
    }

    pub(crate) fn decide_soon(&mut self, name: &NodeName) {
        self.decide_at(name, self.now + Duration::from_millis(1));
    }

    pub(crate) fn decide_at(&mut self, name: &NodeName, at: Duration) {
        // Never now: a decision that wakes at once would be made again and again while no time passes.
        let at = at.max(self.now + Duration::from_micros(1));
        let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) else { return };
        if daemon.decide_at.is_none_or(|known| at < known) {
            daemon.decide_at = Some(at);
            let event = Event::Decide { node: name.clone(), life: daemon.life, at };
            self.schedule_at(at, event);
        }
    }

    pub(crate) fn refresh_after(&mut self, name: &NodeName, delay: Duration) {
        // The store of now and not of the arrival: a daemon decides from what was so a while before.
        let shared = self.shared_store();
        let at = self.now + delay;
        let Some(daemon) = self.nodes.get_mut(name).and_then(|node| node.daemon.as_mut()) else { return };
        let event = Event::Refresh { node: name.clone(), life: daemon.life, state: shared };
        self.schedule_at(at, event);
    }

    fn shared_store(&mut self) -> Arc<StoreState> {
        self.shared.get_or_insert_with(|| Arc::new(self.store.clone())).clone()
    }
}
