//! Other nodes: how long they have been silent, and the end of their lives.

use model::NodeName;
use orchestrate::{BootTime, StoreRevision};

use crate::{NodeReading, Ownership, OwnershipEffect, OwnershipRequest, SentEvict, SentRequest};

/// A living node, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PeerWatch {
    pub(crate) life: StoreRevision,
    pub(crate) beat: StoreRevision,
    pub(crate) pinned: bool,
    pub(crate) members: StoreRevision,
    /// When the answer arrived that first showed this pair of life and beat.
    pub(crate) since: BootTime,
    pub(crate) evicting: bool,
}

impl PeerWatch {
    pub(crate) fn begin(found: &NodeReading, arrived: BootTime) -> Self {
        let (life, beat, pinned, members) = (found.life, found.beat, found.pinned, found.members);
        Self { life, beat, pinned, members, since: arrived, evicting: false }
    }

    pub(crate) fn pair(&self) -> (StoreRevision, StoreRevision) {
        (self.life, self.beat)
    }
}

impl Ownership {
    /// When the answer arrived that first showed the present life and beat of another node. None: it is not known as alive.
    pub fn heard(&self, node: &NodeName) -> Option<BootTime> {
        self.peers.get(node).map(|peer| peer.since)
    }

    /// The other nodes that are known as alive.
    pub fn living_peers(&self) -> impl Iterator<Item = &NodeName> {
        self.peers.keys()
    }

    /// When the next life may be ended, if all other nodes stay silent. What is past is left out: something else is in its way.
    pub fn next_evict(&self, now: BootTime) -> Option<BootTime> {
        let due = self.peers.iter().filter(|(_, peer)| !peer.pinned && !peer.evicting).map(|(node, peer)| {
            let promised = self.promises.get(node).filter(|promise| promise.holds(peer.life, now));
            (peer.since + self.timing.patience).max(promised.map_or(BootTime::BOOT, |promise| promise.until))
        });
        due.filter(|due| *due > now).min()
    }

    /// Ends the life of a node that was silent for too long. `Keep` must be done before it is sent.
    pub fn evict(&mut self, node: &NodeName, now: BootTime) -> Option<(SentRequest, OwnershipEffect)> {
        let peer = self.peers.get(node)?;
        let silent = now.since(peer.since) >= self.timing.patience;
        let promised = self.promises.get(node).is_some_and(|promise| promise.holds(peer.life, now));
        // A node that the holder does not ask for promises must leave it to those that it asks.
        let asked = self.member_since <= peer.members;
        if !silent || promised || peer.pinned || peer.evicting || !asked {
            return None;
        }
        let (life, beat) = peer.pair();
        // Of both, what was seen for that long: a beat that has been applied since proves that the node lives.
        let request = OwnershipRequest::Evict { node: node.clone(), life, beat: Some(beat) };
        let sent = self.sent(request, now)?;
        self.note_evict(node, life, beat);
        Some((sent, OwnershipEffect::Keep))
    }

    /// Ends a life on the word of a person who saw its services stopped. Both revisions are those that were shown to the person.
    pub fn evict_by_hand(
        &mut self,
        node: &NodeName,
        (life, beat): (StoreRevision, StoreRevision),
        now: BootTime,
    ) -> Option<(SentRequest, OwnershipEffect)> {
        let request = OwnershipRequest::Evict { node: node.clone(), life, beat: Some(beat) };
        let sent = self.sent(request, now)?;
        self.note_evict(node, life, beat);
        Some((sent, OwnershipEffect::Keep))
    }

    /// Ends a life after a fence that was proven. The life is the one that was read before the fence was called.
    pub fn evict_fenced(
        &mut self,
        node: &NodeName,
        (life, beat): (StoreRevision, StoreRevision),
        now: BootTime,
    ) -> Option<(SentRequest, OwnershipEffect)> {
        // No beat: one that was under way when the fence cut the node off may still be applied.
        let sent = self.sent(OwnershipRequest::Evict { node: node.clone(), life, beat: None }, now)?;
        self.note_evict(node, life, beat);
        Some((sent, OwnershipEffect::Keep))
    }

    fn note_evict(&mut self, node: &NodeName, life: StoreRevision, beat: StoreRevision) {
        self.memory.boot.evicts.insert(node.clone(), SentEvict { life, beat });
        if let Some(peer) = self.peers.get_mut(node).filter(|peer| peer.pair() == (life, beat)) {
            peer.evicting = true;
        }
    }

    /// Whatever the answer was, the next reading tells.
    pub(crate) fn evicted(&mut self, node: &NodeName) {
        if let Some(peer) = self.peers.get_mut(node) {
            peer.evicting = false;
        }
    }
}
