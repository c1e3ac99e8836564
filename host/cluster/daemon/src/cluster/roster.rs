//! The nodes of a cluster that `om cluster` made, as they come and go.

use model::NodeName;
use orchestrate::ViewChange;
use protocol::daemon::EventKind;
use serde_json::json;

use crate::owner::Owner;

impl Owner {
    pub(super) fn follow_roster(&mut self, nodes: Vec<NodeName>) {
        if self.cluster.nodes == nodes {
            return;
        }
        let list = nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ");
        self.cluster.nodes.clone_from(&nodes);
        if let Some(member) = &mut self.member {
            member.cluster.nodes = nodes;
            member.removed = false;
        }
        self.changes.push(ViewChange::Cluster);
        self.add_event(EventKind::NodeConfig, None, json!({ "nodes": list }));
    }

    /// Another node says which generation of the engine it knows. With a newer one than this node's, this node ends its life by sending
    /// no more beats: what it runs in slots may be another node's already.
    pub(super) fn note_generation(&mut self, node: &NodeName, number: u64) {
        let Some(member) = &mut self.member else { return };
        if number <= member.newer.as_ref().map_or(0, |(known, _)| *known) {
            return;
        }
        member.newer = Some((number, node.clone()));
        if let Some(reason) = self.fault_of_engine().filter(|_| self.is_superseded()) {
            self.add_event(EventKind::EngineDown, None, json!({ "reason": reason }));
        }
    }

    fn is_superseded(&self) -> bool {
        self.member.as_ref().is_some_and(|member| member.superseded().is_some())
    }

    /// Why the engine is of no use to this node.
    pub(crate) fn fault_of_engine(&self) -> Option<String> {
        let node = self.member.as_ref().and_then(|member| member.superseded());
        let newer = node.map(|node| format!("{node} knows a newer engine: om cluster rebuild --from that node"));
        newer.or_else(|| self.engine_fault.clone())
    }

    /// What ran here in slots is cut, as the life of this node was ended; another one does not begin.
    pub(super) fn note_removal(&mut self) {
        let Some(member) = self.member.as_mut().filter(|member| !member.removed) else { return };
        member.removed = true;
        let reason = "this node was taken out of the cluster: om cluster leave here, and om cluster join to come back";
        self.engine_fault = Some(reason.to_owned());
        self.add_event(EventKind::EngineDown, None, json!({ "reason": reason }));
    }
}
