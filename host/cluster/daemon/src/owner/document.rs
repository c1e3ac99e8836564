//! The status of the cluster as a document.

use std::collections::BTreeMap;

use agent::status::InstanceStatus;
use model::object::{OrchestrateMode, Topology};
use model::status::{Provisioned, State, object_avail, object_overall};
use model::{NodeName, ObjectPath};
use orchestrate::ObjectRules;
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
        let here: Vec<(&ObjectPath, &Instance)> = self.instances.iter().filter(|(_, it)| is_here(it)).collect();
        let instances = here.iter().map(|(path, instance)| ((*path).clone(), self.instance_summary(path, instance)));
        let objects = here.iter().filter_map(|(path, instance)| Some(((*path).clone(), self.object(path, instance)?)));
        let node = self.node_document(instances.collect());
        StatusDocument {
            cluster: ClusterDocument {
                config: ClusterSummary { name: "default".to_owned(), nodes: vec![self.me.clone()] },
                engine: self.engine(),
                node: BTreeMap::from([(self.me.clone(), node)]),
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
        let state = self.engine_fault.clone().unwrap_or_else(|| "running".to_owned());
        EngineDocument { name: self.engine_name.clone(), revision: self.shared.revision, state }
    }

    fn threads(&self) -> Vec<DaemonThread> {
        let thread =
            |id: &str, state: &str, detail: String| DaemonThread { id: id.to_owned(), state: state.to_owned(), detail };
        let acting = self.instances.values().filter(|instance| instance.acting.is_some()).count();
        let transition = if acting == 0 { String::new() } else { format!("{acting} transition") };
        let engine = if self.engine_fault.is_some() { "failed" } else { "running" };
        let mut threads = vec![
            thread("daemon", self.daemon_state(), String::new()),
            thread("engine", engine, format!("{} r{}", self.engine_name, self.shared.revision)),
            thread("listener", "running", self.agent.home().run.join("daemon.sock").display().to_string()),
            thread("monitor", "running", transition),
            thread("scheduler", "running", String::new()),
        ];
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

    fn node_document(&self, instance: BTreeMap<ObjectPath, InstanceSummary>) -> ClusterNode {
        let now = crate::clock::wall();
        let state = match self.node.drain {
            Some(_) => "draining",
            None if self.node.ready => "idle",
            None => "init",
        };
        ClusterNode {
            status: NodeSummary {
                frozen: self.shared.is_frozen(&self.me),
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

    fn instance_summary(&self, path: &ObjectPath, instance: &Instance) -> InstanceSummary {
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
                is_leader: instance.local.rules.as_ref().is_some_and(|rules| self.leads(rules)),
                updated_at: instance.updated_at,
            },
            status,
        }
    }

    /// Whether this node is the first of an object. Other nodes are not known yet.
    fn leads(&self, rules: &ObjectRules) -> bool {
        rules.nodes.contains(&self.me)
    }

    fn object(&self, path: &ObjectPath, instance: &Instance) -> Option<ClusterObject> {
        let rules = instance.local.rules.as_ref()?;
        let sums = |status: &InstanceStatus| (status.sums.avail, status.sums.overall, status.sums.provisioned);
        let (avail, overall, provisioned) =
            instance.status.as_ref().map_or((State::Undef, State::Undef, Provisioned::Undef), sums);
        let up = usize::from(avail == State::Up);
        let (topology, orchestrate) = (topology_word(rules.topology), orchestrate_word(rules.orchestrate));
        Some(ClusterObject {
            avail: object_avail(rules.topology, [avail]),
            overall: object_overall(object_avail(rules.topology, [avail]), [overall]),
            provisioned,
            frozen: if instance.frozen { "frozen" } else { "thawed" }.to_owned(),
            placement_state: if self.leads(rules) { "optimal" } else { "n/a" }.to_owned(),
            topology: topology.to_owned(),
            orchestrate: orchestrate.to_owned(),
            priority: rules.priority,
            up_instances: up,
            wanted_instances: rules.wanted(),
            scope: scope(rules),
            order: self.order_of(path),
        })
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
