//! The words of a grant line, and the pieces that a word is made of.
//!
//! ```text
//! /srv/{namespace}/**      "/srv/two words"/*      {kw:dev}      [ -L {kw:label} ]
//! ```

use std::fmt;

/// A name in braces that the host replaces with text: `{rundir}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateName {
    Object,
    Namespace,
    Kind,
    /// `{name}`: the last part of the object's path.
    Own,
    Rid,
    Node,
    Rundir,
    Statedir,
    /// `{config}`: the object's configuration file.
    Config,
    /// `{peer}`: another node of the object. A line with it stands for one line per peer.
    Peer,
}

impl TemplateName {
    const ALL: [(&'static str, TemplateName); 10] = [
        ("object", TemplateName::Object),
        ("namespace", TemplateName::Namespace),
        ("kind", TemplateName::Kind),
        ("name", TemplateName::Own),
        ("rid", TemplateName::Rid),
        ("node", TemplateName::Node),
        ("rundir", TemplateName::Rundir),
        ("statedir", TemplateName::Statedir),
        ("config", TemplateName::Config),
        ("peer", TemplateName::Peer),
    ];

    /// Finds the name that a line spells between braces.
    pub(crate) fn parse(text: &str) -> Option<TemplateName> {
        TemplateName::ALL.iter().find(|(name, _)| *name == text).map(|(_, name)| *name)
    }

    /// All names, as a line spells them.
    pub(crate) fn spellings() -> impl Iterator<Item = &'static str> {
        TemplateName::ALL.iter().map(|(name, _)| *name)
    }

    fn as_str(self) -> &'static str {
        TemplateName::ALL.iter().find(|(_, name)| *name == self).map_or("", |(text, _)| text)
    }

    /// Whether it stands for an absolute path.
    pub(crate) fn is_path(self) -> bool {
        matches!(self, TemplateName::Rundir | TemplateName::Statedir | TemplateName::Config)
    }
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenPiece {
    /// Plain text.
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
    Name(TemplateName),
}

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// The column of its first character, counted from 1.
    pub(crate) column: usize,
    /// Empty only for `""`. Two literals are never adjacent.
    pub(crate) pieces: Vec<TokenPiece>,
    /// Whether it is written without quotes: only then can it be a word of the grammar.
    pub(crate) bare: bool,
}

/// A mistake in a line, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineFault {
    pub(crate) column: usize,
    pub(crate) reason: String,
}

impl LineFault {
    pub(crate) fn new(column: usize, reason: impl Into<String>) -> LineFault {
        LineFault { column, reason: reason.into() }
    }
}

impl Token {
    /// Whether it is this word of the grammar, such as `on`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.bare && self.literal() == Some(word)
    }

    /// Its text, if it contains nothing but text.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &self.pieces[..] {
            [] => Some(""),
            [TokenPiece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Its only piece, if it has exactly one.
    pub(crate) fn only(&self) -> Option<&TokenPiece> {
        match &self.pieces[..] {
            [piece] => Some(piece),
            _ => None,
        }
    }

    pub(crate) fn fault(&self, reason: impl Into<String>) -> LineFault {
        LineFault::new(self.column, reason)
    }

    /// The keywords that it names.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            TokenPiece::Keyword(name) | TokenPiece::Command(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Writes the text as one literal word of a grant line, in quotes where it would otherwise not be read back as itself.
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
                TokenPiece::Literal(text) => f.write_str(&quoted(text))?,
                TokenPiece::Star => f.write_str("*")?,
                TokenPiece::DoubleStar => f.write_str("**")?,
                TokenPiece::Keyword(name) => write!(f, "{{kw:{name}}}")?,
                TokenPiece::Command(name) => write!(f, "{{command:{name}}}")?,
                TokenPiece::Name(name) => write!(f, "{{{}}}", name.as_str())?,
            }
        }
        Ok(())
    }
}
