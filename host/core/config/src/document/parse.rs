//! The parser: from text to sections, line by line. It keeps every byte and reports every oddity.
//!
//! The rules are those of OpenSVC's parser. A line indented deeper than the last key continues its value, also
//! past blank lines. A line that begins with `#` or `;` is a comment wherever it stands; inside a line both are plain text.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Span};

use crate::document::text::{Entry, Section, ValueLine};

/// The mark that some editors put before the first line.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The sections of a text, and what is wrong with it.
pub(crate) fn parse(text: &str) -> (Vec<Section>, Vec<Diagnostic>) {
    let mut parser = DocumentParser::default();
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        parser.line(TextLine::new(line, start, number));
        start += line.len();
    }
    parser.check_duplicates();
    (parser.sections, parser.problems)
}

/// One line: where it stands, and what it holds between its indentation and its end.
struct TextLine<'a> {
    span: Span,
    /// Counted from 1.
    number: usize,
    content: &'a str,
    content_start: usize,
    indent: usize,
}

impl<'a> TextLine<'a> {
    fn new(line: &'a str, start: usize, number: usize) -> TextLine<'a> {
        let span = Span::new(start, start + line.len());
        // The mark would otherwise become part of the first key, or hide the bracket of the first header.
        let unmarked = if start == 0 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        let bare = unmarked.trim_start();
        let content_start = span.end - bare.len();
        TextLine { span, number, content: bare.trim_end(), content_start, indent: unmarked.len() - bare.len() }
    }

    fn content_span(&self) -> Span {
        Span::new(self.content_start, self.content_start + self.content.len())
    }
}

#[derive(Default)]
struct DocumentParser {
    sections: Vec<Section>,
    problems: Vec<Diagnostic>,
    /// The indentation of the last key, as long as its value can continue.
    open: Option<usize>,
}

impl DocumentParser {
    fn line(&mut self, line: TextLine<'_>) {
        // Neither ends a value: `open` stays as it is, so the next deeper line still continues it.
        if line.content.is_empty() || line.content.starts_with(['#', ';']) {
            return;
        }
        // Deeper than the key that is open, so it continues that key's value, whatever it looks like: even `[fs#1]` or `a =
        // b`.
        if self.open.is_some_and(|indent| line.indent > indent) {
            return self.continuation(&line);
        }
        self.open = None;
        match line.content.strip_prefix('[') {
            Some(rest) => self.header(&line, rest),
            None => self.key(&line),
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>, label: &str) {
        self.problems.push(Diagnostic::error(span, message, label));
    }

    fn continuation(&mut self, line: &TextLine<'_>) {
        let entry = self.sections.last_mut().and_then(|section| section.entries.last_mut());
        // A key before any section is not opened, so a continuation always finds an entry.
        let Some(entry) = entry else { return };
        let piece = line.content_span();
        if entry.pieces.is_empty() {
            entry.value_span.start = piece.start;
        } else {
            entry.value.push('\n');
        }
        let at = entry.value.len();
        entry.value.push_str(line.content);
        entry.value_span.end = piece.end;
        entry.pieces.push(ValueLine { at, span: piece });
        entry.lines.end = line.span.end;
    }

    fn header(&mut self, line: &TextLine<'_>, rest: &str) {
        let Some((name, junk)) = rest.split_once(']') else {
            return self.error(line.content_span(), "a section's name does not end", "expected ] at the end");
        };
        let name_start = line.content_start + 1;
        let name_span = Span::new(name_start, name_start + name.len());
        if !junk.trim().is_empty() {
            let junk_span = Span::new(name_span.end + 1, line.content_span().end);
            self.error(junk_span, format!("unexpected text after [{name}]"), "expected the end of the line");
        }
        if name.trim().is_empty() {
            self.error(line.content_span(), "a section without a name", "expected a name, such as [fs#1]");
        }
        // Kept in spite of the problems above, or its entries would fall to the section before it.
        self.sections.push(Section { name: name.to_owned(), name_span, entries: Vec::new(), header: line.span });
    }

    fn key(&mut self, line: &TextLine<'_>) {
        let Some((key, value)) = line.content.split_once('=') else {
            return self.error(
                line.content_span(),
                "not a line of a configuration",
                "expected key = value or [section]",
            );
        };
        let key = key.trim_end();
        let key_span = Span::new(line.content_start, line.content_start + key.len());
        if key.is_empty() {
            return self.error(line.content_span(), "a value without a key", "expected key = value");
        }
        if key.contains(char::is_whitespace) {
            // The entry is kept all the same, so that an edit or a completion still finds it.
            self.error(key_span, format!("{key:?} is not a key"), "expected a name without white space");
        }
        let entry = entry(line, key, key_span, value);
        match self.sections.last_mut() {
            Some(section) => {
                section.entries.push(entry);
                self.open = Some(line.indent);
            }
            None => self.error(key_span, format!("{key} stands before any section"), "expected [DEFAULT] above it"),
        }
    }

    fn check_duplicates(&mut self) {
        let mut sections = HashSet::new();
        for section in &self.sections {
            if !sections.insert(&section.name) {
                let message = format!("a second section [{}]", section.name);
                self.problems.push(Diagnostic::error(section.name_span, message, "already written above"));
            }
            // By key and scope: a keyword under another scope is another entry.
            let mut keys = HashSet::new();
            for entry in section.entries.iter().filter(|entry| !keys.insert(&entry.key)) {
                let message = format!("{}.{} is set twice", section.name, entry.key);
                self.problems.push(Diagnostic::error(entry.key_span, message, "already written above"));
            }
        }
        // Duplicates are found last, but the problems are reported in the order of the text.
        self.problems.sort();
    }
}

/// The entry that a line begins. A value that begins on the next line has no piece yet.
fn entry(line: &TextLine<'_>, key: &str, key_span: Span, value: &str) -> Entry {
    let end = line.content_span().end;
    let value = value.trim_start();
    let value_span = Span::new(end - value.len(), end);
    let pieces = if value.is_empty() { Vec::new() } else { vec![ValueLine { at: 0, span: value_span }] };
    let (key, value) = (key.to_owned(), value.to_owned());
    Entry { key, key_span, line: line.number, value, value_span, pieces, lines: line.span }
}
