//! The status of the cluster as a document.

use std::collections::{BTreeMap, BTreeSet};

use model::object::{OrchestrateMode, Topology};
use model::status::{Provisioned, State, StatusSums, object_avail, object_overall, object_provisioned};
use model::{NodeName, ObjectPath};
use orchestrate::{ObjectRules, preferred_nodes};
use protocol::InstanceDocument;
use protocol::daemon::{
    ClusterDocument, ClusterNode, ClusterObject, ClusterSummary, DaemonDocument, DaemonThread, EngineDocument,
    InstanceConfig, InstanceMonitor, InstanceSummary, NodeDaemon, NodeMonitor, NodeSummary, StatusDocument,
};

use super::Owner;
use super::explain::local_expect;
use super::order::global_expect;
use crate::instance::{Instance, LoadedConfig};

impl Owner {
    /// All that the daemon knows.
    pub(super) fn status_document(&self) -> StatusDocument {
        let here = self.instances.iter().filter(|(_, it)| is_here(it));
        let instances = here.map(|(path, instance)| (path.clone(), self.instance_summary(path, instance))).collect();
        // A node of several also knows the objects that run on others alone.
        let known = self.instances.iter().filter(|(_, it)| is_here(it) || (self.member.is_some() && !it.missing));
        let objects = known.filter_map(|(path, instance)| Some((path.clone(), self.object(path, instance)?)));
        let nodes = self.cluster_nodes();
        let peers = nodes.iter().filter(|node| **node != self.me).map(|node| (node.clone(), self.peer_document(node)));
        let node = [(self.me.clone(), self.node_document(instances))].into_iter().chain(peers);
        StatusDocument {
            cluster: ClusterDocument {
                engine: self.engine(),
                node: node.collect(),
                config: ClusterSummary { name: self.cluster.name.clone(), nodes },
                object: objects.collect(),
            },
            daemon: DaemonDocument {
                nodename: self.me.clone(),
                pid: std::process::id(),
                started_at: self.started_at,
                last_event: self.events.last(),
                threads: self.threads(),
            },
        }
    }

    fn engine(&self) -> EngineDocument {
        let state = self.fault_of_engine().unwrap_or_else(|| "running".to_owned());
        let outage = self.outage();
        let warnings = |member: &crate::cluster::Membership| {
            member.warnings.iter().chain(&member.fences.warning).cloned().collect()
        };
        let warnings = self.member.as_ref().map(warnings).unwrap_or_default();
        EngineDocument { name: self.engine_name.clone(), revision: self.shared.revision, state, outage, warnings }
    }

    fn threads(&self) -> Vec<DaemonThread> {
        let thread = |id: &str, state: &str, detail: String| DaemonThread {
            id: id.to_owned(),
            state: state.to_owned(),
            detail,
            peers: BTreeMap::new(),
        };
        let acting = self.instances.values().filter(|instance| instance.acting.is_some()).count();
        let transition = if acting == 0 { String::new() } else { format!("{acting} transition") };
        let engine = if self.fault_of_engine().is_some() { "failed" } else { "running" };
        let mut threads = vec![
            thread("daemon", self.daemon_state(), String::new()),
            thread("engine", engine, format!("{} r{}", self.engine_name, self.shared.revision)),
        ];
        threads.extend(self.link_threads());
        threads.extend([
            thread("listener", "running", self.agent.home().run.join("daemon.sock").display().to_string()),
            thread("monitor", "running", transition),
            thread("scheduler", "running", String::new()),
        ]);
        threads.extend(self.guard_threads());
        threads
    }

