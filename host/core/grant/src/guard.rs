//! Guards: what reads the requests of a grant that is too mighty as it is.

use std::fmt;

/// Who reads the requests to a socket, and lets through what is the resource's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketGuard {
    /// `container`: knows the API of container engines.
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
