//! The objects that a command is about: what stands in the place of the selector, parsed once.

use std::fmt;

use anyhow::{Context, anyhow, bail};
use model::select::ObjectSelector;
use model::{ObjectKind, ObjectPath};

/// The objects that a command is about.
#[derive(Debug)]
pub(crate) enum Target {
    /// `om web …`, `om 'ns1/**' …`.
    Selector(ObjectQuery),
    /// `om sec …`: all objects of a kind.
    Kind(ObjectKind),
    /// `om - …`: the selectors that standard input lists, one per line.
    Stdin,
}

/// A selector, as it was typed and as it was read.
#[derive(Debug, Clone)]
pub(crate) struct ObjectQuery {
    pub(crate) text: String,
    pub(crate) selector: ObjectSelector,
}

impl ObjectQuery {
    pub(crate) fn parse(text: &str) -> anyhow::Result<ObjectQuery> {
        let selector = text.parse().with_context(|| format!("cannot read the selector {text:?}"))?;
        Ok(ObjectQuery { text: text.to_owned(), selector })
    }
}

impl Target {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Target> {
        match text {
            "-" => Ok(Target::Stdin),
            text => Ok(Target::Selector(ObjectQuery::parse(text)?)),
        }
    }

    /// The objects that a kind's name stands for: `sec`, or `all`.
    pub(super) fn of_kind(word: &str) -> Option<Target> {
        if word == "all" {
            return Target::parse("**").ok();
        }
        word.parse().ok().map(Target::Kind)
    }

    /// The path of the one object that the target must be, for commands that create or open one.
    pub(crate) fn path(&self) -> anyhow::Result<ObjectPath> {
        match self {
            Target::Selector(query) => match query.selector.as_path() {
                Some(path) => Ok(path.clone()),
                // Parsed as a path, the text gives the better message.
                None => query.text.parse().context("expected the path of one object"),
            },
            Target::Kind(kind) => bail!(
                "{kind} is the name of a kind of objects, and cannot be the name of an object: expected a path such as \
                 {kind}/NAME"
            ),
            Target::Stdin => Err(anyhow!("expected the path of one object, not a list on standard input")),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Selector(query) => f.write_str(&query.text),
            Target::Kind(kind) => write!(f, "*/{kind}/*"),
            Target::Stdin => f.write_str("-"),
        }
    }
}
