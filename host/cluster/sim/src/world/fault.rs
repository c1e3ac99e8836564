//! Faults, each of which a scenario has or has not.

use std::time::Duration;

use model::status::Provisioned;
use model::{NodeName, ObjectPath, Rid};
use std::collections::BTreeMap;

use super::{Event, World};
use crate::daemon::Daemon;
use crate::machine::SimResource;

/// A fault, or its end.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    DaemonKill {
        node: NodeName,
    },
    Reboot {
        node: NodeName,
    },
    PowerCut,
    Cut {
        node: NodeName,
        cut: bool,
    },
    Crash {
        node: NodeName,
        path: ObjectPath,
    },
    /// A resource begins to fail at its start or at its stop, or ceases to.
    Breakage {
        node: NodeName,
        path: ObjectPath,
        at_stop: bool,
        broken: bool,
    },
    Silence {
        node: NodeName,
        path: ObjectPath,
        silent: bool,
    },
    /// A new revision of the configuration, which may not load on a node.
    Config {
        node: NodeName,
        path: ObjectPath,
        broken: bool,
    },
    NodeFreeze {
        node: NodeName,
        frozen: bool,
    },
    Drain {
        node: NodeName,
    },
}

impl World {
    /// Draws the faults of the run.
    pub(super) fn schedule_faults(&mut self) {
        let rates = self.scenario.faults.clone();
        self.repeat(rates.daemon_kills, |_, node, _| vec![Fault::DaemonKill { node }]);
        self.repeat(rates.reboots, |_, node, _| vec![Fault::Reboot { node }]);
        self.repeat(rates.power_cuts, |_, _, _| vec![Fault::PowerCut]);
        self.repeat(rates.cuts, |_, node, _| {
            vec![Fault::Cut { node: node.clone(), cut: true }, Fault::Cut { node, cut: false }]
        });
        self.repeat(rates.crashes, |_, node, path| vec![Fault::Crash { node, path }]);
        self.repeat(rates.breakages, |world, node, path| {
            let at_stop = world.random.percent(35);
            let fault = |broken| Fault::Breakage { node: node.clone(), path: path.clone(), at_stop, broken };
            vec![fault(true), fault(false)]
        });
        self.repeat(rates.silences, |_, node, path| {
            let fault = |silent| Fault::Silence { node: node.clone(), path: path.clone(), silent };
            vec![fault(true), fault(false)]
        });
        self.repeat(rates.broken_configs, |_, node, path| {
            let fault = |broken| Fault::Config { node: node.clone(), path: path.clone(), broken };
            vec![fault(true), fault(false)]
        });
        self.repeat(rates.node_orders, |world, node, _| {
            if world.random.percent(40) {
                return vec![Fault::Drain { node }];
            }
            vec![Fault::NodeFreeze { node: node.clone(), frozen: true }, Fault::NodeFreeze { node, frozen: false }]
        });
    }

    /// Draws so many faults, the end of each some time after its begin.
    fn repeat(&mut self, count: u64, make: impl Fn(&mut World, NodeName, ObjectPath) -> Vec<Fault>) {
        for _ in 0..count {
            let (Some(node), Some(path)) = (self.any_node(), self.any_path()) else { return };
            let mut at = Duration::from_millis(self.random.below(self.scenario.turmoil.as_millis() as u64));
            for fault in make(self, node, path) {
                self.schedule_at(at, Event::Fault(fault));
                at += Duration::from_millis(self.random.between(100, 60_000));
            }
        }
    }

    pub(super) fn any_node(&mut self) -> Option<NodeName> {
        self.random.pick(&self.scenario.nodes).cloned()
    }

    pub(super) fn any_path(&mut self) -> Option<ObjectPath> {
        let paths: Vec<&ObjectPath> = self.scenario.objects.keys().collect();
        self.random.pick(&paths).map(|path| (*path).clone())
    }

    pub(super) fn fault(&mut self, fault: &Fault) {
        if self.healed {
            return;
        }
        self.note(format_args!("{fault:?}"));
        match fault {
            Fault::DaemonKill { node } => self.kill_daemon(node, Duration::from_millis(300)),
            Fault::Reboot { node } => self.reboot(node),
            Fault::PowerCut => self.scenario.nodes.clone().iter().for_each(|node| self.reboot(node)),
            Fault::Cut { node, cut } => self.set_cut(node, *cut),
            Fault::Crash { node, path } => self.change_resource(node, path, |resource| resource.up = false),
            Fault::Breakage { node, path, at_stop, broken } => {
                self.change_resource(node, path, |resource| match at_stop {
                    true => resource.stop_fails = *broken,
                    false => resource.start_fails = *broken,
                });
            }
            Fault::Silence { node, path, silent } => {
                self.change_resource(node, path, |resource| resource.silent = *silent);
            }
            Fault::Config { node, path, broken } => self.change_config(node, path, *broken),
            Fault::NodeFreeze { node, frozen } => self.change_node(node, |document| document.frozen = *frozen),
            Fault::Drain { node } => {
                let deadline = self.now + Duration::from_secs(20);
                self.change_node(node, |document| document.drain = Some(deadline));
            }
        }
    }

