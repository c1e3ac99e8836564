//! Where the daemon listens. One daemon at a time claims a node's run directory; the claim dies with its process.

mod unix;

pub use unix::{ClaimError, DaemonClaim, DaemonSocket, ListenError, pid_file, socket_path};
