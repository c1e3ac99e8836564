//! Which nodes the fences of `cluster.conf` end, read beside the owner once in a while.

use std::time::Duration;

use orchestrate::BootTime;

use crate::cluster::member::ClusterMessage;
use crate::owner::{Message, Owner};

/// How often the file is read, as a test of a fence changes what is said of it. A change of the file itself is noticed at once.
const PERIOD: Duration = Duration::from_secs(10);

/// What `cluster.conf` says of fences.
pub(crate) struct FoundFences {
    pub(super) nodes: std::collections::BTreeSet<model::NodeName>,
    pub(super) warning: Option<String>,
}

impl Owner {
    pub(super) fn read_fences(&mut self, now: BootTime) {
        let Some(member) = &mut self.member else { return };
        if member.fences.read.is_some_and(|at| now.since(at) < PERIOD) {
            return;
        }
        member.fences.read = Some(now);
        let (agent, mail) = (self.agent.clone(), self.mail.clone());
        tokio::spawn(async move {
            // While the file cannot be read, what it said before stays.
            let Ok(sections) = agent.fences().await else { return };
            let nodes = sections.into_iter().flat_map(|section| section.nodes).collect();
            let warning = agent.fence_warning().await;
            let _ = mail.send(Message::Cluster(ClusterMessage::Fences(FoundFences { nodes, warning })));
        });
    }

    /// The file has changed.
    pub(crate) fn read_fences_again(&mut self) {
        if let Some(member) = &mut self.member {
            member.fences.read = None;
        }
    }

    pub(in crate::cluster) fn fences_read(&mut self, found: FoundFences) {
        let me = self.me.clone();
        let Some(member) = &mut self.member else { return };
        member.fences.nodes = found.nodes.into_iter().filter(|node| *node != me).collect();
        member.fences.warning = found.warning;
    }
}
