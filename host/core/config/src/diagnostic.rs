//! Diagnostics: what is wrong with a text, and where. Plain data that the command line renders.

use std::fmt;
use std::ops::Range;

/// A part of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// Just past the last byte.
    pub end: usize,
}

impl Span {
    /// From `start` to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The same as a range of the standard library.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The text that it covers.
    pub fn of(self, text: &str) -> &str {
        &text[self.range()]
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Span {
        Span::new(range.start, range.end)
    }
}

/// How severe a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but its author should look at it.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A problem of a text, and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// The part of the text that is wrong.
    pub span: Span,
    pub severity: Severity,
    /// The problem in words, with the keyword: `disk#1.size is not a size`.
    pub message: String,
    /// The words beside the marked text, mostly what was expected there. May be empty.
    pub label: String,
}

impl Diagnostic {
    /// An error.
    pub fn error(span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic { span, severity: Severity::Error, message: message.into(), label: label.into() }
    }

    /// A warning.
    pub fn warning(span: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic { span, severity: Severity::Warning, message: message.into(), label: label.into() }
    }

    /// Whether the problem makes the configuration unusable.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where it begins in `text`, which must be the text that it is about.
    pub fn position(&self, text: &str) -> TextPosition {
        TextPosition::of(text, self.span.start)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.label.is_empty() { Ok(()) } else { write!(f, ": {}", self.label) }
    }
}

/// Line and column of a text, both counted from one, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPosition {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl TextPosition {
    /// Where the byte `offset` of `text` stands. An offset past the end is the end.
    pub fn of(text: &str, offset: usize) -> TextPosition {
        // `get` refuses an offset inside of a character, too. That one counts as the end like any other wrong one.
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TextPosition { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// The beginnings of a text's lines, to compute many positions of the same text.
#[derive(Debug, Clone)]
pub struct LineIndex<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    /// Indexes the lines of a text.
    pub fn of(text: &'t str) -> LineIndex<'t> {
        let after_newline = text.match_indices('\n').map(|(at, _)| at + 1);
        LineIndex { text, starts: std::iter::once(0).chain(after_newline).collect() }
    }

    /// Where the byte `offset` stands. See [`TextPosition::of`].
    pub fn position(&self, offset: usize) -> TextPosition {
        let offset = if self.text.is_char_boundary(offset) { offset } else { self.text.len() };
        let line = self.line(offset);
        TextPosition { line: line + 1, column: self.text[self.starts[line]..offset].chars().count() + 1 }
    }

    /// The lines that a span touches, with their ends.
    pub fn around(&self, span: Span) -> Span {
        let start = self.starts[self.line(span.start)];
        let end = self.starts.get(self.line(span.end) + 1).copied().unwrap_or(self.text.len());
        Span::new(start, end)
    }

    /// The index of the line of a byte in `starts`.
    fn line(&self, offset: usize) -> usize {
        // `starts` begins with 0, so at least one line begins at or before any offset.
        self.starts.partition_point(|start| *start <= offset) - 1
    }
}

impl fmt::Display for TextPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let text = "[env]\nä = é!\n";
        let bang = text.find('!').unwrap_or_default();
        assert_eq!(TextPosition::of(text, bang).to_string(), "2:6");
        assert_eq!(TextPosition::of(text, 0).to_string(), "1:1");
        assert_eq!(TextPosition::of(text, 1000).to_string(), "3:1");
    }

    #[test]
    fn lines_know_the_same_positions() {
        for text in ["", "\n", "[env]\nä = é!\n", "a\r\n\nb", "é"] {
            let lines = LineIndex::of(text);
            for offset in 0..text.len() + 3 {
                assert_eq!(lines.position(offset), TextPosition::of(text, offset), "{text:?} {offset}");
            }
        }
        let text = "one\ntwo\nthree\n";
        let around = |start, end| LineIndex::of(text).around(Span::new(start, end)).of(text);
        assert_eq!((around(0, 2), around(5, 6), around(5, 9), around(14, 14)), ("one\n", "two\n", "two\nthree\n", ""));
    }
}
