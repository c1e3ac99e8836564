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

    /// What ran here in slots is cut, as the life of this node was ended; another one does not begin.
    pub(super) fn note_removal(&mut self) {
        let Some(member) = self.member.as_mut().filter(|member| !member.removed) else { return };
        member.removed = true;
        let reason = "this node was taken out of the cluster: om cluster leave here, and om cluster join to come back";
        self.engine_fault = Some(reason.to_owned());
        self.add_event(EventKind::EngineDown, None, json!({ "reason": reason }));
    }
}
