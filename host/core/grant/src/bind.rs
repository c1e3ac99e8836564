//! Binding: requests are templates over one resource; bound, no template is left in them.
//!
//! Substitution is literal. A keyword's value is text, whatever characters it holds, and it stands for a whole path, a
//! whole component of one, or a whole argument: it never becomes a part of something else.

use std::cell::RefCell;
use std::path::PathBuf;

use model::{NodeName, ObjectPath, Rid};

use crate::glob::{Bit, Glob, PathGlob, components_of};
use crate::token::{Name, Piece, Token};

/// The names beside keywords that a template may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// `{object}`, `{namespace}`, `{kind}`, `{name}`.
    pub object: ObjectPath,
    /// `{rid}`.
    pub rid: Rid,
    /// `{node}`.
    pub node: NodeName,
    /// `{rundir}`: the object's directory that does not survive a reboot.
    pub rundir: PathBuf,
    /// `{statedir}`: the object's directory that does.
    pub statedir: PathBuf,
    /// `{config}`: the file that holds the object's configuration.
    pub config: PathBuf,
    /// `{peer}`: the other nodes of the object.
    pub peers: Vec<NodeName>,
}

/// An evaluated keyword of the resource, as in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword<'a> {
    /// Its name.
    pub name: &'a str,
    /// One value, or one an element of a list.
    pub values: &'a [String],
    /// The resource that the values came from, where another one exposes them.
    pub from: Option<&'a Rid>,
}

/// Knows which devices this host gave to which resources of the object.
pub trait Ledger {
    /// Whether `device` was given to `rid`, or to another resource that the object may speak of as well.
    fn gave(&self, rid: &Rid, device: &str) -> bool;
}

impl<F: Fn(&Rid, &str) -> bool> Ledger for F {
    fn gave(&self, rid: &Rid, device: &str) -> bool {
        self(rid, device)
    }
}

/// A ledger of a host that never gave anything away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLedger;

impl Ledger for NoLedger {
    fn gave(&self, _: &Rid, _: &str) -> bool {
        false
    }
}

/// A keyword's value that no grant can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{keyword} = {value:?} cannot be granted as {request:?}: {reason}")]
pub struct BindError {
    /// The keyword.
    pub keyword: String,
    /// Its value.
    pub value: String,
    /// The request that it stands in.
    pub request: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A value that came from a resource to which this host never gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stranger {
    pub(crate) keyword: String,
    pub(crate) rid: Rid,
}

/// Fills in the templates of one line.
pub(crate) struct Binder<'a> {
    pub(crate) context: &'a Context,
    pub(crate) keywords: &'a [Keyword<'a>],
    pub(crate) ledger: &'a dyn Ledger,
    /// The line, for errors.
    pub(crate) line: &'a str,
    /// Which of the other nodes the line is about.
    peer: Option<&'a NodeName>,
    /// The first value so far that nobody vouches for.
    strangers: RefCell<Option<Stranger>>,
}

/// Why a word cannot be bound.
#[derive(Debug)]
pub(crate) enum Unbound {
    /// A keyword is absent: what holds it is not granted.
    Absent,
    /// A value is illegal there.
    Illegal(Box<BindError>),
}

