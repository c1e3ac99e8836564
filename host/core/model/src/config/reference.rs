//! What a value is made of: text, references `{…}` and arithmetic `$(…)`.
//!
//! What does not parse as a reference or as arithmetic is text: `${HOME}`, `{{.ID}}`, `$(date)`, `{}`. So are `\{` and
//! `\$(`, without their backslash. Nothing is looked up here.

use crate::diagnostic::Span;

use super::arithmetic::{self, Expression};
use super::document::DEFAULT;

/// A value, taken to pieces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a value. Spans count from the value's first byte.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Reference(Reference),
    Arithmetic(Expression, Span),
}

/// `{…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) span: Span,
    pub(super) modifier: Option<Modifier>,
    /// `{#X}`: how many words it has.
    pub(super) count: bool,
    /// None: the section in which it stands, then DEFAULT.
    pub(super) section: Option<String>,
    pub(super) name: String,
    /// `{X[i]}`: that word of it.
    pub(super) index: Option<usize>,
}

/// What is done to the text of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modifier {
    Upper,
    Lower,
    Capitalize,
    Title,
    Swapcase,
}

impl Modifier {
    const ALL: [(&'static str, Modifier); 5] = [
        ("upper:", Modifier::Upper),
        ("lower:", Modifier::Lower),
        ("capitalize:", Modifier::Capitalize),
        ("title:", Modifier::Title),
        ("swapcase:", Modifier::Swapcase),
    ];

    /// The text, modified.
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Modifier::Upper => text.to_uppercase(),
            Modifier::Lower => text.to_lowercase(),
            Modifier::Capitalize => capitalized(text),
            Modifier::Title => text.split_inclusive(|c: char| !c.is_alphabetic()).map(capitalized).collect(),
            Modifier::Swapcase => text.chars().map(swapped).collect(),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + &chars.as_str().to_lowercase()
}

fn swapped(c: char) -> String {
    if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() }
}

impl Template {
    /// Takes a value to pieces.
    pub(super) fn parse(value: &str) -> Template {
        let mut pieces = Pieces { last_double: value.rfind("}}").unwrap_or(0), ..Pieces::default() };
        let mut at = 0;
        while at < value.len() {
            at += pieces.take(value, at);
        }
        pieces.flush();
        Template { pieces: pieces.list }
    }

    /// The text, if nothing has to be looked up for it.
    pub(super) fn literal(&self) -> Option<String> {
        match self.pieces.as_slice() {
            [] => Some(String::new()),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    text: String,
    /// Where the last `}}` stands: behind it no `{{` is closed any more, and nobody needs to search.
    last_double: usize,
}

impl Pieces {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.list.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    fn push(&mut self, piece: Piece) {
        self.flush();
        self.list.push(piece);
    }

    /// Takes one piece, or some text. Returns how many bytes it took.
    fn take(&mut self, value: &str, at: usize) -> usize {
        let rest = &value[at..];
        for (escaped, text) in [("\\{", "{"), ("\\$(", "$("), ("${", "${")] {
            if rest.starts_with(escaped) {
                return self.take_text(text, escaped.len());
            }
        }
        if rest.starts_with("{{") {
            let end = if at < self.last_double { rest.find("}}").map_or(2, |end| end + 2) } else { 2 };
            return self.take_text(&rest[..end], end);
        }
        if let Some((expression, len)) = arithmetic::parse(rest, at) {
            self.push(Piece::Arithmetic(expression, Span::new(at, at + len)));
            return len;
        }
        if let Some((reference, len)) = Reference::parse(rest, at) {
            self.push(Piece::Reference(reference));
            return len;
        }
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let plain = rest[first..].find(['\\', '{', '$']).map_or(rest.len(), |next| first + next);
        self.take_text(&rest[..plain], plain)
    }

    fn take_text(&mut self, text: &str, len: usize) -> usize {
        self.text.push_str(text);
        len
    }
}

impl Reference {
    /// The reference at the beginning of `text`, which stands at `offset` of its value, and its length.
    pub(super) fn parse(text: &str, offset: usize) -> Option<(Reference, usize)> {
        let inner = text.strip_prefix('{')?;
        let legal = |c: char| c.is_ascii_alphanumeric() || "_-.#/[]:".contains(c);
        let len = inner.find(|c| !legal(c))?;
        if !inner[len..].starts_with('}') {
            return None;
        }
        let span = Span::new(offset, offset + len + 2);
        Some((Reference::of(&inner[..len], span)?, len + 2))
    }

    fn of(body: &str, span: Span) -> Option<Reference> {
        let named = |(name, modifier): (&str, Modifier)| body.strip_prefix(name).map(|rest| (Some(modifier), rest));
        let (modifier, body) = Modifier::ALL.into_iter().find_map(named).unwrap_or((None, body));
        let (count, body) = body.strip_prefix('#').map_or((false, body), |rest| (true, rest));
        let (body, index) = match body.strip_suffix(']') {
            Some(indexed) => {
                let (body, index) = indexed.split_once('[')?;
                (body, Some(index.parse().ok()?))
            }
            None => (body, None),
        };
        let (section, name) = split(body)?;
        Some(Reference { span, modifier, count, section: section.map(str::to_owned), name: name.to_owned(), index })
    }
}

/// Section and name. None for what is no reference.
fn split(body: &str) -> Option<(Option<&str>, &str)> {
    let Some((first, rest)) = body.split_once('.') else {
        return is_name(body).then_some((None, body));
    };
    match first {
        "" => is_name(rest).then_some((Some(DEFAULT), rest)),
        // The names of these are free: `{env.a.b}`, `{node.labels.rack-1}`.
        "env" | "data" | "labels" | "node" => is_free_name(rest).then_some((Some(first), rest)),
        _ => {
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
#[path = "reference_tests.rs"]
mod tests;
