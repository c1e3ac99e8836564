//! `wit/http.wit`: HTTP/1.1 to a granted address or unix socket.
//!
//! ```text
//!  send ──▶ message (one spelling, no header of the host's own) ──▶ admit
//!                                                                    │
//!       guarded: a container engine's guard reads the request ◀──────┤ if the grant says so
//!       described: and the host adds to the engine's answer          │
//!       volumes: nobody can exchange what the engine opens           │
//!       held: and records which containers there are                 │
//!                                                                    ▼
//!                                        dial (address or socket) ──▶ exchange
//! ```

mod described;
mod dial;
mod engine_api;
mod exchange;
mod guarded;
mod held;
mod message;
mod send;
mod volumes;

pub(crate) use dial::{ByteStream, dial_granted};
pub use engine_api::engine_path;
pub use guarded::guarded;
pub(crate) use guarded::{GuardOutcome, ask, look_up, pass_as};
pub use message::{HttpEndpoint, HttpRequest, HttpResponse};
pub(crate) use message::{HyperRequest, LOCALHOST, message, method, plain_path};
pub use send::send;
