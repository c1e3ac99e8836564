//! Fills in the templates of one line.

use std::cell::{Cell, RefCell};

use model::object::WordsBeside;
use model::{NodeName, Rid};

use crate::bind::context::{BindError, DeviceLedger, GrantContext, GrantKeyword};
use crate::bind::value::{WordUse, check_absolute, check_component, check_word_value};
use crate::line::glob::{Glob, GlobPart};
use crate::line::path_glob::PathGlob;
use crate::line::token::{TemplateName, Token, TokenPiece};

/// A device that a keyword took from another resource, and that this host never gave to that resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnownedDevice {
    pub(crate) keyword: String,
    pub(crate) rid: Rid,
}

/// Fills in the templates of one line.
pub(crate) struct Binder<'a> {
    pub(crate) context: &'a GrantContext,
    pub(crate) keywords: &'a [GrantKeyword<'a>],
    pub(crate) ledger: &'a dyn DeviceLedger,
    /// The line, for errors.
    pub(crate) line: &'a str,
    /// The other node that `{peer}` stands for at the moment.
    peer: Option<&'a NodeName>,
    /// The first unowned device so far. A cell, so that the many functions that read words need no `&mut`.
    unowned: RefCell<Option<UnownedDevice>>,
    /// A keyword that counted as absent although it has a value: the default of a third party.
    unbinding: Cell<Option<&'a str>>,
}

/// Why a word cannot be bound.
#[derive(Debug)]
pub(crate) enum BindFailure {
    /// A keyword is absent: the line is then as if it were not there.
    Absent,
    /// A value is not legal at its place.
    Illegal(Box<BindError>),
}

