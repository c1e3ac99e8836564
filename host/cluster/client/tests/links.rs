//! The link between daemons: who is answered on it, and what a daemon may ask. Over the real port, with a daemon behind the API that
//! answers from a script.

mod fake;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use fake::FakeDaemon;
use model::NodeName;
use peer::{PeerBook, PeerEndpoint, PeerError, PeerPin};
use protocol::FailureKind;
use protocol::daemon::{AccessQuery, PingAnswer, PingRequest, PromiseQuestion};
use serde_json::Value;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(5);

/// A node's end of the link, with its key in a directory of its own.
struct LinkEnd {
    node: NodeName,
    endpoint: PeerEndpoint,
    _directory: TempDir,
}

impl LinkEnd {
    fn new(node: &str) -> LinkEnd {
        let (node, directory) = (node.parse().unwrap(), tempfile::tempdir().unwrap());
        let endpoint = PeerEndpoint::open(directory.path(), &node, PeerBook::default()).unwrap();
        LinkEnd { node, endpoint, _directory: directory }
    }

    fn pin(&self, address: SocketAddr) -> (NodeName, PeerPin) {
        let certificate = self.endpoint.identity().certificate().to_owned();
        (self.node.clone(), PeerPin { address: address.to_string(), certificate })
    }

    async fn ping(&self, life: u64) -> Result<PingAnswer, PeerError> {
        let ping = PingRequest { question: Some(PromiseQuestion { generation: 1, nonce: 0, life }) };
        self.endpoint.links().ask(&"n1".parse().unwrap(), "/peer/ping", &ping, LIMIT).await
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", chain(source))).unwrap_or_default();
    format!("{error}{source}")
}

#[tokio::test]
async fn a_daemon_is_known_by_the_key_that_it_has_published_and_may_ask_nothing_but_what_is_for_daemons() {
    let (n1, n2, stranger) = (LinkEnd::new("n1"), LinkEnd::new("n2"), LinkEnd::new("n2"));
    // A port that was free a moment ago.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    n1.endpoint.book().learn([n2.pin(address)]);
    n1.endpoint.reach_at(Some(address));
    let daemon = FakeDaemon::start_linked(n1.endpoint.clone());
    assert!(matches!(n2.ping(7).await, Err(PeerError::Unpinned(_))), "nothing is known of n1");
    [&n2, &stranger].iter().for_each(|end| assert!(end.endpoint.book().learn([n1.pin(address)])));
    let mut answer = n2.ping(7).await;
    for _ in 0..500 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        answer = n2.ping(7).await;
    }
    assert_eq!(answer.unwrap(), PingAnswer { sees_beat: true, promised: true, generation: 1 });
    // Once more, over the connection that there is.
    assert!(!n2.ping(8).await.unwrap().promised);

    // What is for users is not for a daemon, and every refusal is written down.
    for address in ["/daemon/stop", "/object/web/order", "/auth/token"] {
        let denied = n2.endpoint.links().ask::<Value>(&n1.node, address, &Value::Null, LIMIT).await;
        let Err(PeerError::Refused(failure)) = denied else { panic!("{address}: {denied:?}") };
        assert_eq!(failure.kind, FailureKind::Denied, "{address}");
    }
    let denied = daemon.client.audit(&AccessQuery { denied: true, ..AccessQuery::default() }).await.unwrap();
    let said: Vec<_> =
        denied.iter().map(|entry| (entry.text("user"), entry.text("auth"), entry.text("asked"))).collect();
    assert_eq!(said[0], ("node n2", "peer", "stopDaemon"));
    assert_eq!(said.len(), 3);

    // Another key is refused, whatever name it bears; and a server with another key is not spoken to.
    let refused = stranger.ping(7).await.unwrap_err();
    assert!(matches!(refused, PeerError::Lost(_) | PeerError::Handshake(..)), "{}", chain(&refused));
    n2.endpoint.book().learn([(n1.node.clone(), stranger.pin(address).1)]);
    let refused = chain(&n2.ping(7).await.unwrap_err());
    assert!(refused.contains("does not prove to be n1"), "{refused}");

    // A node that is not of the cluster any more is refused on the connection that it has.
    n2.endpoint.book().learn([n1.pin(address)]);
    n2.ping(7).await.unwrap();
    n1.endpoint.book().learn([]);
    let refused = n2.ping(7).await.unwrap_err();
    assert!(chain(&refused).contains("of no node of this cluster"), "{}", chain(&refused));
    daemon.end().await;
}

#[tokio::test]
async fn a_node_that_does_not_answer_costs_no_more_than_the_limit() {
    let (n1, n2) = (LinkEnd::new("n1"), LinkEnd::new("n2"));
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    n2.endpoint.book().learn([n1.pin(silent.local_addr().unwrap())]);
    let limit = Duration::from_millis(200);
    let asked = n2.endpoint.links().ask::<Value>(&n1.node, "/peer/ping", &PingRequest::default(), limit).await;
    assert!(matches!(asked, Err(PeerError::Silent(_))), "{asked:?}");
}
