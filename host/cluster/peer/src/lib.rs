//! The direct link between the daemons of a cluster, beside the store that they share: mutual TLS at the port of the API.
//!
//! ```text
//!  PeerIdentity ── certificate ──▶ store ──▶ PeerBook of each other node, kept on disk
//!
//!  PeerLinks ──TLS──▶ server_config of the other node: both present their own key, and accept exactly the pinned one
//! ```
//!
//! There is no authority: a node makes a key once, and the others accept exactly the certificate that it has published. What they
//! know is on disk, so the link works while the store is away. Nothing here decides what a peer may ask: that is the API's.

mod book;
mod endpoint;
mod error;
mod identity;
mod links;
mod tls;

pub use book::{PeerBook, PeerPin};
pub use endpoint::{EndpointError, PeerEndpoint};
pub use error::PeerError;
pub use identity::PeerIdentity;
pub use links::PeerLinks;
pub use tls::{PEER_PROTOCOL, server_config};
