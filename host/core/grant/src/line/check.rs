//! Checks where keywords and stars may stand in a word, before anything is bound.

use crate::line::token::{LineFault, Token, TokenPiece};

/// The words of a line after its `=`.
pub(crate) struct LineWords<'a> {
    pub(crate) tokens: &'a [Token],
    /// The column behind the line's last character, for faults about a missing word.
    pub(crate) end: usize,
}

impl<'a> LineWords<'a> {
    /// The only word of the line.
    pub(crate) fn one(&self, expected: &str) -> Result<&'a Token, LineFault> {
        match self.tokens {
            [token] => Ok(token),
            [] => Err(LineFault::new(self.end, format!("expected {expected}"))),
            [_, extra, ..] => Err(extra.fault(format!("expected {expected} and nothing after it"))),
        }
    }

    /// The fault of words that do not have this shape.
    pub(crate) fn expected(&self, shape: &str) -> LineFault {
        LineFault::new(self.tokens.first().map_or(self.end, |word| word.column), format!("expected {shape}"))
    }
}

/// Accepts one text, one keyword, or a pattern.
pub(crate) fn check_word(token: &Token) -> Result<(), LineFault> {
    let whole = token.pieces.len() == 1;
    for piece in &token.pieces {
        match piece {
            TokenPiece::DoubleStar => {
                return Err(token.fault("** stands at the end of paths and command lines only"));
            }
            TokenPiece::Command(_) => return Err(token.fault("{command:NAME} stands in exec and spawn only")),
            TokenPiece::Keyword(_) if !whole => {
                return Err(token.fault("{kw:NAME} is a whole word, never a part of one"));
            }
            _ => {}
        }
    }
    if token.pieces.is_empty() { Err(token.fault("expected a word")) } else { Ok(()) }
}

/// Accepts a path or a word.
pub(crate) fn check_source(token: &Token) -> Result<(), LineFault> {
    match &token.pieces[..] {
        [TokenPiece::Literal(text), ..] if text.starts_with('/') => check_path(token),
        [TokenPiece::Name(name), ..] if name.is_path() => check_path(token),
        _ => check_word(token),
    }
}

/// Accepts an absolute path: it begins with `/`, with a keyword, or with the name of a directory.
pub(crate) fn check_path(token: &Token) -> Result<(), LineFault> {
    match token.pieces.first() {
        Some(TokenPiece::Literal(text)) if text.starts_with('/') => {}
        Some(TokenPiece::Keyword(_)) => {}
        Some(TokenPiece::Name(name)) if name.is_path() => {}
        _ => return Err(token.fault("expected an absolute path")),
    }
    check_components(token, &token.pieces)
}

/// Accepts the pieces of a path in which each keyword is a whole component, and `**` is the last one.
///
/// A keyword that were a part of a component could turn `/srv/{kw:name}` into a sibling directory that no line grants.
pub(crate) fn check_components(token: &Token, pieces: &[TokenPiece]) -> Result<(), LineFault> {
    for (i, piece) in pieces.iter().enumerate() {
        let opens = i == 0 || matches!(&pieces[i - 1], TokenPiece::Literal(text) if text.ends_with('/'));
        let next = pieces.get(i + 1);
        let closes = next.is_none_or(|next| matches!(next, TokenPiece::Literal(text) if text.starts_with('/')));
        match piece {
            TokenPiece::Command(_) => return Err(token.fault("{command:NAME} stands in exec and spawn only")),
            TokenPiece::Keyword(_) if !opens || !closes => {
                return Err(token.fault("{kw:NAME} is a whole path or a whole component, never a part of one"));
            }
            TokenPiece::DoubleStar if i == 0 || !opens || next.is_some() => {
                return Err(token.fault("** is the last component of a path"));
            }
            _ => {}
        }
    }
    Ok(())
}