impl<'a> Binder<'a> {
    pub(crate) fn new(
        context: &'a GrantContext,
        keywords: &'a [GrantKeyword<'a>],
        ledger: &'a dyn DeviceLedger,
        line: &'a str,
    ) -> Binder<'a> {
        Binder { context, keywords, ledger, line, peer: None, unowned: RefCell::default(), unbinding: Cell::default() }
    }

    /// The same binder, with `{peer}` standing for this node.
    pub(crate) fn about(&self, peer: &'a NodeName) -> Binder<'a> {
        Binder { peer: Some(peer), ..Binder::new(self.context, self.keywords, self.ledger, self.line) }
    }

    /// The values of a keyword. A keyword without values counts as absent, and so does one that has only the default of a third
    /// party: its author would otherwise grant it to the driver.
    pub(crate) fn values(&self, name: &str) -> Result<GrantKeyword<'a>, BindFailure> {
        // An optional keyword that is not set may come as an empty list.
        let found = self.keywords.iter().find(|keyword| keyword.name == name && !keyword.values.is_empty());
        let found = found.copied().ok_or(BindFailure::Absent)?;
        if !found.provenance.binds() {
            self.unbinding.set(Some(found.name));
            return Err(BindFailure::Absent);
        }
        Ok(found)
    }

    /// The keyword that counted as absent because its value is the default of a third party.
    pub(crate) fn unbinding(&self) -> Option<&'a str> {
        self.unbinding.get()
    }

    /// Whether a value so far names an unowned device.
    pub(crate) fn has_unowned(&self) -> bool {
        self.unowned.borrow().is_some()
    }

    /// Takes out the first unowned device.
    pub(crate) fn take_unowned(&self) -> Option<UnownedDevice> {
        self.unowned.borrow_mut().take()
    }

    /// Notes the value if it could aim a program or the kernel at a device that its resource never had.
    pub(crate) fn note_unowned(&self, keyword: &GrantKeyword<'_>, value: &str) {
        let Some(rid) = keyword.provenance.resource() else { return };
        // A path, or LABEL=x and UUID=x: other texts cannot name a device.
        let names_device = value.contains(['/', '=']);
        let is_beside = || keyword.provenance.beside().is_some_and(|beside| self.is_beside(rid, beside, value));
        if names_device && !is_beside() && !self.ledger.gave(rid, value) {
            let device = UnownedDevice { keyword: keyword.name.to_owned(), rid: rid.clone() };
            self.unowned.borrow_mut().get_or_insert(device);
        }
    }

    /// Whether no device went into the value, and no mount point but those that this host made.
    fn is_beside(&self, rid: &Rid, beside: &WordsBeside, value: &str) -> bool {
        beside.words.iter().any(|word| word == value) && beside.places.iter().all(|place| self.ledger.gave(rid, place))
    }

    pub(crate) fn illegal(&self, keyword: &str, value: &str, reason: &'static str) -> BindFailure {
        BindFailure::Illegal(Box::new(BindError {
            keyword: keyword.to_owned(),
            value: value.to_owned(),
            request: self.line.to_owned(),
            reason,
        }))
    }

    /// The error of a bound word that is not what its place expects.
    pub(crate) fn misfit(&self, token: &Token, word: &Glob, reason: &'static str) -> BindFailure {
        let keyword = token.keywords().next().unwrap_or("the line");
        self.illegal(keyword, &word.literal().unwrap_or_else(|| word.to_string()), reason)
    }

    /// The text that the host fills in for a name.
    fn name(&self, name: TemplateName) -> String {
        let context = self.context;
        match name {
            TemplateName::Object => context.object.to_string(),
            TemplateName::Namespace => context.object.namespace().to_owned(),
            TemplateName::Kind => context.object.kind().to_string(),
            TemplateName::Own => context.object.name().to_owned(),
            TemplateName::Rid => context.rid.to_string(),
            TemplateName::Node => context.node.to_string(),
            TemplateName::Rundir => context.rundir.to_string_lossy().into_owned(),
            TemplateName::Statedir => context.statedir.to_string_lossy().into_owned(),
            TemplateName::Config => context.config.to_string_lossy().into_owned(),
            TemplateName::Peer => self.peer.map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Binds a word to paths: several, where it is a list.
    pub(crate) fn paths(&self, token: &Token) -> Result<Vec<PathGlob>, BindFailure> {
        // `**` is kept apart: as a part of the path it would be a component of its own.
        let (pieces, below) = match &token.pieces[..] {
            [front @ .., TokenPiece::DoubleStar] => (front, true),
            pieces => (pieces, false),
        };
        self.alternatives(pieces, |parts| {
            let parts = if below { without_slash(parts) } else { parts };
            PathGlob::new(parts, below)
        })
    }

    /// Calls `make` with the parts of each value of the keyword that begins the word, or once if the word does not begin with
    /// a keyword.
    fn alternatives(
        &self,
        pieces: &[TokenPiece],
        make: impl Fn(Vec<GlobPart>) -> Result<PathGlob, &'static str>,
    ) -> Result<Vec<PathGlob>, BindFailure> {
        if let [TokenPiece::Keyword(name), rest @ ..] = pieces {
            let keyword = self.values(name)?;
            let rest = self.parts(rest)?;
            let path = |value: &String| {
                check_absolute(value).map_err(|reason| self.illegal(name, value, reason))?;
                self.note_unowned(&keyword, value);
                let mut parts = vec![GlobPart::Text(value.clone())];
                parts.extend(rest.iter().cloned());
                make(parts).map_err(|reason| self.illegal(name, value, reason))
            };
            // A list: one path for each of its values.
            return keyword.values.iter().map(path).collect();
        }
        let path = make(self.parts(pieces)?).map_err(|reason| self.illegal("the line", self.line, reason))?;
        Ok(vec![path])
    }

    /// Binds pieces to the parts of one word; a keyword among them is a component of a path.
    pub(crate) fn parts(&self, pieces: &[TokenPiece]) -> Result<Vec<GlobPart>, BindFailure> {
        pieces.iter().map(|piece| self.part(piece)).collect()
    }

    fn part(&self, piece: &TokenPiece) -> Result<GlobPart, BindFailure> {
        Ok(match piece {
            TokenPiece::Literal(text) => GlobPart::Text(text.clone()),
            TokenPiece::Name(name) => GlobPart::Text(self.name(*name)),
            TokenPiece::Star | TokenPiece::DoubleStar => GlobPart::Star,
            TokenPiece::Keyword(name) | TokenPiece::Command(name) => {
                let keyword = self.values(name)?;
                let [value] = keyword.values else {
                    return Err(self.illegal(name, &keyword.values.join(" "), "a list cannot be a part of a word"));
                };
                // Within a word, a keyword is always one component: the checks of the line saw to that.
                check_component(value).map_err(|reason| self.illegal(name, value, reason))?;
                self.note_unowned(&keyword, value);
                GlobPart::Text(value.clone())
            }
        })
    }

    /// Binds an argument in which a keyword is a path with text before or behind it. A value that is not a path is not
    /// granted there.
    pub(crate) fn path_arguments(&self, token: &Token) -> Result<Vec<Glob>, BindFailure> {
        let at = token.pieces.iter().position(|piece| matches!(piece, TokenPiece::Keyword(_)));
        let (front, rest) = token.pieces.split_at(at.ok_or(BindFailure::Absent)?);
        let [TokenPiece::Keyword(name), behind @ ..] = rest else { return Err(BindFailure::Absent) };
        let keyword = self.values(name)?;
        let (front, behind) = (self.parts(front)?, self.parts(behind)?);
        let argument = |value: &String| {
            let path = value.trim_end_matches('/');
            // The same keyword may hold a name instead, such as that of a volume: then this form of the line is not meant.
            check_absolute(path).map_err(|_| BindFailure::Absent)?;
            self.note_unowned(&keyword, value);
            // rsync reads `src/` in another way than `src`, so a slash at the end stays where nothing follows.
            let written = if behind.is_empty() { value.as_str() } else { path };
            let parts = front.iter().cloned().chain([GlobPart::Text(written.to_owned())]).chain(behind.iter().cloned());
            Ok(Glob(parts.collect()))
        };
        keyword.values.iter().map(argument).collect()
    }

    /// Binds a word: to several, where it is a list.
    pub(crate) fn words(&self, token: &Token, word_use: WordUse) -> Result<Vec<Glob>, BindFailure> {
        let Some(TokenPiece::Keyword(name)) = token.only() else {
            return Ok(vec![Glob(self.parts(&token.pieces)?)]);
        };
        let keyword = self.values(name)?;
        let word = |value: &String| {
            check_word_value(value, word_use).map_err(|reason| self.illegal(name, value, reason))?;
            // Names and addresses cannot aim at a device, whichever resource exposes them.
            if matches!(word_use, WordUse::Source | WordUse::Argument) {
                self.note_unowned(&keyword, value);
            }
            Ok(Glob::text(value))
        };
        keyword.values.iter().map(word).collect()
    }

    /// Binds a word that may not be a list.
    pub(crate) fn single(&self, token: &Token) -> Result<Glob, BindFailure> {
        match &self.words(token, WordUse::Name)?[..] {
            [word] => Ok(word.clone()),
            // One line per value would grant combinations that no line spells out.
            _ => Err(self.illegal("the line", self.line, "a list cannot stand here")),
        }
    }
}

fn without_slash(mut parts: Vec<GlobPart>) -> Vec<GlobPart> {
    if let Some(GlobPart::Text(text)) = parts.last_mut()
        && text.ends_with('/')
    {
        text.pop();
    }
    parts
}
