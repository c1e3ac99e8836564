//! A grant line as it was read, before binding: `<capability>[(attribute, …)] = <words>`.
//!
//! Requests and policies share the grammar. What only one of them may write is checked here, when the line is read:
//! keywords belong in requests, stars in policies (and where docs/grants.md says so).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::bind::binder::{BindFailure, Binder};
use crate::bind::context::{GrantContext, NoDeviceLedger};
use crate::capability;
use crate::capability::definition::{Capability, LineTemplate};
use crate::line::attributes::LineAttributes;
use crate::line::check::LineWords;
use crate::line::known_names::KnownNames;
use crate::line::origin::LineOrigin;
use crate::line::rule::GrantRule;
use crate::line::token::{LineFault, TemplateName, Token, TokenPiece};
use crate::line::tokenizer::tokens;

/// A grant line. Two lines are equal if they read the same and were written in the same kind of place.
#[derive(Debug, Clone)]
pub(crate) struct GrantLine {
    pub(crate) capability: &'static Capability,
    pub(crate) attributes: LineAttributes,
    pub(crate) template: Arc<dyn LineTemplate>,
    pub(crate) origin: LineOrigin,
    /// Whether it stands for one line per other node of the object.
    about_peers: bool,
    text: String,
}

impl PartialEq for GrantLine {
    fn eq(&self, other: &GrantLine) -> bool {
        self.origin == other.origin && self.text == other.text
    }
}

impl Eq for GrantLine {}

impl GrantLine {
    /// Reads a line. `column` is the column of the text's first character.
    pub(crate) fn parse(text: &str, column: usize, origin: LineOrigin) -> Result<GrantLine, LineFault> {
        let head = head(text, column)?;
        let capability = head.capability;
        let attributes =
            LineAttributes::parse(head.attributes, head.attributes_column, capability.name, capability.attributes)?;
        // Faults are reported in the order in which a reader meets them.
        let words = tokens(head.rest, head.rest_column)?;
        let end = column + text.trim_end().chars().count();
        let template = (capability.template)(&LineWords { tokens: &words, end })?;
        let mut line =
            GrantLine { capability, attributes, template, origin, about_peers: false, text: text.trim().to_owned() };
        line.about_peers =
            line.tokens().iter().any(|token| token.pieces.contains(&TokenPiece::Name(TemplateName::Peer)));
        line.check_origin()?;
        line.check_bound().map_err(|reason| LineFault::new(words.first().map_or(end, |word| word.column), reason))?;
        Ok(line)
    }

    /// The line as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The keywords that it names.
    pub(crate) fn keywords(&self) -> BTreeSet<String> {
        let named = self.tokens().into_iter().flat_map(Token::keywords).map(str::to_owned);
        named.chain(self.template.whole_command().map(str::to_owned)).collect()
    }