/// What a bound word is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// Text without a `/`, such as the name of an interface.
    Word,
    /// The source of a mount: a path, or any text.
    Source,
    /// An argument.
    Argument,
    /// Text that can aim nothing at a device.
    Text,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(
        context: &'a Context,
        keywords: &'a [Keyword<'a>],
        ledger: &'a dyn Ledger,
        line: &'a str,
    ) -> Binder<'a> {
        Binder { context, keywords, ledger, line, peer: None, strangers: RefCell::default() }
    }

    /// The same for one of the other nodes.
    pub(crate) fn about(&self, peer: &'a NodeName) -> Binder<'a> {
        Binder { peer: Some(peer), ..Binder::new(self.context, self.keywords, self.ledger, self.line) }
    }

    /// The values of a keyword. A keyword without any is as good as absent.
    pub(crate) fn values(&self, name: &str) -> Result<Keyword<'a>, Unbound> {
        let found = self.keywords.iter().find(|keyword| keyword.name == name && !keyword.values.is_empty());
        found.copied().ok_or(Unbound::Absent)
    }

    /// Whether nobody vouches for a value so far.
    pub(crate) fn is_stranger(&self) -> bool {
        self.strangers.borrow().is_some()
    }

    /// Takes out the first value that nobody vouches for.
    pub(crate) fn take_stranger(&self) -> Option<Stranger> {
        self.strangers.borrow_mut().take()
    }

    /// A value that may aim a program or the kernel at a device must have been that resource's to expose.
    pub(crate) fn vouch(&self, keyword: &Keyword<'_>, value: &str) {
        let Some(rid) = keyword.from else { return };
        let names_device = value.contains(['/', '=']);
        if names_device && !self.ledger.gave(rid, value) {
            let stranger = Stranger { keyword: keyword.name.to_owned(), rid: rid.clone() };
            self.strangers.borrow_mut().get_or_insert(stranger);
        }
    }

    pub(crate) fn illegal(&self, keyword: &str, value: &str, reason: &'static str) -> Unbound {
        Unbound::Illegal(Box::new(BindError {
            keyword: keyword.to_owned(),
            value: value.to_owned(),
            request: self.line.to_owned(),
            reason,
        }))
    }

    /// The text that the host fills in for a name.
    pub(crate) fn name(&self, name: Name) -> String {
        let context = self.context;
        match name {
            Name::Object => context.object.to_string(),
            Name::Namespace => context.object.namespace().to_owned(),
            Name::Kind => context.object.kind().to_string(),
            Name::Own => context.object.name().to_owned(),
            Name::Rid => context.rid.to_string(),
            Name::Node => context.node.to_string(),
            Name::Rundir => context.rundir.to_string_lossy().into_owned(),
            Name::Statedir => context.statedir.to_string_lossy().into_owned(),
            Name::Config => context.config.to_string_lossy().into_owned(),
            Name::Peer => self.peer.map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// The paths that a word stands for: several, where it is a list.
    pub(crate) fn paths(&self, token: &Token) -> Result<Vec<PathGlob>, Unbound> {
        let (pieces, below) = match &token.pieces[..] {
            [front @ .., Piece::DoubleStar] => (front, true),
            pieces => (pieces, false),
        };
        self.alternatives(pieces, |bits| {
            let bits = if below { without_slash(bits) } else { bits };
            PathGlob::new(bits, below)
        })
    }

    /// Calls `make` with the bits of each value of the keyword that begins the word, or once if none does.
    fn alternatives(
        &self,
        pieces: &[Piece],
        make: impl Fn(Vec<Bit>) -> Result<PathGlob, &'static str>,
    ) -> Result<Vec<PathGlob>, Unbound> {
        if let [Piece::Keyword(name), rest @ ..] = pieces {
            let keyword = self.values(name)?;
            let rest = self.bits(rest)?;
            let path = |value: &String| {
                absolute(value).map_err(|reason| self.illegal(name, value, reason))?;
                self.vouch(&keyword, value);
                let mut bits = vec![Bit::Text(value.clone())];
                bits.extend(rest.iter().cloned());
                make(bits).map_err(|reason| self.illegal(name, value, reason))
            };
            return keyword.values.iter().map(path).collect();
        }
        let path = make(self.bits(pieces)?).map_err(|reason| self.illegal("the line", self.line, reason))?;
        Ok(vec![path])
    }

    /// The bits of pieces; a keyword among them is a component of a path.
    pub(crate) fn bits(&self, pieces: &[Piece]) -> Result<Vec<Bit>, Unbound> {
        pieces.iter().map(|piece| self.bit(piece)).collect()
    }

    fn bit(&self, piece: &Piece) -> Result<Bit, Unbound> {
        Ok(match piece {
            Piece::Literal(text) => Bit::Text(text.clone()),
            Piece::Name(name) => Bit::Text(self.name(*name)),
            Piece::Star | Piece::DoubleStar => Bit::Star,
            Piece::Keyword(name) | Piece::Command(name) => {
                let keyword = self.values(name)?;
                let [value] = keyword.values else {
                    return Err(self.illegal(name, &keyword.values.join(" "), "a list cannot be a part of a word"));
                };
                component(value).map_err(|reason| self.illegal(name, value, reason))?;
                self.vouch(&keyword, value);
                Bit::Text(value.clone())
            }
        })
    }

    /// The arguments that a token stands for in which a keyword is a path with something before or behind it. A value that is
    /// no path is not granted there.
    pub(crate) fn joined(&self, token: &Token) -> Result<Vec<Glob>, Unbound> {
        let at = token.pieces.iter().position(|piece| matches!(piece, Piece::Keyword(_))).ok_or(Unbound::Absent)?;
        let (front, rest) = token.pieces.split_at(at);
        let [Piece::Keyword(name), behind @ ..] = rest else { return Err(Unbound::Absent) };
        let keyword = self.values(name)?;
        let (front, behind) = (self.bits(front)?, self.bits(behind)?);
        let argument = |value: &String| {
            let path = value.trim_end_matches('/');
            absolute(path).map_err(|_| Unbound::Absent)?;
            self.vouch(&keyword, value);
            let written = if behind.is_empty() { value.as_str() } else { path };
            let bits = front.iter().cloned().chain([Bit::Text(written.to_owned())]).chain(behind.iter().cloned());
            Ok(Glob(bits.collect()))
        };
        keyword.values.iter().map(argument).collect()
    }

    /// The words that a token stands for: several, where it is a list.
    pub(crate) fn words(&self, token: &Token, kind: As) -> Result<Vec<Glob>, Unbound> {
        let Some(Piece::Keyword(name)) = token.only() else {
            return Ok(vec![Glob(self.bits(&token.pieces)?)]);
        };
        let keyword = self.values(name)?;
        let word = |value: &String| {
            legal(value, kind).map_err(|reason| self.illegal(name, value, reason))?;
            if matches!(kind, As::Source | As::Argument) {
                self.vouch(&keyword, value);
            }
            Ok(Glob::text(value))
        };
        keyword.values.iter().map(word).collect()
    }
}

fn without_slash(mut bits: Vec<Bit>) -> Vec<Bit> {
    if let Some(Bit::Text(text)) = bits.last_mut()
        && text.ends_with('/')
    {
        text.pop();
    }
    bits
}

/// A value that is a whole path.
fn absolute(value: &str) -> Result<(), &'static str> {
    match components_of(value.as_ref()) {
        None => Err("expected an absolute path without empty components, . or .., and without a slash at its end"),
        Some(components) if components.is_empty() => Err("the root directory is never granted by a keyword"),
        Some(_) => Ok(()),
    }
}

/// A value that is a component of a path.
fn component(value: &str) -> Result<(), &'static str> {
    match value {
        "" | "." | ".." => Err("expected a name"),
        value if value.contains(['/', '\0']) => Err("expected a name without a slash"),
        _ => Ok(()),
    }
}

fn legal(value: &str, kind: As) -> Result<(), &'static str> {
    match kind {
        As::Word => component(value),
        As::Source if value.is_empty() => Err("expected a source"),
        As::Source if value.starts_with('/') => absolute(value),
        _ if value.contains('\0') => Err("it holds a zero byte"),
        _ => Ok(()),
    }
}
