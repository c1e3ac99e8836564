//! How a daemon makes a view: the store as it last arrived, and what this node knows of its own instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{NodeName, ObjectPath};
use orchestrate::{
    BeatTiming, BootTime, ClusterState, ConfigState, FenceState, IncompleteView, InstanceRecord, InstanceView,
    NodeDrain, NodeIncarnation, NodeState, NodeView, ObjectView, RunningAction, StoreRevision, View, ViewParts,
};

use super::{Daemon, LOST_AFTER};
use crate::machine::{DiskInstance, Machine};
use crate::store::{NodeDocument, ObjectDocument, StoreState};
use crate::world::World;

impl World {
    /// What a node's daemon can decide from.
    pub(crate) fn view(&self, name: &NodeName) -> Result<View, IncompleteView> {
        View::new(self.parts(name), name)
    }

    /// The same before it is known to be whole.
    pub(crate) fn parts(&self, name: &NodeName) -> ViewParts {
        let node = &self.nodes[name];
        let Some((daemon, snapshot)) = node.daemon.as_ref().and_then(|it| Some((it, it.snapshot.as_ref()?))) else {
            return ViewParts::default();
        };
        let now = node.machine.clock(self.now);
        let revision = StoreRevision(snapshot.revision);
        let nodes = snapshot
            .nodes
            .iter()
            .map(|(peer, document)| (peer.clone(), self.node_view(peer, document, daemon, (name, now))));
        let objects = snapshot.objects.iter().map(|(path, document)| {
            (path.clone(), Arc::new(self.object_view(path, document, daemon, (name, &node.machine))))
        });
        let timing = BeatTiming { lost_after: LOST_AFTER };
        ViewParts {
            nodes: Some((revision, nodes.collect())),
            objects: Some((revision, objects.collect())),
            cluster: Some((revision, ClusterState { timing, maintenance: None, rejoin: None })),
            written: daemon.written,
        }
    }

    fn node_view(
        &self,
        peer: &NodeName,
        document: &NodeDocument,
        daemon: &Daemon,
        (me, now): (&NodeName, BootTime),
    ) -> NodeView {
        let heard = daemon.heard.get(peer).map_or(now, |(_, _, at)| *at);
        let machine = &self.nodes[me].machine;
        let incarnation =
            NodeIncarnation { generation: crate::store::GENERATION, revision: StoreRevision(document.incarnation) };
        // A daemon that has no registration of its own life yet can do nothing.
        let joined = peer != me || daemon.incarnation == Some(document.incarnation);
        NodeView {
            incarnation: Some(incarnation),
            evicted: document.evicted,
            beat: StoreRevision(daemon.heard.get(peer).map_or(document.beat, |(_, beat, _)| *beat)),
            heard: if peer == me { now } else { heard },
            pinned: false,
            state: if joined { document.state } else { NodeState::Init },
            frozen: document.frozen,
            maintenance: None,
            drain: document.drain.map(|at| NodeDrain { deadline: machine.clock(at), shutdown: false }),
            score: document.score,
            load: document.load,
            fence: FenceState::Untried,
            max_parallel: self.scenario.max_parallel,
        }
    }

    fn object_view(
        &self,
        path: &ObjectPath,
        document: &ObjectDocument,
        daemon: &Daemon,
        (me, machine): (&NodeName, &Machine),
    ) -> ObjectView {
        let mut view = document.view.clone();
        if let Some(intent) = &mut view.intent {
            intent.expires = machine.clock(intent.expires.since_boot());
        }
        view.maintenance = view.maintenance.map(|until| machine.clock(until.since_boot()));
        for slot in view.slots.iter_mut().filter(|slot| slot.owner == *me) {
            slot.confirmed = daemon.confirmed.get(&(path.clone(), slot.index)) == Some(&slot.revision.0);
        }
        // A node decides by the configuration that it has loaded, not by the one that the store has.
        view.rules = machine.disk.get(path).and_then(|disk| disk.rules.clone());
        if let Some(own) = view.instances.get_mut(me) {
            *own = own_instance(own, machine.disk.get(path), daemon, path);
        }
        view
    }

    /// Draws what follows from new statuses and clears for the records of a node's own instances.
    pub(crate) fn settle_records(&mut self, name: &NodeName) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let Some((daemon, snapshot)) = node.daemon.as_ref().and_then(|it| Some((it, it.snapshot.as_ref()?))) else {
            return;
        };
        let mut settled: BTreeMap<ObjectPath, InstanceRecord> = BTreeMap::new();
        for (path, disk) in &node.machine.disk {
            let shared = snapshot.objects.get(path).and_then(|document| document.view.instances.get(name));
            if let (Some(shared), Some(rules)) = (shared, &disk.rules) {
                let mut own = own_instance(shared, Some(disk), daemon, path);
                own.settle_record(rules);
                if own.record != disk.record {
                    settled.insert(path.clone(), own.record);
                }
            }
        }
        for (path, record) in settled {
            if let Some(disk) = node.machine.disk.get_mut(&path) {
                disk.record = record;
            }
        }
    }
}

/// An instance as its own node knows it. What the store owns is as the store has it.
pub(super) fn own_instance(
    shared: &InstanceView,
    disk: Option<&DiskInstance>,
    daemon: &Daemon,
    path: &ObjectPath,
) -> InstanceView {
    let Some(disk) = disk else {
        return InstanceView { config: ConfigState::Missing, status: None, running: None, ..shared.clone() };
    };
    let config = match (disk.rules.is_some(), disk.broken) {
        (_, true) => {
            ConfigState::Broken { revision: StoreRevision(disk.config), problem: "line 3: a broken value".to_owned() }
        }
        (true, false) => ConfigState::Loaded(StoreRevision(disk.config)),
        (false, false) => ConfigState::Missing,
    };
    // An action runs until the store knows how it ended.
    let begun = disk.begun.as_ref().map(|begun| (begun.sequence, begun.step.action, begun.step.cause));
    let ended = disk.ended.as_ref().map(|ended| (ended.sequence, ended.action, ended.cause));
    InstanceView {
        config,
        record: disk.record.clone(),
        status: daemon.statuses.get(path).cloned(),
        running: begun.or(ended).map(|(sequence, action, cause)| RunningAction { sequence, action, cause }),
        ..shared.clone()
    }
}

impl StoreState {
    /// Whether an instance is known to the store.
    pub(crate) fn has_instance(&self, path: &ObjectPath, node: &NodeName) -> bool {
        self.objects.get(path).is_some_and(|document| document.view.instances.contains_key(node))
    }
}
