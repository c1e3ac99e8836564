//! Resource limits by the names that service configurations use, see setrlimit(2).

use rustix::process::{Resource, Rlimit};

/// A resource limit. The soft and the hard limit are the same.
#[derive(Debug, Clone, Copy)]
pub struct ResourceLimit {
    pub(super) resource: Resource,
    pub(super) value: Option<u64>,
}

/// A limit that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLimit {
    /// The kernel has no such limit.
    #[error("there is no limit {0:?}")]
    Name(String),
    /// The value is neither a number nor `unlimited`.
    #[error("{0:?} is not a limit: expected a number or `unlimited`")]
    Value(String),
}

const NAMES: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

impl ResourceLimit {
    /// Parses a name such as `nofile` and a value such as `1024`.
    pub fn parse(name: &str, value: &str) -> Result<ResourceLimit, UnknownLimit> {
        let (_, resource) =
            NAMES.iter().find(|(known, _)| *known == name).ok_or_else(|| UnknownLimit::Name(name.to_owned()))?;
        let value = match value {
            "unlimited" => None,
            number => Some(number.parse().map_err(|_| UnknownLimit::Value(number.to_owned()))?),
        };
        Ok(ResourceLimit { resource: *resource, value })
    }

    pub(super) fn rlimit(self) -> Rlimit {
        Rlimit { current: self.value, maximum: self.value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_a_name_and_a_number() {
        assert_eq!(ResourceLimit::parse("nofile", "1024").unwrap().value, Some(1024));
        assert_eq!(ResourceLimit::parse("core", "unlimited").unwrap().value, None);
        assert_eq!(ResourceLimit::parse("files", "1").unwrap_err(), UnknownLimit::Name("files".into()));
        assert_eq!(ResourceLimit::parse("nofile", "-1").unwrap_err(), UnknownLimit::Value("-1".into()));
    }
}
