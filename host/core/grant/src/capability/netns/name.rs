//! How keywords and drivers name a network namespace.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use model::Rid;

use crate::line::path_glob::components_of;

/// The directory in which ip-netns(8) keeps namespaces with names.
pub(super) const NAMED: &str = "/run/netns";

/// A network namespace, as a keyword or a driver names it. Displays in one canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetnsReference {
    /// The namespace of a resource of the object: `container#1`.
    Of(Rid),
    /// The namespace at this path. A name stands for the path that ip-netns(8) gives it.
    At(PathBuf),
}

/// The text does not name a network namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} does not name a network namespace: expected a path, a name as in ip-netns(8), or a container such as container#1"
)]
pub struct NetnsReferenceError(String);

impl FromStr for NetnsReference {
    type Err = NetnsReferenceError;

    fn from_str(text: &str) -> Result<NetnsReference, NetnsReferenceError> {
        let bad = || NetnsReferenceError(text.to_owned());
        if text.starts_with('/') {
            // The root directory is not a namespace.
            let whole = components_of(Path::new(text)).is_some_and(|components| !components.is_empty());
            return if whole { Ok(NetnsReference::At(text.into())) } else { Err(bad()) };
        }
        if text.contains('#') {
            return text.parse().map(NetnsReference::Of).map_err(|_| bad());
        }
        match text {
            "" | "." | ".." => Err(bad()),
            name if name.contains(['/', '\0']) => Err(bad()),
            name => Ok(NetnsReference::At(Path::new(NAMED).join(name))),
        }
    }
}

impl fmt::Display for NetnsReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetnsReference::Of(rid) => rid.fmt(f),
            NetnsReference::At(path) => path.display().fmt(f),
        }
    }
}
