//! The key of this node for the link, which it makes once.

use std::path::Path;
use std::time::{Duration, SystemTime};

use certificate::{CertificateError, CertificatePlace, KeyedLeaf, LeafSubject};
use model::NodeName;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Peers accept exactly this certificate, whatever it says of its end.
const LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A node's own certificate and key.
pub struct PeerIdentity {
    node: NodeName,
    leaf: KeyedLeaf,
}

impl std::fmt::Debug for PeerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerIdentity").field("node", &self.node).finish_non_exhaustive()
    }
}

impl PeerIdentity {
    /// Reads the key in a directory, or makes it. Blocks.
    pub fn open(directory: &Path, node: &NodeName, now: SystemTime) -> Result<PeerIdentity, CertificateError> {
        let place = CertificatePlace::new(directory);
        let leaf = match place.node()? {
            Some((leaf, _)) => leaf,
            None => {
                let subject = LeafSubject::Node { name: node.to_string(), called: vec![node.to_string()] };
                let leaf = KeyedLeaf::self_signed(&subject, now, LIFE)?;
                place.write_node(&leaf)?;
                leaf
            }
        };
        Ok(PeerIdentity { node: node.clone(), leaf })
    }

    /// The node.
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// The certificate in PEM, which the other nodes must know.
    pub fn certificate(&self) -> &str {
        &self.leaf.certificate
    }

    pub(crate) fn chain(&self) -> Result<Vec<CertificateDer<'static>>, rustls::Error> {
        let certificate = CertificateDer::from_pem_slice(self.leaf.certificate.as_bytes());
        Ok(vec![certificate.map_err(|error| rustls::Error::General(format!("node.pem: {error}")))?])
    }

    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, rustls::Error> {
        let key = PrivateKeyDer::from_pem_slice(self.leaf.key.as_bytes());
        key.map_err(|error| rustls::Error::General(format!("node.key: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let open = || PeerIdentity::open(directory.path(), &"n1".parse().unwrap(), SystemTime::now()).unwrap();
        let first = open().certificate().to_owned();
        assert_eq!(open().certificate(), first);
        std::fs::remove_file(directory.path().join("node.key")).unwrap();
        assert_ne!(open().certificate(), first, "a certificate without its key is of no use");
    }
}
