//! Where the daemons reach each other, by which keys, and who may end whose life: published in the store, and taken over from it.

use agent::file::durable;
use orchestrate::StoreRevision;
use peer::PeerPin;
use replica::{PeerRow, publication};
use store::TxnRequest;

use crate::owner::{Owner, SentRequest};

impl Owner {
    /// Says where this node is reached, and that it may end the lives of others from now on.
    pub(super) fn publish_link(&mut self) {
        let Some(member) = self.member.as_ref().filter(|member| !member.link.publishing) else { return };
        let Some(life) = self.node.life else { return };
        let identity = member.link.endpoint.identity();
        let row = member.link.endpoint.address();
        let row = row.map(|address| PeerRow::new(address.to_string(), identity.certificate().to_owned()));
        let of_peer = row.and_then(|row| publication::publish_peer(&self.shared, &self.me, life, &row));
        let joins = || publication::join_members(&self.shared, &self.me, life);
        // First where it is reached: a node that is in the list and cannot be asked keeps all others from the
        // promises of all.
        let Some(txn) = of_peer.or_else(joins).or_else(|| self.removal(life)) else { return };
        if let Some(member) = &mut self.member {
            member.link.publishing = true;
        }
        self.send(SentRequest::Link, txn);
    }

    pub(crate) fn link_said(&mut self) {
        if let Some(member) = &mut self.member {
            member.link.publishing = false;
        }
    }

    /// A node whose life has ended, and that does not belong to the cluster any more, is not asked for promises.
    fn removal(&self, life: u64) -> Option<TxnRequest> {
        let members = self.shared.members.iter().flat_map(|members| members.value.names());
        let mut gone = members.filter(|node| !self.cluster.nodes.contains(node));
        gone.find_map(|node| publication::remove_member(&self.shared, &self.me, life, &node))
    }

    /// Takes over who is reached where, and who may end whose life.
    pub(crate) fn follow_link(&mut self) {
        let Some(member) = &mut self.member else { return };
        let others = self.shared.peers.iter().filter(|(node, _)| **node != self.me);
        let pins = others.map(|(node, row)| {
            let PeerRow { address, certificate, .. } = row.value.clone();
            (node.clone(), PeerPin { address, certificate })
        });
        if member.link.endpoint.book().learn(pins) {
            // What is not kept is learned from the store again.
            let _ = durable::write(&member.link.file, &member.link.endpoint.book().to_bytes());
        }
        let members = self.shared.members.as_ref().map(|members| &members.value);
        let list = members.map_or(0, |members| members.list);
        // A node that is not in the list ends no life: the holder of a slot would not ask it for a promise.
        let since = members.and_then(|members| members.since(&self.me)).unwrap_or(u64::MAX);
        member.ownership.set_members(StoreRevision(list), StoreRevision(since));
    }
}
