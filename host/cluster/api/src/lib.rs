//! The API of a daemon: HTTP over a unix socket, and by TLS over the addresses that `node.conf` names.
//!
//! ```text
//!  connection ─▶ listener ─▶ access (who? how often?) ─▶ version ─▶ route (may the user? what?) ─▶ DaemonHandle
//!                              │                                      │
//!                              └─ refused, recorded                   └─▶ answer: a document of protocol, a stream of events,
//!                                                                         metrics, OpenAPI
//! ```
//!
//! One table, [`route::ROUTES`], says what can be asked and by whom: requests are looked up in it, and `/openapi.json` is made of
//! it. The path of an object is one segment of an address, with its slashes as `%2F`: `/object/ns1%2Fsvc%2Fweb/order`.
//!
//! Nothing here decides about services: a request becomes a call of the handle, and the answer a document. hyper alone serves it,
//! because the table has to be written for OpenAPI anyway, and a second router would only have to be kept equal to it.

mod access;
mod answer;
mod listener;
mod metrics;
mod openapi;
mod reply;
mod route;
mod server;
mod slots;
mod usage;
mod version;

pub use access::{AccessPlaces, AccessSource, ListenerSettings, read_trail};
pub use listener::{ClaimError, DaemonClaim, DaemonSocket, ListenError, pid_file, socket_path};
pub use server::{ApiNode, serve};