    fn set_cut(&mut self, name: &NodeName, cut: bool) {
        if let Some(node) = self.nodes.get_mut(name) {
            node.cut = cut;
        }
        self.refresh_soon(name);
    }

    fn change_resource(&mut self, name: &NodeName, path: &ObjectPath, change: impl FnOnce(&mut SimResource)) {
        let index = self.random.next() as usize;
        let resources = self.nodes.get_mut(name).and_then(|node| node.machine.resources.get_mut(path));
        let Some(resources) = resources.filter(|resources| !resources.is_empty()) else { return };
        let count = resources.len();
        if let Some(resource) = resources.values_mut().nth(index % count) {
            change(resource);
        }
        self.probe_soon(name, path);
    }

    fn change_config(&mut self, name: &NodeName, path: &ObjectPath, broken: bool) {
        if broken {
            self.broken_configs.insert((name.clone(), path.clone()));
        } else {
            self.broken_configs.remove(&(name.clone(), path.clone()));
        }
        let revision = self.store.revision + 1;
        self.store.edit(path, |document| {
            document.view.config = orchestrate::StoreRevision(revision);
            true
        });
        self.changed_store();
    }

    pub(super) fn change_node(&mut self, name: &NodeName, change: impl FnOnce(&mut crate::store::NodeDocument)) {
        if let Some(document) = self.store.nodes.get_mut(name) {
            change(document);
        }
        self.changed_store();
    }

    pub(super) fn changed_store(&mut self) {
        self.store.revision += 1;
        self.shared = None;
        self.tell_all();
    }

    /// The agent lives in the daemon: its actions die with it.
    pub(crate) fn kill_daemon(&mut self, name: &NodeName, away: Duration) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        node.daemon = None;
        let begun: Vec<_> = node.machine.disk.iter().filter(|(_, disk)| disk.begun.is_some()).collect();
        let begun: Vec<ObjectPath> = begun.into_iter().map(|(path, _)| path.clone()).collect();
        for path in begun {
            // Half of what an action does may be done.
            if self.random.percent(50) && self.nodes[name].machine.on {
                self.half_perform(name, &path);
            }
            self.interrupt(name, &path);
        }
        let away = away + Duration::from_millis(self.random.between(0, 3000));
        self.schedule(away, Event::DaemonStart { node: name.clone() });
    }

    fn half_perform(&mut self, name: &NodeName, path: &ObjectPath) {
        let Some(machine) = self.nodes.get_mut(name).map(|node| &mut node.machine) else { return };
        let Some(disk) = machine.disk.get(path) else { return };
        if let (Some(begun), Some(rules)) = (disk.begun.clone(), disk.rules.clone()) {
            machine.perform(path, &rules, &begun.step);
        }
    }

    pub(crate) fn reboot(&mut self, name: &NodeName) {
        self.note(format_args!("{name} goes down"));
        if let Some(node) = self.nodes.get_mut(name) {
            // Before the daemon is killed, so that no action is half done on a machine without power.
            node.machine.power_off();
        }
        // Longer than any run: the daemon comes back with the power, and not by itself.
        self.kill_daemon(name, Duration::from_secs(3600));
        self.checks.rebooted(name);
        let away = Duration::from_millis(self.random.between(500, 20_000));
        self.schedule(away, Event::PowerOn { node: name.clone() });
    }

    pub(super) fn power_on(&mut self, name: &NodeName) {
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(name).filter(|node| !node.machine.on) {
            node.machine.power_on(now);
            self.start_daemon(name);
        }
    }

    pub(super) fn start_daemon(&mut self, name: &NodeName) {
        self.lives += 1;
        let life = self.lives;
        let Some(node) = self.nodes.get_mut(name).filter(|node| node.machine.on && node.daemon.is_none()) else {
            return;
        };
        node.daemon = Some(Daemon::new(life));
        self.note(format_args!("{name} daemon starts"));
        self.refresh_soon(name);
        self.schedule(Duration::from_millis(1), Event::Beat { node: name.clone(), life });
        self.schedule(Duration::from_millis(5), Event::ProbeAll { node: name.clone(), life });
    }

    /// The resources of an object as they are before anybody touches them.
    pub(crate) fn draw_resources(&mut self, path: &ObjectPath) -> BTreeMap<Rid, SimResource> {
        let Some(rules) = self.scenario.objects.get(path) else { return BTreeMap::new() };
        let unprovisioned = self.random.percent(15);
        let mut draw = |rid: &Rid| {
            let provisioned = match (self.random.percent(25), unprovisioned) {
                (true, _) => Provisioned::Na,
                (false, true) => Provisioned::False,
                (false, false) => Provisioned::True,
            };
            let keeps = self.random.percent(10);
            (rid.clone(), SimResource::new(provisioned, keeps))
        };
        rules.resources.keys().map(&mut draw).collect()
    }
}
