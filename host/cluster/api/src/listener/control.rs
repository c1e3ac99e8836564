//! The state of the listener: its settings, its certificate, and the addresses that it listens on now.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use certificate::KeyedLeaf;
use protocol::daemon::DaemonThread;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::access::{AccessControl, ListenerSettings};

/// What the listener does now. Handshakes take the certificate from here, so that a new one is presented at once.
#[derive(Debug)]
pub(crate) struct ListenerControl {
    access: Arc<AccessControl>,
    state: Mutex<ListenerState>,
}

#[derive(Debug, Default)]
struct ListenerState {
    settings: ListenerSettings,
    tls: Option<Arc<ServerConfig>>,
    bound: Vec<SocketAddr>,
    failure: Option<String>,
}

impl ListenerControl {
    pub(crate) fn new(access: Arc<AccessControl>) -> ListenerControl {
        ListenerControl { access, state: Mutex::default() }
    }

    /// What handshakes are made with. None: the listener is off.
    pub(crate) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.state().tls.clone()
    }

    /// Takes settings, and makes or renews the certificate for them. Blocks.
    pub(crate) fn load(&self, settings: &ListenerSettings) -> Result<(), String> {
        self.access.set_limits(settings.rate, settings.burst);
        self.state().settings = settings.clone();
        if settings.addresses.is_empty() {
            self.state().tls = None;
            return Ok(());
        }
        self.present(settings, false)
    }

    /// Makes a new certificate, and presents it from now on. Blocks.
    pub(crate) fn renew(&self) -> Result<(), String> {
        let settings = self.state().settings.clone();
        if settings.addresses.is_empty() {
            return Err(
                "the listener is off, and presents no certificate: om node set --kw listener.addr=ADDRESS".to_owned()
            );
        }
        self.present(&settings, true)
    }

    fn present(&self, settings: &ListenerSettings, anew: bool) -> Result<(), String> {
        let made = self.access.desk().node_leaf(settings, anew, SystemTime::now());
        let (leaf, authority) = made.map_err(|error| explained(&error))?;
        let config =
            server_config(&leaf, &authority).map_err(|error| format!("cannot use the certificate: {error}"))?;
        self.state().tls = Some(Arc::new(config));
        Ok(())
    }

    /// Notes what it listens on, and what it cannot do.
    pub(crate) fn note(&self, bound: Vec<SocketAddr>, failure: Option<String>) {
        let mut state = self.state();
        (state.bound, state.failure) = (bound, failure);
    }

    /// The row of the listener in `om mon`.
    pub(crate) fn describe(&self, thread: &mut DaemonThread) {
        let state = self.state();
        if let Some(failure) = &state.failure {
            (thread.state, thread.detail) = ("failed".to_owned(), failure.clone());
        } else if !state.bound.is_empty() {
            thread.detail = state.bound.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        }
    }

    fn state(&self) -> MutexGuard<'_, ListenerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// TLS 1.2 and 1.3. A client may present a certificate, and then it must be one of the authority.
fn server_config(leaf: &KeyedLeaf, authority: &str) -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate?)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    // A user with a token has no certificate.
    let verifier = verifier.allow_unauthenticated().build()?;
    // With the authority behind it: a node that joins knows only its digest.
    let chain = [leaf.certificate.as_bytes(), authority.as_bytes()];
    let chain = chain.into_iter().flat_map(CertificateDer::pem_slice_iter).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn explained(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}")
}
