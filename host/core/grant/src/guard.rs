//! Guards: what reads the requests of a grant that is too mighty as it is.

use std::fmt;

/// Who reads the requests to a socket, and lets through what is the resource's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// `container`: knows the API of container engines.
    Container,
}

impl Guard {
    pub(crate) fn parse(word: &str) -> Option<Guard> {
        (word == Guard::Container.as_str()).then_some(Guard::Container)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Guard::Container => "container",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
