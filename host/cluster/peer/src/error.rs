//! Why another node could not be asked.

use std::io;
use std::time::Duration;

use model::NodeName;
use protocol::RequestFailure;

/// Why another node could not be asked, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    #[error("{0} has not published the key of its daemon yet")]
    Unpinned(NodeName),
    #[error("cannot reach {0}")]
    Unreachable(String, #[source] io::Error),
    #[error("{0} does not prove to be {1}, or does not know this node")]
    Handshake(String, NodeName, #[source] io::Error),
    #[error("no answer within {}", seconds(.0))]
    Silent(Duration),
    #[error("the connection was lost")]
    Lost(#[source] hyper::Error),
    #[error("cannot prepare the connection")]
    Tls(#[from] rustls::Error),
    #[error("cannot read the answer")]
    Answer(#[source] serde_json::Error),
    #[error("cannot write the request")]
    Request(#[source] hyper::http::Error),
    #[error("{}", .0.message)]
    Refused(RequestFailure),
}

fn seconds(time: &Duration) -> String {
    format!("{}s", time.as_secs_f64())
}
