//! Parses a value into text, references `{…}` and arithmetic `$(…)`.
//!
//! Everything that does not parse as a reference or as arithmetic is text: `${HOME}`, `{{.ID}}`, `$(date)`, `{}`. So are
//! `\{` and `\$(`, without their backslash. Nothing is looked up here.

use crate::diagnostic::Span;

use model::object::TextModifier;

use crate::document::text::DEFAULT;
use crate::value::arithmetic::{self, ArithmeticExpression};

/// A value, taken to pieces.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueTemplate {
    pub(crate) pieces: Vec<TemplatePiece>,
}

/// A piece of a value. Spans count from the value's first byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TemplatePiece {
    Text(String),
    Reference(TemplateReference),
    Arithmetic(ArithmeticExpression, Span),
}

/// `{…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateReference {
    pub(crate) span: Span,
    pub(crate) modifier: Option<TextModifier>,
    /// `{#X}`: how many words it has.
    pub(crate) count: bool,
    /// None: the section in which it stands, then DEFAULT.
    pub(crate) section: Option<String>,
    pub(crate) name: String,
    /// `{X[i]}`: that word of it.
    pub(crate) index: Option<usize>,
}

impl ValueTemplate {
    /// Takes a value to pieces.
    pub(crate) fn parse(value: &str) -> ValueTemplate {
        let mut pieces = PieceReader { last_double: value.rfind("}}").unwrap_or(0), ..PieceReader::default() };
        let mut at = 0;
        while at < value.len() {
            at += pieces.take(value, at);
        }
        pieces.flush();
        ValueTemplate { pieces: pieces.list }
    }

    /// The text, if nothing has to be looked up for it.
    pub(crate) fn literal(&self) -> Option<String> {
        match self.pieces.as_slice() {
            [] => Some(String::new()),
            [TemplatePiece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }
}

#[derive(Default)]
struct PieceReader {
    list: Vec<TemplatePiece>,
    text: String,
    /// Where the last `}}` stands. Behind it no `{{` is closed, so the search for its end is skipped: else a text of `{{`
    /// takes quadratic time.
    last_double: usize,
}

impl PieceReader {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.list.push(TemplatePiece::Text(std::mem::take(&mut self.text)));
        }
    }

    fn push(&mut self, piece: TemplatePiece) {
        self.flush();
        self.list.push(piece);
    }

    /// Takes one piece, or some text. Returns how many bytes it took.
    fn take(&mut self, value: &str, at: usize) -> usize {
        let rest = &value[at..];
        // `${` is not escaped, but it is a shell's: the brace behind the dollar must not begin a reference.
        for (escaped, text) in [("\\{", "{"), ("\\$(", "$("), ("${", "${")] {
            if rest.starts_with(escaped) {
                return self.take_text(text, escaped.len());
            }
        }
        // `{{.ID}}` is a template for the program that gets the value, so nothing in it is looked up.
        if rest.starts_with("{{") {
            let end = if at < self.last_double { rest.find("}}").map_or(2, |end| end + 2) } else { 2 };
            return self.take_text(&rest[..end], end);
        }
        if let Some((expression, len)) = arithmetic::parse(rest, at) {
            self.push(TemplatePiece::Arithmetic(expression, Span::new(at, at + len)));
            return len;
        }
        if let Some((reference, len)) = TemplateReference::parse(rest, at) {
            self.push(TemplatePiece::Reference(reference));
            return len;
        }
        // At least one character, even a brace: it did not begin anything above.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let plain = rest[first..].find(['\\', '{', '$']).map_or(rest.len(), |next| first + next);
        self.take_text(&rest[..plain], plain)
    }

    fn take_text(&mut self, text: &str, len: usize) -> usize {
        self.text.push_str(text);
        len
    }
}

impl TemplateReference {
    /// The reference at the beginning of `text`, which stands at `offset` of its value, and its length.
    pub(crate) fn parse(text: &str, offset: usize) -> Option<(TemplateReference, usize)> {
        let inner = text.strip_prefix('{')?;
        let legal = |c: char| c.is_ascii_alphanumeric() || "_-.#/[]:".contains(c);
        let len = inner.find(|c| !legal(c))?;
        if !inner[len..].starts_with('}') {
            return None;
        }
        let span = Span::new(offset, offset + len + 2);
        Some((TemplateReference::of(&inner[..len], span)?, len + 2))
    }

    fn of(body: &str, span: Span) -> Option<TemplateReference> {
        let named = |(name, modifier): (&str, TextModifier)| body.strip_prefix(name).map(|rest| (Some(modifier), rest));
        let (modifier, body) = TextModifier::ALL.into_iter().find_map(named).unwrap_or((None, body));
        let (count, body) = body.strip_prefix('#').map_or((false, body), |rest| (true, rest));
        let (body, index) = match body.strip_suffix(']') {
            Some(indexed) => {
                let (body, index) = indexed.split_once('[')?;
                (body, Some(index.parse().ok()?))
            }
            None => (body, None),
        };
        let (section, name) = split(body)?;
        Some(TemplateReference {
            span,
            modifier,
            count,
            section: section.map(str::to_owned),
            name: name.to_owned(),
            index,
        })
    }
}

/// Splits a reference into section and name. None if it is not one.
fn split(body: &str) -> Option<(Option<&str>, &str)> {
    let Some((first, rest)) = body.split_once('.') else {
        return is_name(body).then_some((None, body));
    };
    match first {
        "" => is_name(rest).then_some((Some(DEFAULT), rest)),
        // The names of these are free: `{env.a.b}`, `{node.labels.rack-1}`.
        "env" | "data" | "labels" | "node" => is_free_name(rest).then_some((Some(first), rest)),
        _ => {
            // From the end: the id of a section may hold dots, its keywords do not.
            let (section, name) = body.rsplit_once('.')?;
            (is_section(section) && is_name(name)).then_some((Some(section), name))
        }
    }
}

fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(legal)
}

fn is_free_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(legal)
}

fn is_section(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-#.:".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(legal)
        && !text.split('.').any(str::is_empty)
}

#[cfg(test)]
mod tests;
