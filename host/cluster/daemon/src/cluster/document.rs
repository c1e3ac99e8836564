//! The other nodes and their instances in the status of the cluster: what each said last, and whether it still counts.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath};
use orchestrate::NodeStanding;
use protocol::daemon::{ClusterNode, InstanceSummary, NodeDaemon, NodeMonitor, NodeStats, NodeSummary};

use super::say::read_document;
use crate::owner::Owner;

impl Owner {
    /// The nodes of the cluster: those of its configuration, and those that are registered.
    pub(crate) fn cluster_nodes(&self) -> Vec<NodeName> {
        let mut nodes = self.cluster.nodes.clone();
        if self.member.is_none() || nodes.is_empty() {
            return vec![self.me.clone()];
        }
        // One that was taken out of the cluster has no life in it any more.
        let others =
            self.shared.nodes.iter().filter(|(node, row)| !row.value.evicted && !self.cluster.nodes.contains(node));
        nodes.extend(others.map(|(node, _)| node.clone()));
        nodes
    }

    /// Another node, as it said last.
    pub(crate) fn peer_document(&self, node: &NodeName) -> ClusterNode {
        let standing = self.standing_of(node);
        let said = self.shared.infos.get(node).and_then(|row| read_document::<ClusterNode>(&row.value.document));
        let mut document = said.unwrap_or_else(unknown_node);
        document.status.frozen = self.shared.is_frozen(node);
        document.status.drain = self.shared.drain_of(node);
        let (daemon, state) = match standing {
            NodeStanding::Alive => (None, self.shared.info(node).is_none().then(|| "init".to_owned())),
            NodeStanding::Silent => (Some("silent"), Some(format!("lost {}", self.silence_of(node)))),
            NodeStanding::Pinned => (Some("away"), Some("away".to_owned())),
            NodeStanding::Evicted => (Some("stopped"), Some("evicted".to_owned())),
            NodeStanding::Absent => (Some("stopped"), Some("unknown".to_owned())),
        };
        // A node that is back has left that behind.
        let state = self.fence_word(node).map(str::to_owned).or(state);
        if let Some(daemon) = daemon {
            document.daemon.state = daemon.to_owned();
        }
        if let Some(state) = state {
            document.monitor.state = state;
        }
        document.instance = self.peer_instances(node, standing);
        document
    }

    /// No daemon knows how the instances of a lost node are.
    fn peer_instances(&self, node: &NodeName, standing: NodeStanding) -> BTreeMap<ObjectPath, InstanceSummary> {
        if matches!(standing, NodeStanding::Silent | NodeStanding::Evicted | NodeStanding::Absent) {
            return BTreeMap::new();
        }
        let life = self.shared.life(node);
        let said = self.shared.objects.iter().filter_map(|(path, object)| {
            let row = &object.instances.get(node)?.value;
            let present = Some(row.life) == life && !row.checksum.is_empty();
            let mut summary = read_document::<InstanceSummary>(&row.document).filter(|_| present)?;
            if let (Some(status), Some(shared)) = (&mut summary.status, &object.row) {
                status.updated_at = row.seen_at;
                // The store has it first.
                status.frozen = shared.value.instances.get(node.as_str()).is_some_and(|mark| mark.frozen);
            }
            Some((path.clone(), summary))
        });
        said.collect()
    }

    pub(crate) fn standing_of(&self, node: &NodeName) -> NodeStanding {
        let now = crate::clock::now();
        self.view.as_ref().map_or_else(
            || if self.shared.life(node).is_some() { NodeStanding::Alive } else { NodeStanding::Absent },
            |view| view.standing(node, now),
        )
    }

    fn silence_of(&self, node: &NodeName) -> String {
        let heard = self.node.heard.get(node).copied();
        let silent = heard.map_or(0, |heard| crate::clock::now().since(heard).as_secs());
        format!("{silent}s")
    }
}

fn unknown_node() -> ClusterNode {
    ClusterNode {
        status: NodeSummary { frozen: false, drain: None, agent: String::new(), booted_at: 0.0 },
        monitor: NodeMonitor { state: "unknown".to_owned(), updated_at: 0.0 },
        stats: NodeStats::default(),
        daemon: NodeDaemon { pid: 0, started_at: 0.0, state: "stopped".to_owned() },
        instance: BTreeMap::new(),
    }
}
