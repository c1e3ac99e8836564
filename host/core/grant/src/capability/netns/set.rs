//! The network namespaces that a line allows.

use std::fmt;

use super::name::{NAMED, NetnsReference};
use crate::bind::binder::{BindFailure, Binder};
use crate::line::glob::{Glob, GlobPart};
use crate::line::path_glob::PathGlob;
use crate::line::source::SourcePattern;
use crate::line::token::Token;

/// The network namespaces that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NetnsSet {
    /// `*`
    Any,
    /// The namespaces at a path.
    At(PathGlob),
    /// The namespaces of resources of the object: `container#1`, and `container#*` in policies.
    Of(Glob),
}

impl NetnsSet {
    /// Binds a word that must be one value.
    pub(super) fn bind(token: &Token, binder: &Binder<'_>) -> Result<NetnsSet, BindFailure> {
        let keyword = token.keywords().next().unwrap_or("the line");
        let [word] = <[SourcePattern; 1]>::try_from(SourcePattern::bind(token, binder)?)
            .map_err(|_| binder.illegal(keyword, binder.line, "a list cannot stand here"))?;
        let text = word.to_string();
        NetnsSet::new(word).map_err(|reason| binder.illegal(keyword, &text, reason))
    }

    fn new(word: SourcePattern) -> Result<NetnsSet, &'static str> {
        const EXPECTED: &str = "expected a path, the name of a network namespace, or a resource such as container#1";
        let word = match word {
            SourcePattern::Any => return Ok(NetnsSet::Any),
            SourcePattern::Path(path) => return Ok(NetnsSet::At(path)),
            SourcePattern::Word(word) => word,
        };
        match word.literal().map(|text| text.parse()) {
            Some(Ok(NetnsReference::Of(_))) => Ok(NetnsSet::Of(word)),
            Some(Err(_)) => Err(EXPECTED),
            // With stars it cannot be parsed; the `#` tells a rid from a name.
            None if word.has_char('#') => Ok(NetnsSet::Of(word)),
            // A name as in ip-netns(8), with stars or without.
            Some(Ok(NetnsReference::At(_))) | None => {
                let mut parts = vec![GlobPart::Text(format!("{NAMED}/"))];
                parts.extend(word.0);
                PathGlob::new(parts, false).map(NetnsSet::At)
            }
        }
    }

    /// Whether the namespace, in its canonical spelling, is in the set.
    pub(super) fn contains(&self, netns: &str) -> bool {
        match self {
            NetnsSet::Any => true,
            NetnsSet::At(path) => netns.starts_with('/') && path.matches(netns.as_ref()),
            NetnsSet::Of(rid) => !netns.starts_with('/') && rid.matches(netns),
        }
    }
}

impl fmt::Display for NetnsSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetnsSet::Any => f.write_str("*"),
            NetnsSet::At(path) => path.fmt(f),
            NetnsSet::Of(rid) => rid.fmt(f),
        }
    }
}
