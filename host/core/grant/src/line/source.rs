//! A source: what can be mounted, or read as a device. It is a path, or a word such as `LABEL=data` or `tmpfs`.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::address::NameResolution;
use crate::line::check::check_path;
use crate::line::glob::Glob;
use crate::line::path_glob::PathGlob;
use crate::line::token::Token;

/// The sources that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourcePattern {
    /// `*`
    Any,
    Path(PathGlob),
    Word(Glob),
}

impl SourcePattern {
    /// Binds a word: a list stands for several sources.
    pub(crate) fn bind(token: &Token, binder: &Binder<'_>) -> Result<Vec<SourcePattern>, BindFailure> {
        // A lone keyword may be a path or a word: its value decides, below.
        let absolute = token.literal().is_some_and(|text| text.starts_with('/')) || token.pieces.len() > 1;
        if absolute && check_path(token).is_ok() {
            return Ok(binder.paths(token)?.into_iter().map(SourcePattern::Path).collect());
        }
        let source = |word: Glob| match word.literal() {
            // A value that is a path has to be one in its only spelling.
            Some(path) if path.starts_with('/') => match PathGlob::new(word.0, false) {
                Ok(path) => Ok(SourcePattern::Path(path)),
                Err(reason) => Err(binder.illegal("the line", &path, reason)),
            },
            _ if word.is_any() => Ok(SourcePattern::Any),
            _ => Ok(SourcePattern::Word(word)),
        };
        binder.words(token, WordUse::Source)?.into_iter().map(source).collect()
    }

    /// The same, if it is a path from which links lead elsewhere.
    pub(crate) fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<SourcePattern> {
        match self {
            SourcePattern::Path(path) => path.relocated(follow).map(SourcePattern::Path),
            SourcePattern::Any | SourcePattern::Word(_) => None,
        }
    }

    /// Whether the source, or another name of the device that it is, is allowed.
    pub(crate) fn matches(&self, source: &str, names: NameResolution<'_>) -> bool {
        names.any_name(source, |name| match self {
            SourcePattern::Any => true,
            SourcePattern::Path(path) => path.matches(name.as_ref()),
            // A star in a word does not cross a slash, so `*` within it never reaches a path.
            SourcePattern::Word(word) => word.matches(name),
        })
    }
}

impl fmt::Display for SourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourcePattern::Any => f.write_str("*"),
            SourcePattern::Path(path) => path.fmt(f),
            SourcePattern::Word(word) => word.fmt(f),
        }
    }
}
