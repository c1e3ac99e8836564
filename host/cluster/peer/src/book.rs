//! What this node knows of the others: the address and the certificate of each.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use model::NodeName;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

/// What a node has published of its end of the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerPin {
    /// `10.0.0.1:1215`.
    pub address: String,
    /// In PEM.
    pub certificate: String,
}

#[derive(Debug, Clone)]
pub(crate) struct PinnedPeer {
    pub(crate) pin: PeerPin,
    pub(crate) certificate: CertificateDer<'static>,
}

/// The other nodes, by what they have published. Handshakes look into it, so that a change holds at once.
#[derive(Debug, Default)]
pub struct PeerBook {
    peers: RwLock<BTreeMap<NodeName, PinnedPeer>>,
}

impl PeerBook {
    /// The book that [`PeerBook::to_bytes`] wrote. What cannot be read is left out: the store has it too.
    pub fn of_bytes(bytes: &[u8]) -> PeerBook {
        let pins: BTreeMap<String, PeerPin> = serde_json::from_slice(bytes).unwrap_or_default();
        let book = PeerBook::default();
        book.learn(pins.into_iter().filter_map(|(node, pin)| Some((node.parse().ok()?, pin))));
        book
    }

    /// As it is kept on disk.
    pub fn to_bytes(&self) -> Vec<u8> {
        let peers = self.peers();
        let pins: BTreeMap<&str, &PeerPin> = peers.iter().map(|(node, peer)| (node.as_str(), &peer.pin)).collect();
        // Text cannot fail to become JSON.
        serde_json::to_vec(&pins).unwrap_or_default()
    }

    /// Replaces all that it says. A certificate that cannot be read is left out. Returns whether something has changed.
    pub fn learn(&self, pins: impl IntoIterator<Item = (NodeName, PeerPin)>) -> bool {
        let read = |(node, pin): (NodeName, PeerPin)| {
            let certificate = CertificateDer::from_pem_slice(pin.certificate.as_bytes()).ok()?;
            Some((node, PinnedPeer { pin, certificate }))
        };
        let news: BTreeMap<NodeName, PinnedPeer> = pins.into_iter().filter_map(read).collect();
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        let same = peers.len() == news.len()
            && peers.iter().zip(&news).all(|((old, was), (new, is))| old == new && was.pin == is.pin);
        // Even if nothing has changed for the caller: a node that is not named any more is refused from the next
        // handshake on.
        *peers = news;
        !same
    }

    /// The node whose certificate this is.
    pub fn owner(&self, certificate: &[u8]) -> Option<NodeName> {
        let peers = self.peers();
        peers.iter().find(|(_, peer)| &*peer.certificate == certificate).map(|(node, _)| node.clone())
    }

    /// Where the link of a node is.
    pub fn address(&self, node: &NodeName) -> Option<String> {
        self.peers().get(node).map(|peer| peer.pin.address.clone())
    }

    pub(crate) fn peer(&self, node: &NodeName) -> Option<PinnedPeer> {
        self.peers().get(node).cloned()
    }

    fn peers(&self) -> RwLockReadGuard<'_, BTreeMap<NodeName, PinnedPeer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PeerIdentity;

    #[test]
    fn a_book_is_read_as_it_was_written_and_knows_what_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let node: NodeName = "n1".parse().unwrap();
        let identity = PeerIdentity::open(directory.path(), &node, std::time::SystemTime::now()).unwrap();
        let pin = PeerPin { address: "10.0.0.1:1215".to_owned(), certificate: identity.certificate().to_owned() };
        let book = PeerBook::default();
        assert!(book.learn([(node.clone(), pin.clone())]));
        assert!(!book.learn([(node.clone(), pin.clone())]));
        let again = PeerBook::of_bytes(&book.to_bytes());
        assert_eq!(again.address(&node).as_deref(), Some("10.0.0.1:1215"));
        assert_eq!(again.owner(&identity.chain().unwrap()[0]), Some(node.clone()));
        assert_eq!(again.owner(b"another"), None);
        let nonsense = PeerPin { certificate: "nonsense".to_owned(), ..pin };
        assert!(book.learn([(node.clone(), nonsense)]), "what cannot be read pins nothing");
        assert_eq!(book.address(&node), None);
        assert_eq!(PeerBook::of_bytes(b"{").to_bytes(), b"{}");
    }
}
