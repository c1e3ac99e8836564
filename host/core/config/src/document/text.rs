//! A configuration file, lossless: the text itself, and where its sections, keys and values stand in it.
//!
//! The document never interprets a value. Any text can be read, printed and edited. Lines that are not part of a
//! configuration are among its [`problems`](Document::problems).

use std::fmt;

use crate::diagnostic::{Diagnostic, Span};

use crate::document::parse;

/// The section that holds for the object as a whole.
pub const DEFAULT: &str = "DEFAULT";

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    pub(crate) text: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) problems: Vec<Diagnostic>,
}

/// A section: `[name]` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name, as it stands between the brackets.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its entries, in the order of the text.
    pub entries: Vec<Entry>,
    /// The line of the header, with its end.
    pub(crate) header: Span,
}

/// A line of a value: where it begins in the value, and where it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueLine {
    pub(crate) at: usize,
    pub(crate) span: Span,
}

/// `key = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key with its scope: `names@n1`.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The line of the key, counted from 1.
    pub line: usize,
    /// The value. Its lines are trimmed and joined by line feeds.
    pub value: String,
    /// From the value's first byte to its last, whatever stands between its lines included.
    pub value_span: Span,
    /// The lines of the value.
    pub(crate) pieces: Vec<ValueLine>,
    /// The entry's lines, with the end of the last.
    pub(crate) lines: Span,
}

impl Document {
    /// Reads any text.
    pub fn parse(text: impl Into<String>) -> Document {
        let text = text.into();
        let (sections, problems) = parse::parse(&text);
        Document { text, sections, problems }
    }

    /// The text: what was read, and what was edited since.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The problems of the text, in its order.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// The sections, in the order of the text. One that is written twice is there twice.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of that name. Where it is written twice, the last.
    pub fn section(&self, name: &str) -> Option<&Section> {
        // From the end: where something is written twice, the last one counts.
        self.sections.iter().rev().find(|section| section.name == name)
    }

    /// The name of the section in which a byte of the text stands. None before the first.
    pub(crate) fn section_at(&self, offset: usize) -> Option<&str> {
        let behind = self.sections.partition_point(|section| section.name_span.start <= offset);
        self.sections.get(behind.checked_sub(1)?).map(|section| section.name.as_str())
    }

    /// The entry of a key, scope included. Where it is written twice, the last.
    pub fn entry(&self, section: &str, key: &str) -> Option<&Entry> {
        // In every section of that name: an entry of an earlier one counts where the later ones do not have the key.
        let same_name = self.sections.iter().rev().filter(|candidate| candidate.name == section);
        same_name.flat_map(|section| section.entries.iter().rev()).find(|entry| entry.key == key)
    }

    /// The value of a key, scope included, as it is written.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.entry(section, key).map(|entry| entry.value.as_str())
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Entry {
    /// The key without its scope.
    pub fn option(&self) -> &str {
        self.key.split_once('@').map_or(self.key.as_str(), |(option, _)| option)
    }

    /// The scope of the key, behind its `@`.
    pub fn scope(&self) -> Option<&str> {
        self.key.split_once('@').map(|(_, scope)| scope)
    }

    /// Where the scope stands.
    pub fn scope_span(&self) -> Option<Span> {
        let at = self.key.find('@')?;
        Some(Span::new(self.key_span.start + at + 1, self.key_span.end))
    }

    /// Where a part of the value stands in the text.
    pub fn locate(&self, part: Span) -> Span {
        Span::new(self.locate_offset(part.start, false), self.locate_offset(part.end, true))
    }

    /// Where the byte `offset` of the value stands. The end of a line is also the beginning of the next one but for the
    /// line feed: `is_end` says which is meant.
    fn locate_offset(&self, offset: usize, is_end: bool) -> usize {
        // A value may have very many lines, and a problem in each.
        let begun = self.pieces.partition_point(|line| line.at <= offset);
        let Some(line) = begun.checked_sub(1).and_then(|line| self.pieces.get(line)) else {
            return self.value_span.end;
        };
        let (within, len) = (offset - line.at, line.span.end - line.span.start);
        match self.pieces.get(begun) {
            _ if within < len || (is_end && within == len) => line.span.start + within,
            // On the line feed that joins two lines, whatever stands between them in the text.
            Some(next) => next.span.start,
            None => self.value_span.end,
        }
    }
}
