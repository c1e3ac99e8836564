//! Splits a grant line into words: white space separates them, quotes make them literal, braces enclose templates.

use std::iter::Peekable;
use std::str::Chars;

use crate::line::token::{LineFault, TemplateName, Token, TokenPiece};

/// Splits a text into words. A word that begins with `#` ends the line. A `[` that begins a word and a `]` that ends one
/// are words of their own. `column` is the column of the text's first character.
pub(crate) fn tokens(text: &str, column: usize) -> Result<Vec<Token>, LineFault> {
    let mut reader = TokenReader { chars: text.chars().peekable(), column };
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
    Token { column, pieces: vec![TokenPiece::Literal(text.to_owned())], bare: true }
}

struct TokenReader<'a> {
    chars: Peekable<Chars<'a>>,
    column: usize,
}

impl TokenReader<'_> {
    fn next(&mut self) -> Option<char> {
        self.column += 1;
        self.chars.next()
    }
}

/// Reads one word, and the `]` words that end it.
fn word(reader: &mut TokenReader<'_>, tokens: &mut Vec<Token>) -> Result<(), LineFault> {
    let mut token = Token { column: reader.column, pieces: Vec::new(), bare: true };
    // The number of unquoted `]` at the end of what was read so far.
    let mut closing = 0;
    while let Some(c) = reader.chars.peek().copied().filter(|c| !c.is_whitespace()) {
        let column = reader.column;
        reader.next();
        closing = if c == ']' { closing + 1 } else { 0 };
        match c {
            '"' => {
                // A quoted word is data even where it reads like a word of the grammar.
                token.bare = false;
                push_text(&mut token.pieces, &quotation(reader, column)?);
            }
            '{' => token.pieces.push(template(reader, column)?),
            '}' => return Err(LineFault::new(column, "a } without a {: write it in quotes")),
            // A third star begins a new piece, which no check accepts.
            '*' if token.pieces.last() == Some(&TokenPiece::Star) => {
                token.pieces.pop();
                token.pieces.push(TokenPiece::DoubleStar);
            }
            '*' => token.pieces.push(TokenPiece::Star),
            c => push_text(&mut token.pieces, c.encode_utf8(&mut [0; 4])),
        }
    }
    strip(&mut token.pieces, closing);
    let end = reader.column - closing;
    // `""` is a word; a word of nothing but brackets is not one beside them.
    if !(token.pieces.is_empty() && token.bare) {
        tokens.push(token);
    }
    tokens.extend((0..closing).map(|i| bracket(end + i, "]")));
    Ok(())
}

fn push_text(pieces: &mut Vec<TokenPiece>, text: &str) {
    match pieces.last_mut() {
        Some(TokenPiece::Literal(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(TokenPiece::Literal(text.to_owned())),
    }
}

/// Takes `closing` brackets off the end.
fn strip(pieces: &mut Vec<TokenPiece>, closing: usize) {
    if let Some(TokenPiece::Literal(last)) = pieces.last_mut() {
        last.truncate(last.len() - closing.min(last.len()));
        if last.is_empty() && closing > 0 {
            pieces.pop();
        }
    }
}

/// Reads the text up to the closing quote: `\"`, `\\` and `\n` are escapes.
fn quotation(reader: &mut TokenReader<'_>, column: usize) -> Result<String, LineFault> {
    let mut text = String::new();
    loop {
        match reader.next() {
            None => return Err(LineFault::new(column, "the quote is not closed")),
            Some('"') => return Ok(text),
            Some('\\') => match reader.next() {
                Some(c @ ('"' | '\\')) => text.push(c),
                Some('n') => text.push('\n'),
                _ => return Err(LineFault::new(reader.column - 1, "expected \\\", \\\\ or \\n")),
            },
            Some(c) => text.push(c),
        }
    }
}

/// Reads the template up to the closing brace.
fn template(reader: &mut TokenReader<'_>, column: usize) -> Result<TokenPiece, LineFault> {
    let mut body = String::new();
    loop {
        match reader.next() {
            None => return Err(LineFault::new(column, "the { is not closed")),
            Some('}') => break,
            Some(c) => body.push(c),
        }
    }
    piece_of(&body).ok_or_else(|| {
        let names: Vec<String> = TemplateName::spellings().map(|name| format!("{{{name}}}")).collect();
        LineFault::new(
            column,
            format!("unknown template {{{body}}}: expected {{kw:NAME}}, {{command:NAME}}, {}", names.join(", ")),
        )
    })
}

/// Reads the text between two braces.
fn piece_of(body: &str) -> Option<TokenPiece> {
    let keyword = |name: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!name.is_empty() && name.chars().all(legal)).then(|| name.to_owned())
    };
    if let Some(name) = body.strip_prefix("kw:") {
        return keyword(name).map(TokenPiece::Keyword);
    }
    if let Some(name) = body.strip_prefix("command:") {
        return keyword(name).map(TokenPiece::Command);
    }
    TemplateName::parse(body).map(TokenPiece::Name)
}
