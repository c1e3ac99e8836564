//! The status of the cluster as one daemon knows it: `om daemon status --format json`, and what `om mon` draws.

use std::collections::BTreeMap;

use model::status::{Provisioned, State};
use model::{NodeName, ObjectPath};
use serde::{Deserialize, Serialize};

use crate::InstanceDocument;
use crate::daemon::OrderDocument;
use crate::word;

/// All that a daemon knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusDocument {
    pub cluster: ClusterDocument,
    pub daemon: DaemonDocument,
}

/// The cluster: its nodes and objects. A single node is a cluster too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterDocument {
    pub config: ClusterSummary,
    pub engine: EngineDocument,
    #[serde(with = "word::keys")]
    pub node: BTreeMap<NodeName, ClusterNode>,
    #[serde(with = "word::keys")]
    pub object: BTreeMap<ObjectPath, ClusterObject>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterSummary {
    pub name: String,
    #[serde(with = "word::list")]
    pub nodes: Vec<NodeName>,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineDocument {
    /// The engine and its version.
    pub name: String,
    pub revision: u64,
    /// `running`, or what is wrong.
    pub state: String,
    /// How the nodes do without it, while it does not answer a node of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<EngineOutage>,
    /// What an operator should look at, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// An engine that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineOutage {
    /// For so many seconds.
    pub seconds: u64,
    /// The nodes that are asked for promises, this one among them.
    pub nodes: usize,
    /// Those that do not promise to leave this node's services alone.
    pub silent: Vec<String>,
    /// Whether all have promised: then services go on.
    pub failsafe: bool,
    /// In so many seconds, services with slots are cut. None: this node has none, or the failsafe holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_in: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterNode {
    pub status: NodeSummary,
    pub monitor: NodeMonitor,
    pub stats: NodeStats,
    pub daemon: NodeDaemon,
    #[serde(with = "word::keys")]
    pub instance: BTreeMap<ObjectPath, InstanceSummary>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeSummary {
    pub frozen: bool,
    /// While it is drained: until when at the latest, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<u64>,
    /// The version of the agent.
    pub agent: String,
    /// Seconds since 1970.
    pub booted_at: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeMonitor {
    /// idle, draining, shutting, overloaded…
    pub state: String,
    pub updated_at: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeStats {
    pub load_15m: f64,
    pub mem_total_mb: u64,
    /// Percent.
    pub mem_avail: u64,
    pub swap_total_mb: u64,
    /// Percent.
    pub swap_avail: u64,
    pub score: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeDaemon {
    pub pid: u32,
    /// Seconds since 1970.
    pub started_at: f64,
    /// `starting` until every object was looked at once, then `running`; `stopping` at its end.
    pub state: String,
}

/// An instance on a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceSummary {
    pub config: InstanceConfig,
    pub monitor: InstanceMonitor,
    /// None: it was not looked at yet.
    pub status: Option<InstanceDocument>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceConfig {
    /// Of the text.
    pub checksum: String,
    pub priority: u32,
    /// The problem of the text, if it does not load and the last good one is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceMonitor {
    /// idle, starting, `start failed`, `wait parents`…
    pub state: String,
    /// none or started.
    pub local_expect: String,
    /// What a running order wants; none without one.
    pub global_expect: String,
    /// Whether placement prefers this node.
    pub is_leader: bool,
    pub updated_at: f64,
}

/// An object over all of its instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterObject {
    #[serde(with = "word")]
    pub avail: State,
    #[serde(with = "word")]
    pub overall: State,
    #[serde(with = "word")]
    pub provisioned: Provisioned,
    /// frozen, thawed or mixed; n/a without an instance.
    pub frozen: String,
    /// optimal, non-optimal or n/a.
    pub placement_state: String,
    pub topology: String,
    pub orchestrate: String,
    pub priority: u32,
    pub up_instances: usize,
    pub wanted_instances: usize,
    #[serde(with = "word::list")]
    pub scope: Vec<NodeName>,
    /// The last order, if there was one.
    pub order: Option<OrderDocument>,
}

/// The daemon that answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonDocument {
    #[serde(with = "word")]
    pub nodename: NodeName,
    pub pid: u32,
    pub started_at: f64,
    /// The number of its last event.
    pub last_event: u64,
    /// Its parts, in the order in which `om mon` shows them.
    pub threads: Vec<DaemonThread>,
}

/// A part of the daemon, as a row of `om mon`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonThread {
    /// daemon, engine, listener, monitor, scheduler.
    pub id: String,
    /// running, stopped, or a few words more.
    pub state: String,
    /// An address or a number, if the row has one.
    pub detail: String,
    /// Of a row about the other nodes: `up`, `down` or `unknown` for each.
    #[serde(default, with = "word::keys", skip_serializing_if = "BTreeMap::is_empty")]
    pub peers: BTreeMap<NodeName, String>,
}
