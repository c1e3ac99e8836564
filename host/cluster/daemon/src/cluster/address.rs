//! Where the other daemons reach this node: the first address of `listener.addr`, else that from which the engine is reached.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use agent::Agent;
use peer::PeerEndpoint;
use protocol::ConfigTarget;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedSender;

use crate::owner::Message;

/// The address may change, and may come after the daemon.
const LOOK: Duration = Duration::from_secs(5);

/// The port of the API.
const PORT: u16 = 1215;

/// Keeps the address up to date, until the owner is gone.
pub(crate) async fn follow_address(
    agent: Agent,
    // That of the cluster that `om cluster` made, and the members of the engine.
    (seat, engine): (Option<SocketAddr>, Vec<String>),
    peers: PeerEndpoint,
    owner: UnboundedSender<Message>,
) {
    while !owner.is_closed() {
        let reader = agent.clone();
        let written = tokio::task::spawn_blocking(move || written(&reader)).await;
        let (addresses, port) = written.unwrap_or((Vec::new(), PORT));
        // 0.0.0.0 says where to listen, and not where this node is reached.
        let named = addresses.into_iter().find(|address| !address.is_unspecified());
        let address = match (named, seat) {
            (Some(address), _) => Some(SocketAddr::new(address, port)),
            (None, Some(seat)) => Some(seat),
            (None, None) => route_to(&engine).await.map(|address| SocketAddr::new(address, port)),
        };
        // Without a way to the engine just now, the last one is as good.
        if address.is_some() {
            peers.reach_at(address);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What `[listener]` of `node.conf` says.
fn written(agent: &Agent) -> (Vec<IpAddr>, u16) {
    let values = |keyword: &str| {
        let evaluated = agent.evaluated_keyword(&ConfigTarget::Node, keyword, None);
        evaluated.map(|evaluated| evaluated.values).unwrap_or_default()
    };
    let addresses = values("listener.addr").iter().filter_map(|value| value.parse().ok()).collect();
    (addresses, values("listener.port").first().and_then(|value| value.parse().ok()).unwrap_or(PORT))
}

/// The address of this node from which a member of the engine is reached. Loopback is not one that another node reaches.
async fn route_to(engine: &[String]) -> Option<IpAddr> {
    for member in engine {
        let place = member.split_once("://").map_or(member.as_str(), |(_, place)| place);
        let Ok(found) = tokio::net::lookup_host(place).await else { continue };
        for target in found {
            let own = local_address(target).await.filter(|own| !own.is_loopback() && !own.is_unspecified());
            if own.is_some() {
                return own;
            }
        }
    }
    None
}

/// Asks the kernel which address it would send from. Nothing is sent.
async fn local_address(target: SocketAddr) -> Option<IpAddr> {
    let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(target).await.ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_engine_on_this_node_alone_shows_no_way_to_others() {
        assert_eq!(route_to(&["http://127.0.0.1:2379".to_owned(), "nonsense".to_owned()]).await, None);
        assert_eq!(local_address("127.0.0.1:9".parse().unwrap()).await, Some("127.0.0.1".parse().unwrap()));
    }
}
