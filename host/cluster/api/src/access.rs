//! Who may ask: the user of the process at the other end of the socket, as the kernel knows it.
//!
//! Root may ask everything, and so may the user that the daemon itself runs as, who could do the same without it. Every other
//! user is refused: users with rights of their own come with the `usr` objects.

use std::fmt;

use protocol::{FailureKind, RequestFailure};
use tokio::net::UnixStream;

/// The process that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) uid: u32,
    /// Unknown if the process is of another pid namespace.
    pub(crate) pid: Option<i32>,
}

impl Caller {
    /// The process that connected.
    pub(crate) fn of(stream: &UnixStream) -> std::io::Result<Caller> {
        let credentials = stream.peer_cred()?;
        Ok(Caller { uid: credentials.uid(), pid: credentials.pid() })
    }

    /// Whether it may ask a daemon of this user.
    pub(crate) fn check(self, owner: u32) -> Result<(), RequestFailure> {
        if self.uid == 0 || self.uid == owner {
            return Ok(());
        }
        let allowed = if owner == 0 { "only root may".to_owned() } else { format!("only root and uid {owner} may") };
        let message = format!("{self} may not ask this daemon: {allowed}");
        Err(RequestFailure { kind: FailureKind::Denied, message })
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uid {
            0 => f.write_str("root"),
            uid => write!(f, "uid {uid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_daemon_s_own_user_may_ask() {
        let check = |uid, owner| Caller { uid, pid: None }.check(owner).map_err(|failure| failure.message);
        assert_eq!(check(0, 0), Ok(()));
        assert_eq!(check(0, 1000), Ok(()));
        assert_eq!(check(1000, 1000), Ok(()));
        assert_eq!(check(1000, 0), Err("uid 1000 may not ask this daemon: only root may".to_owned()));
        let refused = "uid 1001 may not ask this daemon: only root and uid 1000 may";
        assert_eq!(check(1001, 1000), Err(refused.to_owned()));
    }
}
