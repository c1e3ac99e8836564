//! This node's end of the link: what it shows, whom it knows, and where it is to be reached.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use certificate::CertificateError;
use model::NodeName;
use rustls::ServerConfig;
use tokio::sync::watch;

use crate::{PeerBook, PeerIdentity, PeerLinks, server_config};

/// This node's end of the link. A clone is the same end.
#[derive(Debug, Clone)]
pub struct PeerEndpoint {
    identity: Arc<PeerIdentity>,
    book: Arc<PeerBook>,
    links: Arc<PeerLinks>,
    server: Arc<ServerConfig>,
    address: watch::Sender<Option<SocketAddr>>,
}

/// Why a node has no end of the link.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("cannot use the key of the link to other daemons")]
    Key(#[from] rustls::Error),
}

impl PeerEndpoint {
    /// The end of a node whose key is in this directory, and that knows what this book says. Where it is reached is said later.
    /// Blocks.
    pub fn open(directory: &Path, node: &NodeName, book: PeerBook) -> Result<PeerEndpoint, EndpointError> {
        let identity = PeerIdentity::open(directory, node, SystemTime::now())?;
        let (identity, book) = (Arc::new(identity), Arc::new(book));
        let server = server_config(&identity, Arc::clone(&book))?;
        let links = Arc::new(PeerLinks::new(Arc::clone(&identity), Arc::clone(&book)));
        Ok(PeerEndpoint { identity, book, links, server, address: watch::Sender::new(None) })
    }

    pub fn identity(&self) -> &PeerIdentity {
        &self.identity
    }

    pub fn book(&self) -> &PeerBook {
        &self.book
    }

    pub fn links(&self) -> &Arc<PeerLinks> {
        &self.links
    }

    /// What peers are answered with.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// Where peers reach this node. None: it is not known yet.
    pub fn address(&self) -> Option<SocketAddr> {
        *self.address.borrow()
    }

    /// Tells of each change of the address.
    pub fn addresses(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.subscribe()
    }

    /// Says where peers reach this node.
    pub fn reach_at(&self, address: Option<SocketAddr>) {
        self.address.send_if_modified(|known| std::mem::replace(known, address) != address);
    }
}
