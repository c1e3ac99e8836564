//! Statuses: taken from the resources as they are at one moment, seen by the daemon at a later one.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{NodeName, ObjectPath, Rid};
use orchestrate::{ActionSequence, ResourceView, StatusView};

use crate::machine::SimResource;
use crate::world::{Event, World};

/// How often every status is taken.
pub(crate) const STATUS_INTERVAL: Duration = Duration::from_secs(15);

impl World {
    /// Takes a status. It says nothing of actions that begin from now on.
    pub(crate) fn probe(&mut self, name: &NodeName, life: u64, path: &ObjectPath) {
        if !self.is_life(name, life) {
            return;
        }
        let machine = &self.nodes[name].machine;
        // The number counts from an action's begin: a status from its middle would pass for one from after it.
        let Some(disk) = machine.disk.get(path).filter(|disk| disk.begun.is_none()) else { return };
        let after = disk.record.sequence;
        let samples = machine.resources.get(path).cloned().unwrap_or_default();
        let late = self.random.percent(self.scenario.faults.late_statuses) && !self.healed;
        let delay =
            Duration::from_millis(if late { self.random.between(500, 8000) } else { self.random.between(1, 30) });
        let event = Event::Status { node: name.clone(), life, path: path.clone(), after, samples };
        self.schedule(delay, event);
    }

    /// Takes the status of an instance soon, as an event of the kernel would make it.
    pub(crate) fn probe_soon(&mut self, name: &NodeName, path: &ObjectPath) {
        if let Some(daemon) = &self.nodes[name].daemon {
            let event = Event::Probe { node: name.clone(), life: daemon.life, path: path.clone() };
            self.schedule(Duration::from_millis(2), event);
        }
    }

    /// Takes the statuses of all instances, and again after the interval.
    pub(crate) fn probe_all(&mut self, name: &NodeName, life: u64) {
        if !self.is_life(name, life) {
            return;
        }
        let paths: Vec<ObjectPath> = self.nodes[name].machine.disk.keys().cloned().collect();
        paths.iter().for_each(|path| self.probe(name, life, path));
        self.schedule(STATUS_INTERVAL, Event::ProbeAll { node: name.clone(), life });
    }

    pub(crate) fn status_arrives(
        &mut self,
        name: &NodeName,
        path: &ObjectPath,
        after: ActionSequence,
        samples: &BTreeMap<Rid, SimResource>,
    ) {
        let now = self.clock(name);
        let Some(node) = self.nodes.get_mut(name) else { return };
        let (machine, Some(daemon)) = (&node.machine, node.daemon.as_mut()) else { return };
        let Some(rules) = machine.disk.get(path).and_then(|disk| disk.rules.clone()) else { return };
        let known = daemon.statuses.get(path);
        // A late one, from before an action whose result is known already.
        if known.is_some_and(|known| known.after > after) {
            return;
        }
        let views = samples.iter().map(|(rid, sample)| {
            let before = known.and_then(|known| known.resources.get(rid)).copied();
            (rid.clone(), resource_view(before, sample, now))
        });
        let status = StatusView::of(&rules, after, views.collect());
        let changed = daemon.statuses.get(path) != Some(&status);
        daemon.statuses.insert(path.clone(), status);
        if changed {
            daemon.unpublished.insert(path.clone());
            self.decide_soon(name);
        }
    }
}

fn resource_view(before: Option<ResourceView>, sample: &SimResource, now: orchestrate::BootTime) -> ResourceView {
    match before {
        // A probe that does not answer leaves what was known, and counts.
        Some(before) if sample.silent => ResourceView { silent: (before.silent + 1).min(10), ..before },
        Some(before) if before.state == sample.state() => {
            ResourceView { silent: 0, provisioned: sample.provisioned, ..before }
        }
        _ => ResourceView {
            state: sample.state(),
            silent: u32::from(sample.silent),
            since: now,
            provisioned: sample.provisioned,
        },
    }
}
