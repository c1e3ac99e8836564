//! The paths between this node and the others, as rows of `om mon`: through the engine, and directly.

use std::collections::BTreeMap;

use model::NodeName;
use orchestrate::BootTime;
use protocol::daemon::DaemonThread;

use super::link::RECENT;
use crate::guard::VALIDITY;
use crate::owner::Owner;

impl Owner {
    /// The rows of `om mon` about the paths to other nodes.
    pub(crate) fn link_threads(&self) -> Vec<DaemonThread> {
        let Some(member) = &self.member else { return Vec::new() };
        let now = crate::clock::now();
        let others: Vec<NodeName> = self.others().into_iter().collect();
        let row = |id: &str, detail: &str, state: &dyn Fn(&NodeName) -> &'static str| DaemonThread {
            id: id.to_owned(),
            state: "running".to_owned(),
            detail: detail.to_owned(),
            peers: others.iter().map(|node| (node.clone(), state(node).to_owned())).collect(),
        };
        let recent = |at: Option<BootTime>| at.is_some_and(|at| now.since(at) < RECENT);
        let word = |is_up: bool| if is_up { "up" } else { "down" };
        let peer = |node: &NodeName| member.link.peers.get(node);
        let away = member.is_engine_away(now);
        let beat_heard = |node: &NodeName| {
            let heard = member.ownership.heard(node).is_some_and(|at| now.since(at) < VALIDITY);
            word(heard && !away)
        };
        // Whether the other one sees it, only itself can say.
        let beat_seen = |node: &NodeName| match peer(node).filter(|peer| recent(peer.answered)) {
            Some(peer) => word(peer.sees_beat),
            None => "unknown",
        };
        let heard = |node: &NodeName| word(peer(node).is_some_and(|peer| recent(peer.heard)));
        let answered = |node: &NodeName| word(peer(node).is_some_and(|peer| recent(peer.answered)));
        let address = member.link.endpoint.address().map(|address| address.to_string()).unwrap_or_default();
        let mut rows = vec![
            row("hb#1.rx", &self.engine_name, &beat_heard),
            row("hb#1.tx", &self.engine_name, &beat_seen),
            row("hb#2.rx", &address, &heard),
            row("hb#2.tx", &address, &answered),
        ];
        // It votes, and runs nothing: no node stands beside it.
        rows.extend(member.witness.as_ref().map(|witness| DaemonThread {
            id: "witness".to_owned(),
            state: if witness.answers { "running" } else { "stopped" }.to_owned(),
            detail: format!("{} {}", witness.node, witness.address),
            peers: BTreeMap::new(),
        }));
        rows
    }
}