    fn daemon_state(&self) -> &'static str {
        match (&self.ending, self.node.ready) {
            (Some(_), _) => "stopping",
            (None, true) => "running",
            (None, false) => "starting",
        }
    }

    pub(crate) fn node_document(&self, instance: BTreeMap<ObjectPath, InstanceSummary>) -> ClusterNode {
        let now = crate::clock::wall();
        let state = match self.node.drain {
            Some(_) => "draining",
            None if self.node.ready => "idle",
            None => "init",
        };
        ClusterNode {
            status: NodeSummary {
                frozen: self.shared.is_frozen(&self.me),
                drain: self.shared.drain_of(&self.me),
                agent: env!("CARGO_PKG_VERSION").to_owned(),
                booted_at: now - crate::clock::now().since_boot().as_secs_f64(),
            },
            monitor: NodeMonitor { state: state.to_owned(), updated_at: now },
            stats: crate::machine::stats(),
            daemon: NodeDaemon {
                pid: std::process::id(),
                started_at: self.started_at,
                state: self.daemon_state().to_owned(),
            },
            instance,
        }
    }

    pub(crate) fn instance_summary(&self, path: &ObjectPath, instance: &Instance) -> InstanceSummary {
        let loaded = instance.loaded.as_ref();
        let intent = self.views.get(path).and_then(|view| view.open_intent());
        let status = instance.status.as_ref().map(|status| {
            let mut document = InstanceDocument::from(status);
            document.frozen = instance.frozen;
            document.published()
        });
        InstanceSummary {
            config: InstanceConfig {
                checksum: loaded.map(|loaded| loaded.checksum.clone()).unwrap_or_default(),
                priority: instance.local.rules.as_ref().map_or(50, |rules| rules.priority),
                problem: loaded.and_then(|loaded| loaded.problem.clone()),
            },
            monitor: InstanceMonitor {
                state: instance.state.clone(),
                local_expect: local_expect(instance).to_owned(),
                global_expect: intent.map_or("none".to_owned(), |intent| global_expect(&intent.goal, intent)),
                is_leader: self.preferred(path).iter().take(self.wanted(path)).any(|node| *node == self.me),
                updated_at: instance.updated_at,
            },
            status,
        }
    }

    /// The nodes of an object, as placement prefers them.
    fn preferred(&self, path: &ObjectPath) -> Vec<NodeName> {
        let rules = self.instances.get(path).and_then(|instance| instance.local.rules.as_ref());
        let now = crate::clock::now();
        match &self.view {
            Some(view) if view.objects().contains_key(path) => preferred_nodes(view, path, &self.me, now),
            _ => rules.map_or_else(Vec::new, |rules| rules.nodes.clone()),
        }
    }

    fn wanted(&self, path: &ObjectPath) -> usize {
        let rules = self.instances.get(path).and_then(|instance| instance.local.rules.as_ref());
        rules.map_or(0, |rules| rules.wanted())
    }

    /// The nodes with an instance whose status is known, this one among them, and their sums.
    fn known_sums(&self, path: &ObjectPath, instance: &Instance) -> Vec<(NodeName, StatusSums)> {
        let own = instance.status.as_ref().filter(|_| is_here(instance)).map(|status| (self.me.clone(), status.sums));
        let view = self.views.get(path);
        let others = view.into_iter().flat_map(|view| &view.instances).filter(|(node, _)| **node != self.me);
        let others = others.filter_map(|(node, peer)| Some((node.clone(), peer.status.as_ref()?.sums)));
        own.into_iter().chain(others).collect()
    }

    pub(crate) fn object(&self, path: &ObjectPath, instance: &Instance) -> Option<ClusterObject> {
        let rules = instance.local.rules.as_ref()?;
        let sums = self.known_sums(path, instance);
        // Nothing is known yet.
        let avails = if sums.is_empty() { vec![State::Undef] } else { sums.iter().map(|(_, it)| it.avail).collect() };
        let avail = object_avail(rules.topology, avails);
        let up: Vec<&NodeName> = sums.iter().filter(|(_, it)| it.avail == State::Up).map(|(node, _)| node).collect();
        let preferred = self.preferred(path);
        let (topology, orchestrate) = (topology_word(rules.topology), orchestrate_word(rules.orchestrate));
        Some(ClusterObject {
            avail,
            overall: object_overall(avail, sums.iter().map(|(_, it)| it.overall)),
            provisioned: match sums.is_empty() {
                true => Provisioned::Undef,
                false => object_provisioned(sums.iter().map(|(_, it)| it.provisioned)),
            },
            frozen: self.frozen_word(path, instance).to_owned(),
            placement_state: placement_word(&preferred, &up).to_owned(),
            topology: topology.to_owned(),
            orchestrate: orchestrate.to_owned(),
            priority: rules.priority,
            up_instances: up.len(),
            wanted_instances: rules.wanted(),
            scope: scope(rules),
            order: self.order_of(path),
        })
    }

    fn frozen_word(&self, path: &ObjectPath, instance: &Instance) -> &'static str {
        let view = self.views.get(path);
        let others = view.into_iter().flat_map(|view| &view.instances).filter(|(node, _)| **node != self.me);
        let own = Some(instance.frozen).filter(|_| is_here(instance));
        let all: BTreeSet<bool> = own.into_iter().chain(others.map(|(_, peer)| peer.frozen)).collect();
        match (all.contains(&true), all.contains(&false)) {
            (true, true) => "mixed",
            (true, false) => "frozen",
            (false, true) => "thawed",
            (false, false) => "n/a",
        }
    }
}

/// Whether what is up is where placement prefers it.
fn placement_word(preferred: &[NodeName], up: &[&NodeName]) -> &'static str {
    let is_best = |node: &&NodeName| preferred.iter().take(up.len()).any(|best| best == *node);
    match preferred.is_empty() {
        true => "n/a",
        false if up.iter().all(is_best) => "optimal",
        false => "non-optimal",
    }
}

fn scope(rules: &ObjectRules) -> Vec<NodeName> {
    rules.scope().cloned().collect()
}

fn topology_word(topology: Topology) -> &'static str {
    match topology {
        Topology::Failover => "failover",
        Topology::Flex { .. } => "flex",
    }
}

fn orchestrate_word(mode: OrchestrateMode) -> &'static str {
    match mode {
        OrchestrateMode::No => "no",
        OrchestrateMode::Start => "start",
        OrchestrateMode::Ha => "ha",
    }
}

fn is_here(instance: &Instance) -> bool {
    !instance.missing && instance.loaded.as_ref().is_some_and(LoadedConfig::is_here)
}
