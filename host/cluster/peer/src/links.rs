//! Requests to other nodes. A connection is kept for the questions that come again and again, and made anew when it was lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as PlainMutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use model::NodeName;
use protocol::daemon::{API_HEADER, API_VERSION};
use protocol::{FailureKind, RequestFailure};
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::book::PinnedPeer;
use crate::tls::client_config;
use crate::{PeerBook, PeerError, PeerIdentity, PeerPin};

/// A connection, and what the node had published when it was made.
struct OpenLink {
    pin: PeerPin,
    sender: SendRequest<Full<Bytes>>,
}

type LinkSlot = Arc<Mutex<Option<OpenLink>>>;

/// The links to all other nodes.
pub struct PeerLinks {
    identity: Arc<PeerIdentity>,
    book: Arc<PeerBook>,
    open: PlainMutex<BTreeMap<NodeName, LinkSlot>>,
}

impl std::fmt::Debug for PeerLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerLinks").field("node", self.identity.node()).finish_non_exhaustive()
    }
}

impl PeerLinks {
    pub(crate) fn new(identity: Arc<PeerIdentity>, book: Arc<PeerBook>) -> PeerLinks {
        PeerLinks { identity, book, open: PlainMutex::default() }
    }

    /// Asks a node for something that may be asked twice, and reads its answer. All of it takes no longer than `limit`.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        node: &NodeName,
        address: &str,
        document: &(impl Serialize + Sync),
        limit: Duration,
    ) -> Result<T, PeerError> {
        let body = Bytes::from(serde_json::to_vec(document).map_err(PeerError::Answer)?);
        let asked = tokio::time::timeout(limit, self.ask_kept(node, address, body));
        let bytes = asked.await.unwrap_or(Err(PeerError::Silent(limit)))?;
        serde_json::from_slice(&bytes).map_err(PeerError::Answer)
    }

    /// Asks a node over a connection of its own, for an answer that takes its time. It begins within `limit`.
    pub async fn begin(
        &self,
        node: &NodeName,
        address: &str,
        document: &(impl Serialize + Sync),
        limit: Duration,
    ) -> Result<Incoming, PeerError> {
        let body = Bytes::from(serde_json::to_vec(document).map_err(PeerError::Answer)?);
        let begun = async {
            let peer = self.peer(node)?;
            let mut sender = self.connect(node, &peer).await?;
            let response = sender.send_request(request(&peer.pin, address, body)?).await.map_err(PeerError::Lost)?;
            accepted(response).await
        };
        tokio::time::timeout(limit, begun).await.unwrap_or(Err(PeerError::Silent(limit)))
    }

    async fn ask_kept(&self, node: &NodeName, address: &str, body: Bytes) -> Result<Bytes, PeerError> {
        let peer = self.peer(node)?;
        let slot = self.slot(node);
        // Held to the end of the answer: two requests on one connection of HTTP/1.1 would wait for each other
        // anyway.
        let mut link = slot.lock().await;
        // Taken out, so that one whose answer was given up half-way is not used again.
        if let Some(mut kept) = link.take().filter(|kept| kept.pin == peer.pin && !kept.sender.is_closed())
            && let Ok(response) = kept.sender.send_request(request(&peer.pin, address, body.clone())?).await
        {
            let bytes = whole(accepted(response).await?).await?;
            *link = Some(kept);
            return Ok(bytes);
        }
        // It may have been lost since it was used last: the other daemon may be another process by now.
        let mut sender = self.connect(node, &peer).await?;
        let response = sender.send_request(request(&peer.pin, address, body)?).await.map_err(PeerError::Lost)?;
        let bytes = whole(accepted(response).await?).await?;
        *link = Some(OpenLink { pin: peer.pin, sender });
        Ok(bytes)
    }

    async fn connect(&self, node: &NodeName, peer: &PinnedPeer) -> Result<SendRequest<Full<Bytes>>, PeerError> {
        let address = &peer.pin.address;
        let config = client_config(&self.identity, peer.certificate.clone())?;
        let tcp = TcpStream::connect(address).await.map_err(|error| PeerError::Unreachable(address.clone(), error))?;
        // A ping is small, and must not wait for the next one (Nagle). Without the option it is only later.
        let _ = tcp.set_nodelay(true);
        // Which node it is, its certificate says: the name is not looked at.
        let name = ServerName::try_from("peer.invalid").map_err(|_| rustls::Error::UnsupportedNameType)?;
        let stream = TlsConnector::from(config).connect(name, tcp).await;
        let stream = stream.map_err(|error| PeerError::Handshake(address.clone(), node.clone(), error))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(PeerError::Lost)?;
        // It ends when the sender is gone and the answer was read, or is not read any more.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn peer(&self, node: &NodeName) -> Result<PinnedPeer, PeerError> {
        self.book.peer(node).ok_or_else(|| PeerError::Unpinned(node.clone()))
    }

    fn slot(&self, node: &NodeName) -> LinkSlot {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(open.entry(node.clone()).or_default())
    }
}

fn request(pin: &PeerPin, address: &str, body: Bytes) -> Result<Request<Full<Bytes>>, PeerError> {
    Request::post(address)
        .header(HOST, pin.address.as_str())
        .header(API_HEADER, API_VERSION)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body))
        .map_err(PeerError::Request)
}

async fn accepted(response: Response<Incoming>) -> Result<Incoming, PeerError> {
    if response.status().is_success() {
        return Ok(response.into_body());
    }
    let status = response.status();
    let body = whole(response.into_body()).await?;
    let unknown = |_| RequestFailure { kind: FailureKind::Failed, message: format!("it answers {status}") };
    Err(PeerError::Refused(serde_json::from_slice(&body).unwrap_or_else(unknown)))
}

async fn whole(body: Incoming) -> Result<Bytes, PeerError> {
    Ok(body.collect().await.map_err(PeerError::Lost)?.to_bytes())
}
