//! Guards: what judges the requests to a socket that would otherwise give a driver too much power.

use std::fmt;

/// The guard of a socket: it reads each request, and lets through only what concerns the resource itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketGuard {
    /// `container`: the guard of container engines' sockets, in the crate `guard`.
    Container,
}

impl SocketGuard {
    pub(crate) fn parse(word: &str) -> Option<SocketGuard> {
        (word == SocketGuard::Container.as_str()).then_some(SocketGuard::Container)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SocketGuard::Container => "container",
        }
    }
}

impl fmt::Display for SocketGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
