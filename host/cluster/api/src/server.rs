//! The accept loop, and one connection after its greeting. What is answered is in [`crate::answer`].
//!
//! Input: connections. Output: calls of the daemon's handle. The loop ends when the daemon does: answers that are under way
//! are finished, streams of events get what is left, and then the socket is removed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::{DaemonHandle, TaskProgram};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::access::{AccessControl, AccessPlaces, AccessSource, ClientLink};
use crate::listener::{DaemonSocket, GreetingKeys, ListenerControl, follow_settings, greet};
use crate::route::EventSlots;
use crate::slots::{SharedSlots, TakenSlot};

/// So many connections of the unix socket are served at once, and as many by TLS. All others are refused.
pub(crate) const CONNECTIONS: usize = 256;

/// So many of one address.
const CONNECTIONS_OF_ADDRESS: usize = 64;

/// A client that connects has so long for the handshake, and so long to say what it wants.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The most that is read of a request's head.
const HEAD: usize = 32 * 1024;

/// So long may the last answers take when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct ApiServer {
    pub(crate) daemon: DaemonHandle,
    pub(crate) access: Arc<AccessControl>,
    pub(crate) listener: Arc<ListenerControl>,
    pub(crate) slots: EventSlots,
    pub(crate) program: Option<Arc<TaskProgram>>,
    pub(crate) began: Instant,
    pub(crate) ending: watch::Receiver<bool>,
}

/// What the API needs of the node that it runs on.
pub struct ApiNode {
    pub source: Arc<dyn AccessSource>,
    pub places: AccessPlaces,
    /// What runs the commands that other nodes forward: `om`, with the options that come before its command. None: none are run.
    pub program: Option<TaskProgram>,
}

/// Serves the daemon's API until `ended` completes.
pub async fn serve(socket: DaemonSocket, daemon: DaemonHandle, node: ApiNode, ended: impl Future<Output = ()>) {
    let (end, ending) = watch::channel(false);
    let owner = rustix::process::geteuid().as_raw();
    let identity = (daemon.node().clone(), daemon.peers().cloned());
    let access = Arc::new(AccessControl::new(node.source, node.places, identity, owner));
    let listener = Arc::new(ListenerControl::new(Arc::clone(&access)));
    let (arrived, mut arrivals) = mpsc::channel(16);
    let listening = follow_settings(daemon.clone(), Arc::clone(&access), Arc::clone(&listener), arrived);
    let (slots, program) = (EventSlots::new(), node.program.map(Arc::new));
    let server = Arc::new(ApiServer { daemon, access, listener, slots, program, began: Instant::now(), ending });
    // Of their own each, so that a flood by TLS leaves the unix socket free.
    let (local, remote) =
        (SharedSlots::new(CONNECTIONS, CONNECTIONS), SharedSlots::new(CONNECTIONS, CONNECTIONS_OF_ADDRESS));
    let mut connections = JoinSet::new();
    tokio::pin!(ended, listening);
    loop {
        tokio::select! {
            () = &mut ended => break,
            () = &mut listening => {}
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(Arc::clone(&server).serve_unix(stream, local.take(None).ok()));
                }
                // Too many open files, most likely: those who hang up make room.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some((stream, from)) = arrivals.recv() => {
                let client = from.ip().to_canonical();
                // Who is refused here has cost no handshake.
                if server.access.admits(client) && let Ok(slot) = remote.take(Some(client.to_string())) {
                    connections.spawn(Arc::clone(&server).serve_tls(stream, from, slot));
                }
            }
            // Collected as they end, so that the set does not grow.
            Some(_) = connections.join_next() => {}
        }
    }
    end.send_replace(true);
    let _ = tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
}

/// Waits for the end of the daemon.
pub(crate) async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error: the accept loop is gone, which is the end as well.
    let _ = ending.wait_for(|ending| *ending).await;
}

impl ApiServer {
    /// Serves a process on this node. `slot` is kept until the connection is closed; without one, it is only told so.
    async fn serve_unix(self: Arc<Self>, stream: UnixStream, slot: Option<TakenSlot>) {
        // Without credentials there is nobody to answer.
        let Ok(credentials) = stream.peer_cred() else { return };
        let link = ClientLink::Unix { uid: credentials.uid(), pid: credentials.pid() };
        self.converse(stream, Arc::new(link), slot).await;
    }

    /// Serves a client that comes from an address.
    async fn serve_tls(self: Arc<Self>, stream: TcpStream, from: SocketAddr, slot: TakenSlot) {
        let keys = GreetingKeys { users: self.listener.tls(), peers: self.daemon.peers() };
        match greet(stream, from, keys, PATIENCE).await {
            Ok((stream, link)) => self.converse(stream, Arc::new(link), Some(slot)).await,
            Err(error) => {
                self.access.count_failure(from.ip().to_canonical());
                if let Some(reason) = error.refused_certificate() {
                    self.record_handshake(from, &reason);
                }
            }
        }
    }

    async fn converse<S>(self: Arc<Self>, stream: S, link: Arc<ClientLink>, slot: Option<TakenSlot>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let has_room = slot.is_some();
        let service = service_fn(|request| {
            let (server, link) = (Arc::clone(&self), Arc::clone(&link));
            async move { Ok::<_, Infallible>(server.reply(&link, has_room, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut ending = self.ending.clone();
        tokio::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => {}
            () = ended(&mut ending) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
        // Kept to here: the place belongs to the connection and not to an answer.
        drop(slot);
    }
}
