//! The task that keeps the listener as `node.conf` wants it: which addresses it listens on, and its certificate.
//!
//! Inputs: the event that `node.conf` was read again, and the clock, for the renewal of the certificate and for addresses that
//! could not be listened on yet. Output: connections, to the accept loop of the server. It ends with the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use daemon::{DaemonHandle, EventReader};
use peer::PeerEndpoint;
use protocol::daemon::EventKind;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::access::{AccessControl, ListenerSettings};
use crate::listener::ListenerControl;

/// The certificate is looked at so often: whether it ends soon.
const LOOK: Duration = Duration::from_secs(3600);

/// What failed, such as an address that the node does not have yet, is tried again after so long.
const RETRY: Duration = Duration::from_secs(5);

/// With so little of its certificate's life left, the daemon says that it could not renew it.
const ALARM: Duration = Duration::from_secs(15 * 24 * 3600);

/// A connection, and where it comes from.
type ClientArrival = (TcpStream, SocketAddr);

/// The addresses that are listened on. Each has a task, which ends when this is dropped.
#[derive(Default)]
struct OpenListeners {
    all: BTreeMap<SocketAddr, JoinSet<()>>,
}

/// Keeps the listener as the settings want it, for as long as it is polled.
pub(crate) async fn follow_settings(
    daemon: DaemonHandle,
    access: Arc<AccessControl>,
    control: Arc<ListenerControl>,
    arrivals: mpsc::Sender<(TcpStream, SocketAddr)>,
) {
    // Before the settings are read, so that a change meanwhile is not missed.
    let mut events = daemon.events().follow(None);
    let mut open = OpenListeners::default();
    let mut reached = daemon.peers().map(PeerEndpoint::addresses);
    loop {
        let peers = reached.as_mut().and_then(|reached| *reached.borrow_and_update());
        let failure = apply(&access, &control, (&mut open, peers), &arrivals).await.err();
        let wait = if failure.is_some() { RETRY } else { LOOK };
        if let Some(reason) = &failure {
            alarm(&daemon, &access, reason);
        }
        control.note(open.all.keys().copied().collect(), failure);
        tokio::select! {
            () = changed(&mut events) => {}
            () = moved(&mut reached) => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Waits until `node.conf` was read again.
async fn changed(events: &mut EventReader) {
    while let Some(event) = events.next().await {
        if matches!(event.kind, EventKind::NodeConfig | EventKind::Resync) {
            return;
        }
    }
    // The daemon has ended.
    std::future::pending().await
}

/// Waits until peers reach this node elsewhere.
async fn moved(reached: &mut Option<watch::Receiver<Option<SocketAddr>>>) {
    let Some(reached) = reached else { return std::future::pending().await };
    if reached.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn apply(
    access: &Arc<AccessControl>,
    control: &Arc<ListenerControl>,
    (open, peers): (&mut OpenListeners, Option<SocketAddr>),
    arrivals: &mpsc::Sender<ClientArrival>,
) -> Result<(), String> {
    let (source, listener) = (Arc::clone(&access.source), Arc::clone(control));
    // Files are read, and perhaps a key is made.
    let work = move || source.listener().and_then(|settings| listener.load(&settings).map(|()| settings));
    let settings =
        tokio::task::spawn_blocking(work).await.map_err(|_| "the settings could not be read".to_owned())??;
    open.set(&with_peers(addresses(&settings), peers), arrivals).await
}

/// The addresses that settings mean: with any there is loopback, unless they name it already.
fn addresses(settings: &ListenerSettings) -> BTreeSet<SocketAddr> {
    let mut addresses = settings.addresses.clone();
    let is_local = |address: &IpAddr| address.is_loopback() || address.is_unspecified();
    if !addresses.is_empty() && !addresses.iter().any(is_local) {
        addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    addresses.into_iter().map(|address| SocketAddr::new(address, settings.port)).collect()
}

/// The same, and the address at which peers reach this node, unless it is among them.
fn with_peers(mut addresses: BTreeSet<SocketAddr>, peers: Option<SocketAddr>) -> BTreeSet<SocketAddr> {
    let Some(peers) = peers else { return addresses };
    let covers = |address: &SocketAddr| {
        address.port() == peers.port() && address.ip().is_unspecified() && address.is_ipv4() == peers.is_ipv4()
    };
    if !addresses.iter().any(covers) {
        addresses.insert(peers);
    }
    addresses
}

impl OpenListeners {
    /// Listens on these addresses and on no other. Connections that are open go on.
    async fn set(
        &mut self,
        wanted: &BTreeSet<SocketAddr>,
        arrivals: &mpsc::Sender<ClientArrival>,
    ) -> Result<(), String> {
        // The task of one that is dropped may have its socket for a moment more. A bind that fails for it is tried
        // again after `RETRY`.
        self.all.retain(|address, _| wanted.contains(address));
        let mut failures = Vec::new();
        for address in wanted {
            if self.all.contains_key(address) {
                continue;
            }
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let mut task = JoinSet::new();
                    task.spawn(accept(listener, arrivals.clone()));
                    self.all.insert(*address, task);
                }
                Err(error) => failures.push(format!("cannot listen on {address}: {error}")),
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }
}

async fn accept(listener: TcpListener, arrivals: mpsc::Sender<ClientArrival>) {
    loop {
        match listener.accept().await {
            Ok(arrival) => {
                if arrivals.send(arrival).await.is_err() {
                    return;
                }
            }
            // Too many open files, most likely: those who hang up make room.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Says that the certificate ends soon, if it does.
fn alarm(daemon: &DaemonHandle, access: &AccessControl, reason: &str) {
    let now = SystemTime::now();
    let left = access.desk().node_left(now);
    if let Some(left) = left.filter(|left| *left < ALARM) {
        let at = now.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let data = json!({"days_left": left.as_secs() / 86_400, "reason": reason});
        daemon.events().add(at, EventKind::CertExpiring, None, data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_comes_with_an_address_and_alone_only_if_it_is_asked_for() {
        let check = |written: &[&str], expected: &[&str]| {
            let addresses_of = written.iter().map(|text| text.parse().unwrap()).collect();
            let settings = ListenerSettings { addresses: addresses_of, ..ListenerSettings::default() };
            let found: Vec<String> = addresses(&settings).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(&["10.0.0.1"], &["10.0.0.1:1215", "127.0.0.1:1215"]);
        check(&["127.0.0.1"], &["127.0.0.1:1215"]);
        check(&["::1"], &["[::1]:1215"]);
        check(&["0.0.0.0"], &["0.0.0.0:1215"]);
    }

    #[test]
    fn peers_are_listened_for_also_where_users_are_not() {
        let check = |written: &[&str], expected: &[&str]| {
            let written = written.iter().map(|text| text.parse().unwrap()).collect();
            let found = with_peers(written, Some("10.0.0.1:1215".parse().unwrap()));
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        };
        check(&[], &["10.0.0.1:1215"]);
        check(&["127.0.0.1:1215"], &["10.0.0.1:1215", "127.0.0.1:1215"]);
        check(&["0.0.0.0:1215"], &["0.0.0.0:1215"]);
        check(&["10.0.0.1:1215"], &["10.0.0.1:1215"]);
    }
}