    /// The rules that the line stands for: none if it names a keyword that is absent, several if it names a list or `{peer}`.
    pub(crate) fn bind(&self, binder: &Binder<'_>) -> Result<Vec<GrantRule>, BindFailure> {
        if !self.about_peers {
            return self.bind_one(binder);
        }
        // An object without peers: the line stands for no rule.
        let rules = binder.context.peers.iter().map(|peer| self.bind_one(&binder.about(peer)));
        Ok(rules.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn bind_one(&self, binder: &Binder<'_>) -> Result<Vec<GrantRule>, BindFailure> {
        let attributes = self.attributes.bind(binder)?;
        let patterns = self.template.bind(binder, self.origin)?;
        // One value of doubt in a list taints all rules of the line.
        let unowned = binder.take_unowned();
        let rule = |pattern| GrantRule {
            capability: self.capability,
            attributes: attributes.clone(),
            origin: self.origin,
            pattern,
            unowned: unowned.clone(),
        };
        Ok(patterns.into_iter().map(rule).collect())
    }

    /// Whether both lines could be about one operation, for the same resource.
    pub(crate) fn may_meet(&self, other: &GrantLine) -> bool {
        let bound = |line: &GrantLine| {
            invented().and_then(|context| line.bind(&Binder::new(&context, &[], &NoDeviceLedger, line.as_str())).ok())
        };
        let (Some(own), Some(others)) = (bound(self), bound(other)) else { return true };
        own.iter().any(|own| {
            others.iter().any(|other| {
                let names = KnownNames::default();
                let meets = own.pattern.may_meet(&*other.pattern) && other.pattern.may_meet(&*own.pattern);
                // A line about one thing alone is asked for if the request covers that thing.
                meets
                    && other
                        .pattern
                        .example()
                        .is_none_or(|op| op.is_covered_by(own, &names) || !own.is(other.capability))
            })
        })
    }

    /// The words in which templates and stars can stand.
    fn tokens(&self) -> Vec<&Token> {
        let mut tokens = self.template.tokens();
        tokens.extend(self.attributes.tokens());
        tokens
    }

    /// Binds the line to an invented resource, to find faults in its own text when it is read and not at the first call.
    fn check_bound(&self) -> Result<(), &'static str> {
        let Some(context) = invented() else { return Ok(()) };
        // No keywords: only literals and names are filled in, so whatever is illegal is the line's own fault.
        match self.bind(&Binder::new(&context, &[], &NoDeviceLedger, &self.text)) {
            Ok(_) | Err(BindFailure::Absent) => Ok(()),
            Err(BindFailure::Illegal(error)) => Err(error.reason),
        }
    }

    /// The fault of a line that names a keyword, where a policy may not: that of a namespace is about many drivers, and a `deny` would
    /// forbid nothing while the keyword is not set.
    pub(crate) fn keyword_fault(&self, why: &str) -> Option<LineFault> {
        let token = self.tokens().into_iter().find(|token| token.keywords().next().is_some());
        let column = token.map(|token| token.column).or_else(|| self.template.whole_command().map(|_| 1))?;
        Some(LineFault::new(column, why))
    }

    /// Refuses stars in a request.
    fn check_origin(&self) -> Result<(), LineFault> {
        for token in self.tokens() {
            match self.origin {
                LineOrigin::Request
                    if token.pieces.contains(&TokenPiece::Star) && !self.template.may_be_star(token) =>
                {
                    return Err(token.fault("a request may not contain a *: only a policy may"));
                }
                _ => {}
            }
        }
        self.template.check_origin(self.origin)
    }
}

impl fmt::Display for GrantLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The context of an invented resource.
fn invented() -> Option<GrantContext> {
    Some(GrantContext {
        object: "any".parse().ok()?,
        rid: "app#any".parse().ok()?,
        node: "any".parse().ok()?,
        rundir: "/any".into(),
        statedir: "/any".into(),
        config: "/any".into(),
        peers: vec!["any".parse().ok()?],
    })
}

/// A line, cut at the `=`.
struct LineHead<'a> {
    capability: &'static Capability,
    attributes: &'a str,
    attributes_column: usize,
    rest: &'a str,
    rest_column: usize,
}

fn head(text: &str, column: usize) -> Result<LineHead<'_>, LineFault> {
    let blank = text.len() - text.trim_start().len();
    let at = |byte: usize| column + text[..byte].chars().count();
    let name_end = text[blank..].find(|c: char| !c.is_ascii_lowercase() && c != '.').map_or(text.len(), |i| blank + i);
    // All letters and dots up to here, so that an error shows an unknown name as a whole.
    let name = &text[blank..name_end];
    let capability = capability::find(name).ok_or_else(|| {
        let known: Vec<&str> = capability::all().map(|capability| capability.name).collect();
        LineFault::new(at(blank), format!("unknown capability {name:?}: expected {}", known.join(", ")))
    })?;
    let (attributes, after) = match text[name_end..].strip_prefix('(') {
        None => (name_end..name_end, name_end),
        Some(inside) => {
            let close = inside.find(')').ok_or_else(|| LineFault::new(at(name_end), "the ( is not closed"))?;
            (name_end + 1..name_end + 1 + close, name_end + close + 2)
        }
    };
    let equals = text[after..].len() - text[after..].trim_start().len() + after;
    // The first `=` behind the parentheses: those within belong to attributes.
    if !text[equals..].starts_with('=') {
        return Err(LineFault::new(at(equals), "expected ="));
    }
    Ok(LineHead {
        capability,
        attributes_column: at(attributes.start),
        attributes: &text[attributes],
        rest: &text[equals + 1..],
        rest_column: at(equals + 1),
    })
}
