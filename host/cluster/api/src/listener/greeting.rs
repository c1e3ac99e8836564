//! The beginning of a connection by TLS: the handshake, and what the client's certificate says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use certificate::serial_of;
use peer::{PEER_PROTOCOL, PeerEndpoint};
use rustls::ServerConfig;
use rustls::server::{Acceptor, ClientHello};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::access::ClientLink;

/// The first byte of every handshake.
const HANDSHAKE: u8 = 0x16;

/// What a client is told that speaks HTTP without TLS.
const PLAIN: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 46\r\n\r\n\
    this port speaks TLS only: ask it by https://\n";

/// Why a connection was not served.
#[derive(Debug)]
pub(crate) enum GreetingError {
    /// The client spoke something else, or nothing.
    Silent,
    /// The client spoke HTTP, and was told so.
    Plain,
    /// The handshake failed.
    Handshake(io::Error),
}

impl GreetingError {
    /// Why a certificate was refused, if one was.
    pub(crate) fn refused_certificate(&self) -> Option<String> {
        let GreetingError::Handshake(error) = self else { return None };
        match error.get_ref()?.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(reason) => Some(format!("the client's certificate is refused: {reason}")),
            _ => None,
        }
    }
}

/// Who is answered on the port, and by which keys.
#[derive(Debug)]
pub(crate) struct GreetingKeys<'a> {
    /// Users. None: the listener is off for them.
    pub(crate) users: Option<Arc<ServerConfig>>,
    /// The other daemons of the cluster. None on a node alone.
    pub(crate) peers: Option<&'a PeerEndpoint>,
}

/// Makes the handshake, which may take so long.
pub(crate) async fn greet(
    tcp: TcpStream,
    from: SocketAddr,
    keys: GreetingKeys<'_>,
    limit: Duration,
) -> Result<(TlsStream<TcpStream>, ClientLink), GreetingError> {
    let greeting = async {
        let mut first = [0];
        // `peek` leaves the byte for the handshake.
        match tcp.peek(&mut first).await {
            Ok(1) if first[0] == HANDSHAKE => {}
            Ok(1) if first[0].is_ascii_uppercase() => {
                say_plain(tcp).await;
                return Err(GreetingError::Plain);
            }
            _ => return Err(GreetingError::Silent),
        }
        // Answers are small, and wait for nobody.
        let _ = tcp.set_nodelay(true);
        let failed = GreetingError::Handshake;
        // The greeting is read before the keys are chosen, as users and peers share the port.
        let begun = LazyConfigAcceptor::new(Acceptor::default(), tcp).await.map_err(failed)?;
        let is_peer = names_peers(&begun.client_hello());
        // A daemon that is alone has no peers, and one whose listener is off no users.
        let config = if is_peer { keys.peers.map(PeerEndpoint::server) } else { keys.users };
        let config = config.ok_or(GreetingError::Silent)?;
        Ok((begun.into_stream(config).await.map_err(failed)?, is_peer))
    };
    let (stream, is_peer) = tokio::time::timeout(limit, greeting).await.unwrap_or(Err(GreetingError::Silent))?;
    let (_, session) = stream.get_ref();
    if is_peer {
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.ok_or(GreetingError::Silent)?.to_vec();
        return Ok((stream, ClientLink::Peer { address: from.ip().to_canonical(), certificate }));
    }
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let certificate = certificate.and_then(|leaf| serial_of(leaf).ok());
    Ok((stream, ClientLink::Tls { address: from.ip().to_canonical(), certificate }))
}

/// Whether the client says that it is a daemon. It has to prove that yet.
fn names_peers(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == PEER_PROTOCOL))
}

async fn say_plain(mut tcp: TcpStream) {
    let _ = tcp.write_all(PLAIN).await;
    let _ = tcp.shutdown().await;
    // What is left unread would cut the answer off.
    let mut rest = tcp.take(64 << 10);
    let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
}
