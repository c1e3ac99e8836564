//! Where the daemon listens: on a unix socket always, and by TLS where `listener.addr` says so.
//!
//! One daemon at a time claims a node's run directory; the claim dies with its process.

mod control;
mod greeting;
mod tls;
mod unix;

pub(crate) use control::ListenerControl;
pub(crate) use greeting::{GreetingKeys, greet};
pub(crate) use tls::follow_settings;
pub use unix::{ClaimError, DaemonClaim, DaemonSocket, ListenError, pid_file, socket_path};
