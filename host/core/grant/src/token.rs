//! Words of a grant line: white space separates them, quotes make them literal, braces hold templates.
//!
//! ```text
//! /srv/{namespace}/**      "/srv/two words"/*      {kw:dev}      [ -L {kw:label} ]
//! ```

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// A name that the host fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Object,
    Namespace,
    Kind,
    /// The object's own.
    Own,
    Rid,
    Node,
    Rundir,
    Statedir,
    /// The object's configuration.
    Config,
    /// Another node of the object: the line stands for one line a node.
    Peer,
}

impl Name {
    const ALL: [(&'static str, Name); 10] = [
        ("object", Name::Object),
        ("namespace", Name::Namespace),
        ("kind", Name::Kind),
        ("name", Name::Own),
        ("rid", Name::Rid),
        ("node", Name::Node),
        ("rundir", Name::Rundir),
        ("statedir", Name::Statedir),
        ("config", Name::Config),
        ("peer", Name::Peer),
    ];

    /// Whether it stands for an absolute path.
    pub(crate) fn is_path(self) -> bool {
        matches!(self, Name::Rundir | Name::Statedir | Name::Config)
    }
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Itself.
    Literal(String),
    /// `*`
    Star,
    /// `**`
    DoubleStar,
    /// `{kw:dev}`
    Keyword(String),
    /// `{command:start}`
    Command(String),
    /// `{rundir}`
    Name(Name),
}

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it begins, in characters, from 1.
    pub(crate) column: usize,
    /// Never empty, but for `""`. No two literals stand side by side.
    pub(crate) pieces: Vec<Piece>,
    /// Whether it is written without quotes, so that it may be a word of the grammar.
    bare: bool,
}

/// What is wrong with a line, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) column: usize,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(column: usize, reason: impl Into<String>) -> Fault {
        Fault { column, reason: reason.into() }
    }
}

impl Token {
    /// Whether it is this word of the grammar, such as `on`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.bare && self.literal() == Some(word)
    }

    /// Its text, if it holds nothing but text.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &self.pieces[..] {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The piece that it is made of, if it is one alone.
    pub(crate) fn only(&self) -> Option<&Piece> {
        match &self.pieces[..] {
            [piece] => Some(piece),
            _ => None,
        }
    }

    pub(crate) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault::new(self.column, reason)
    }

    /// The keywords that it names.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Keyword(name) | Piece::Command(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A template as the grammar spells it.
fn piece_of(body: &str) -> Option<Piece> {
    let keyword = |name: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!name.is_empty() && name.chars().all(legal)).then(|| name.to_owned())
    };
    if let Some(name) = body.strip_prefix("kw:") {
        return keyword(name).map(Piece::Keyword);
    }
    if let Some(name) = body.strip_prefix("command:") {
        return keyword(name).map(Piece::Command);
    }
    Name::ALL.iter().find(|(name, _)| *name == body).map(|(_, name)| Piece::Name(*name))
}

/// Splits a text into words. A word that begins with `#` ends the line. A `[` that begins a word and a `]` that ends one
/// are words of their own. `column` is where the text begins.
pub(crate) fn tokens(text: &str, column: usize) -> Result<Vec<Token>, Fault> {
    let mut reader = Reader { chars: text.chars().peekable(), column };
    let mut tokens = Vec::new();
    while let Some(c) = reader.chars.peek().copied() {
        match c {
            '#' => break,
            c if c.is_whitespace() => {
                reader.next();
            }
            '[' => {
                tokens.push(bracket(reader.column, "["));
                reader.next();
            }
            _ => word(&mut reader, &mut tokens)?,
        }
    }
    Ok(tokens)
}

fn bracket(column: usize, text: &str) -> Token {
    Token { column, pieces: vec![Piece::Literal(text.to_owned())], bare: true }
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    column: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        self.column += 1;
        self.chars.next()
    }
}

