//! Network namespaces: how they are named, and which of them a line is about.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use model::Rid;

use crate::glob::{Bit, Glob, PathGlob, components_of};
use crate::rule::Source;

/// Where ip-netns(8) keeps the namespaces that have names.
const NAMED: &str = "/run/netns";

/// A network namespace, as a keyword or a driver names it. Displays in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Netns {
    /// That of a resource of the object: `container#1`.
    Of(Rid),
    /// The one at this path. A name is the path that ip-netns(8) gives it.
    At(PathBuf),
}

/// A text that names no network namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no network namespace: expected a path, a name as in ip-netns(8), or a container such as container#1"
)]
pub struct NoNetns(String);

impl FromStr for Netns {
    type Err = NoNetns;

    fn from_str(text: &str) -> Result<Netns, NoNetns> {
        let bad = || NoNetns(text.to_owned());
        if text.starts_with('/') {
            let whole = components_of(Path::new(text)).is_some_and(|components| !components.is_empty());
            return if whole { Ok(Netns::At(text.into())) } else { Err(bad()) };
        }
        if text.contains('#') {
            return text.parse().map(Netns::Of).map_err(|_| bad());
        }
        match text {
            "" | "." | ".." => Err(bad()),
            name if name.contains(['/', '\0']) => Err(bad()),
            name => Ok(Netns::At(Path::new(NAMED).join(name))),
        }
    }
}

impl fmt::Display for Netns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Netns::Of(rid) => rid.fmt(f),
            Netns::At(path) => path.display().fmt(f),
        }
    }
}

/// Which network namespaces a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Namespaces {
    /// `*`
    Any,
    /// Those at a path.
    At(PathGlob),
    /// Those that resources of the object have: `container#1`, and `container#*` in policies.
    Of(Glob),
}

impl Namespaces {
    pub(crate) fn new(word: Source) -> Result<Namespaces, &'static str> {
        const EXPECTED: &str = "expected a path, the name of a network namespace, or a resource such as container#1";
        let word = match word {
            Source::Any => return Ok(Namespaces::Any),
            Source::Path(path) => return Ok(Namespaces::At(path)),
            Source::Word(word) => word,
        };
        match word.literal().map(|text| text.parse()) {
            Some(Ok(Netns::Of(_))) => Ok(Namespaces::Of(word)),
            Some(Err(_)) => Err(EXPECTED),
            None if word.holds('#') => Ok(Namespaces::Of(word)),
            // A name, with stars or without.
            Some(Ok(Netns::At(_))) | None => {
                let mut bits = vec![Bit::Text(format!("{NAMED}/"))];
                bits.extend(word.0);
                PathGlob::new(bits, false).map(Namespaces::At)
            }
        }
    }

    /// Whether the namespace, in its one spelling, is one of these.
    pub(crate) fn hold(&self, asked: &str) -> bool {
        match self {
            Namespaces::Any => true,
            Namespaces::At(path) => asked.starts_with('/') && path.matches(asked.as_ref()),
            Namespaces::Of(rid) => !asked.starts_with('/') && rid.matches(asked),
        }
    }
}

impl fmt::Display for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Namespaces::Any => f.write_str("*"),
            Namespaces::At(path) => path.fmt(f),
            Namespaces::Of(rid) => rid.fmt(f),
        }
    }
}
