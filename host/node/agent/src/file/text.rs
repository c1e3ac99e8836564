//! Files that should be text, and are not.

use model::diagnostic::{Diagnostic, Position, Span};

/// Where a file ceases to be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// All of it, with what is no text replaced.
    lossy: String,
    /// The first byte that is no text, and where it stands.
    byte: u8,
    offset: usize,
}

impl NotText {
    /// The text, if it is one.
    pub fn check(content: Vec<u8>) -> Result<String, NotText> {
        String::from_utf8(content).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(offset).copied().unwrap_or_default();
            // Up to the first bad byte nothing is replaced, so that the offset holds in both.
            NotText { lossy: String::from_utf8_lossy(error.as_bytes()).into_owned(), byte, offset }
        })
    }

    /// All of it, with what is no text replaced: to be looked at, never to be written.
    pub fn lossy(&self) -> &str {
        &self.lossy
    }

    /// Line and column of the first byte that is no text.
    pub fn position(&self) -> Position {
        Position::of(&self.lossy, self.offset)
    }

    /// What stands there.
    pub fn held(&self) -> String {
        format!("the byte 0x{:02x}", self.byte)
    }

    /// All of that in a sentence. `name` is what the file is called.
    pub fn sentence(&self, name: impl std::fmt::Display) -> String {
        format!("not UTF-8: {name}:{} holds {}", self.position(), self.held())
    }

    /// The same, as a problem of the configuration.
    pub fn diagnostic(&self) -> Diagnostic {
        let span = Span::new(self.offset, self.offset + char::REPLACEMENT_CHARACTER.len_utf8());
        Diagnostic::error(span, format!("not UTF-8: {}", self.held()), "expected text in UTF-8, comments included")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_byte_is_named_and_located() {
        assert_eq!(NotText::check("# déjà\n".into()).as_deref(), Ok("# déjà\n"));
        let bad = NotText::check(b"[env]\n# \xc3\xa4 caf\xe9\n\xff".to_vec()).unwrap_err();
        assert_eq!((bad.position().to_string(), bad.held()), ("2:8".to_owned(), "the byte 0xe9".to_owned()));
        assert_eq!(bad.diagnostic().span.of(bad.lossy()), "\u{fffd}");
        assert_eq!(NotText::check(vec![0xe9]).unwrap_err().position().to_string(), "1:1");
    }
}