/// One word, and the `]` words that end it.
fn word(reader: &mut Reader<'_>, tokens: &mut Vec<Token>) -> Result<(), Fault> {
    let mut token = Token { column: reader.column, pieces: Vec::new(), bare: true };
    // How many unquoted `]` stand at the very end so far.
    let mut closing = 0;
    while let Some(c) = reader.chars.peek().copied().filter(|c| !c.is_whitespace()) {
        let column = reader.column;
        reader.next();
        closing = if c == ']' { closing + 1 } else { 0 };
        match c {
            '"' => {
                token.bare = false;
                push_text(&mut token.pieces, &quotation(reader, column)?);
            }
            '{' => token.pieces.push(template(reader, column)?),
            '}' => return Err(Fault::new(column, "a } without a {: write it in quotes")),
            '*' if token.pieces.last() == Some(&Piece::Star) => {
                token.pieces.pop();
                token.pieces.push(Piece::DoubleStar);
            }
            '*' => token.pieces.push(Piece::Star),
            c => push_text(&mut token.pieces, c.encode_utf8(&mut [0; 4])),
        }
    }
    strip(&mut token.pieces, closing);
    let end = reader.column - closing;
    if !(token.pieces.is_empty() && token.bare) {
        tokens.push(token);
    }
    tokens.extend((0..closing).map(|i| bracket(end + i, "]")));
    Ok(())
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Literal(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Literal(text.to_owned())),
    }
}

/// Takes `closing` brackets off the end.
fn strip(pieces: &mut Vec<Piece>, closing: usize) {
    if let Some(Piece::Literal(last)) = pieces.last_mut() {
        last.truncate(last.len() - closing.min(last.len()));
        if last.is_empty() && closing > 0 {
            pieces.pop();
        }
    }
}

/// What stands up to the closing quote: `\"`, `\\` and `\n` are escapes.
fn quotation(reader: &mut Reader<'_>, column: usize) -> Result<String, Fault> {
    let mut text = String::new();
    loop {
        match reader.next() {
            None => return Err(Fault::new(column, "the quote is not closed")),
            Some('"') => return Ok(text),
            Some('\\') => match reader.next() {
                Some(c @ ('"' | '\\')) => text.push(c),
                Some('n') => text.push('\n'),
                _ => return Err(Fault::new(reader.column - 1, "expected \\\", \\\\ or \\n")),
            },
            Some(c) => text.push(c),
        }
    }
}

fn template(reader: &mut Reader<'_>, column: usize) -> Result<Piece, Fault> {
    let mut body = String::new();
    loop {
        match reader.next() {
            None => return Err(Fault::new(column, "the { is not closed")),
            Some('}') => break,
            Some(c) => body.push(c),
        }
    }
    piece_of(&body).ok_or_else(|| {
        let names: Vec<String> = Name::ALL.iter().map(|(name, _)| format!("{{{name}}}")).collect();
        Fault::new(
            column,
            format!("unknown template {{{body}}}: expected {{kw:NAME}}, {{command:NAME}}, {}", names.join(", ")),
        )
    })
}

/// The text as one literal word of a grant line: in quotes where it would not be read back as itself.
pub(crate) fn quoted(text: &str) -> String {
    const WORDS: [&str; 3] = ["on", "via", "dev"];
    if !text.is_empty() && !WORDS.contains(&text) && !text.starts_with('#') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn is_plain(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\' | '*' | '{' | '}' | '[' | ']')
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bare && self.pieces.len() == 1 && (self.is_word("[") || self.is_word("]")) {
            return f.write_str(self.literal().unwrap_or_default());
        }
        if self.pieces.is_empty() {
            return f.write_str("\"\"");
        }
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => f.write_str(&quoted(text))?,
                Piece::Star => f.write_str("*")?,
                Piece::DoubleStar => f.write_str("**")?,
                Piece::Keyword(name) => write!(f, "{{kw:{name}}}")?,
                Piece::Command(name) => write!(f, "{{command:{name}}}")?,
                Piece::Name(name) => {
                    let known = Name::ALL.iter().find(|(_, known)| known == name).map_or("", |(text, _)| text);
                    write!(f, "{{{known}}}")?;
                }
            }
        }
        Ok(())
    }
}
