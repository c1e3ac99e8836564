//! What a fence has proven, until the store knows it.

use std::time::Duration;

use model::NodeName;
use orchestrate::{BootTime, StoreRevision};

use crate::owner::Owner;

/// After a refusal, the proof is sent again so much later: another node may have ended the same life meanwhile.
const AGAIN: Duration = Duration::from_millis(200);

impl Owner {
    /// Ends the lives that fences have proven to be over.
    pub(super) fn press_proofs(&mut self, now: BootTime) {
        let Some(member) = &self.member else { return };
        let proven: Vec<(NodeName, u64)> =
            member.fences.proven.iter().map(|(node, (life, _))| (node.clone(), *life)).collect();
        for (node, life) in proven {
            let registration = self.shared.nodes.get(&node);
            // The one that was lost, or its end, which came by time meanwhile. In any other life the node was not fenced.
            let seen = registration.filter(|row| {
                let ended = row.value.evicted && row.value.ended == life;
                !(row.value.evicted && row.value.fenced) && (row.revision == life || ended)
            });
            let seen = seen.map(|row| row.revision);
            self.press_proof(&node, seen, now);
        }
    }

    fn press_proof(&mut self, node: &NodeName, seen: Option<u64>, now: BootTime) {
        let beat = self.shared.beats.get(node).map_or(0, |beat| beat.revision);
        let Some(member) = &mut self.member else { return };
        let Some(life) = seen else {
            member.fences.proven.remove(node);
            return;
        };
        let Some((_, told)) = member.fences.proven.get_mut(node) else { return };
        if told.is_some_and(|told| now.since(told) < AGAIN) {
            return;
        }
        *told = Some(now);
        let pair = (StoreRevision(life), StoreRevision(beat));
        if let Some((sent, _keep)) = member.ownership.evict_fenced(node, pair, now) {
            self.send_owned(sent);
        }
    }
}
