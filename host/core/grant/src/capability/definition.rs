//! The definition of a capability: its name, the syntax of its lines, and their bound form.

use std::any::Any;
use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bind::binder::{BindFailure, Binder};
use crate::line::address::AddressSet;
use crate::line::attributes::AttributeKind;
use crate::line::check::LineWords;
use crate::line::origin::LineOrigin;
use crate::line::token::{LineFault, Token, TokenPiece};
use crate::operation::Operation;

/// A kind of grant line.
#[derive(Debug)]
pub(crate) struct Capability {
    /// As a line spells it: `files.read`.
    pub(crate) name: &'static str,
    /// The attributes that its lines may carry.
    pub(crate) attributes: &'static [AttributeKind],
    /// Reads the words after the `=`.
    pub(crate) template: fn(&LineWords<'_>) -> Result<Arc<dyn LineTemplate>, LineFault>,
    /// The permission of a line in words, by whether it has `read` and whether its path is a whole tree: `read the path`.
    pub(crate) verb: fn(read: bool, tree: bool) -> &'static str,
    /// The word of a policy line at this position if a request's word begins with this piece. `None`: stars for
    /// its keywords alone.
    pub(crate) policy_word: fn(at: usize, first: &TokenPiece) -> Option<&'static str>,
    /// Other capabilities whose policy lines decide about operations that a request of this one allows.
    pub(crate) also_decided_by: &'static [&'static str],
}

impl PartialEq for Capability {
    fn eq(&self, other: &Capability) -> bool {
        self.name == other.name
    }
}

/// For [`Capability::policy_word`]: stars for keywords.
pub(crate) fn only_stars(_: usize, _: &TokenPiece) -> Option<&'static str> {
    None
}

/// The words of a line after its `=`, with templates in them.
pub(crate) trait LineTemplate: Debug + Send + Sync {
    /// The words in which templates and stars can stand.
    fn tokens(&self) -> Vec<&Token>;

    /// Fills in the templates. A list stands for several patterns.
    fn bind(&self, binder: &Binder<'_>, origin: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure>;

    /// The keyword whose value is all of the line, as in `{command:start}`.
    fn whole_command(&self) -> Option<&str> {
        None
    }

    /// Whether a request, too, may write `*` in this word.
    fn may_be_star(&self, _token: &Token) -> bool {
        false
    }

    /// Checks what only requests or only policies may write, beyond stars and keywords in words.
    fn check_origin(&self, _origin: LineOrigin) -> Result<(), LineFault> {
        Ok(())
    }

    /// Whether the line is about all below a directory.
    fn is_tree(&self) -> bool {
        false
    }

    /// Why a driver with this line is as good as root, as far as the words alone show.
    fn root_equivalent(&self, _guarded: bool) -> Option<&'static str> {
        None
    }
}

/// The words of a line after binding. Displays as the words of a line.
pub(crate) trait LinePattern: Any + Debug + Display + Send + Sync {
    /// The addresses that the line is about: a host name among them may be looked up.
    fn addresses(&self) -> Option<&AddressSet> {
        None
    }

    /// Whether the line is about all below a directory.
    fn is_tree(&self) -> bool {
        false
    }

    /// The operation that the line is about, if it is about one thing alone: what a policy says of it decides all of the line.
    fn example(&self) -> Option<Box<dyn Operation>> {
        None
    }

    /// Whether a policy line of the same capability could be about anything that this one is about.
    fn may_meet(&self, _policy: &dyn LinePattern) -> bool {
        true
    }

    /// The same line about the place to which the links of the node lead from the path in it. None if they lead nowhere else.
    fn relocated(&self, _follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<Arc<dyn LinePattern>> {
        None
    }

    /// Why a driver with this line is as good as root.
    fn root_equivalent(&self, _guarded: bool) -> Option<&'static str> {
        None
    }
}

/// The patterns of a template as [`LineTemplate::bind`] returns them.
pub(crate) fn patterns<P: LinePattern>(patterns: impl IntoIterator<Item = P>) -> Vec<Arc<dyn LinePattern>> {
    patterns.into_iter().map(|pattern| Arc::new(pattern) as Arc<dyn LinePattern>).collect()
}
