//! Files that should be UTF-8 text and are not: where the first wrong byte is, and how to say so.

use config::diagnostic::{Diagnostic, Span, TextPosition};

/// A file that is not UTF-8, and the first byte that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// The content, wrong bytes replaced.
    lossy: String,
    byte: u8,
    offset: usize,
}

impl NotText {
    /// The content as text, if it is UTF-8.
    pub fn check(content: Vec<u8>) -> Result<String, NotText> {
        String::from_utf8(content).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let byte = error.as_bytes().get(offset).copied().unwrap_or_default();
            // Nothing before the first wrong byte is replaced, so the offset is the same in both.
            NotText { lossy: String::from_utf8_lossy(error.as_bytes()).into_owned(), byte, offset }
        })
    }

    /// The content with wrong bytes replaced: to be shown, never to be written back.
    pub fn lossy(&self) -> &str {
        &self.lossy
    }

    /// Line and column of the first wrong byte.
    pub fn position(&self) -> TextPosition {
        TextPosition::of(&self.lossy, self.offset)
    }

    /// The first wrong byte, in words.
    pub fn held(&self) -> String {
        format!("the byte 0x{:02x}", self.byte)
    }

    /// The problem in one sentence that calls the file `name`.
    pub fn sentence(&self, name: impl std::fmt::Display) -> String {
        format!("not UTF-8: {name}:{} holds {}", self.position(), self.held())
    }

    /// The problem as a diagnostic of a configuration.
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
