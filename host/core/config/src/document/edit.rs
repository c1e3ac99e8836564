//! Edits of a document: each changes the lines of its own key or section and no others.

use crate::diagnostic::Span;

use crate::Document;
use crate::document::parse::BYTE_ORDER_MARK;
use crate::document::text::{DEFAULT, Entry, Section};

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A section of that name could not be read back.
    #[error("{0:?} cannot be the name of a section")]
    Section(String),
    /// A key of that name could not be read back.
    #[error("{0:?} cannot be a key")]
    Key(String),
    /// A blank line of the value would not be read back.
    #[error("the value of {0} cannot hold a blank line")]
    Blank(String),
    /// A line of the value would be read back as a comment.
    #[error("the value of {key} cannot hold the line {line:?}: it would be a comment")]
    Comment {
        /// The key.
        key: String,
        /// The line.
        line: String,
    },
}

impl Document {
    /// Sets a key, scope included: in its place if it is written, else as the last of its section, which is added if it is
    /// missing. The value's lines are trimmed.
    pub fn set(&mut self, section: &str, key: &str, value: &str) -> Result<(), EditError> {
        check_section(section)?;
        check_key(key)?;
        // All checks come before the first change: a refused edit leaves the text as it was.
        let lines = value_lines(key, value)?;
        if let Some(entry) = self.entry(section, key) {
            let (span, text) = self.replacement(entry, &lines);
            self.splice(span, &text);
            return Ok(());
        }
        self.add_section(section)?;
        let Some(found) = self.section(section) else { return Err(EditError::Section(section.to_owned())) };
        let (at, indent) = (end_of(found), self.indent_of(found));
        // Trimmed, because an empty value would leave a blank behind the `=`.
        let text = format!("{indent}{}", format!("{key} = {}", self.join(&lines, &indent)).trim_end());
        self.insert_line(at, &text);
        Ok(())
    }

    /// Removes a key, scope included. False if it was not there.
    pub fn unset(&mut self, section: &str, key: &str) -> bool {
        let sections = self.sections.iter().filter(|candidate| candidate.name == section);
        // A key can be written twice: all of them go, or the earlier one would count again.
        let entries = sections.flat_map(|section| &section.entries).filter(|entry| entry.key == key);
        self.cut(entries.map(|entry| entry.lines).collect())
    }

    /// Adds an empty section, unless there is one of that name: DEFAULT as the first, any other as the last.
    pub fn add_section(&mut self, name: &str) -> Result<(), EditError> {
        check_section(name)?;
        let eol = self.eol();
        if self.section(name).is_some() {
            return Ok(());
        }
        // DEFAULT goes to the top, where people look for it, but behind a byte order mark.
        if name == DEFAULT && !self.text.trim().is_empty() {
            let top = if self.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
            self.splice(Span::new(top, top), &format!("[{name}]{eol}{eol}"));
            return Ok(());
        }
        if !self.text.is_empty() {
            // One blank line before the new section, whether or not the text ends with a line feed or with a blank
            // line.
            let gap = if self.text.ends_with('\n') { eol.to_owned() } else { format!("{eol}{eol}") };
            let already = self.text.ends_with("\n\n") || self.text.ends_with("\n\r\n");
            let end = self.text.len();
            self.splice(Span::new(end, end), if already { "" } else { &gap });
        }
        let end = self.text.len();
        self.splice(Span::new(end, end), &format!("[{name}]{eol}"));
        Ok(())
    }

    /// Removes a section with its entries, and the blank lines behind them. A comment behind the last entry stays, since
    /// it mostly is about what follows. False if there is no such section.
    pub fn delete_section(&mut self, name: &str) -> bool {
        let lines = |section: &Section| {
            let mut lines = Span::new(section.header.start, end_of(section));
            for line in self.text[lines.end..].split_inclusive('\n').take_while(|line| line.trim().is_empty()) {
                lines.end += line.len();
            }
            lines
        };
        // A section can be written twice.
        self.cut(self.sections.iter().filter(|section| section.name == name).map(lines).collect())
    }

    /// Removes parts of the text, which are in its order and do not overlap. False if there is none.
    fn cut(&mut self, parts: Vec<Span>) -> bool {
        if parts.is_empty() {
            return false;
        }
        let (mut text, mut from) = (String::with_capacity(self.text.len()), 0);
        for part in parts {
            text.push_str(&self.text[from..part.start]);
            from = part.end;
        }
        text.push_str(&self.text[from..]);
        *self = Document::parse(text);
        true
    }

    fn splice(&mut self, span: Span, with: &str) {
        let mut text = std::mem::take(&mut self.text);
        text.replace_range(span.range(), with);
        // Parsing again costs little, and the spans of everything behind the edit are right without any arithmetic.
        *self = Document::parse(text);
    }

    /// Inserts a line before the byte `at`, which begins one or is the end of the text.
    fn insert_line(&mut self, at: usize, line: &str) {
        let eol = self.eol();
        // The last line may lack its line feed. The new line then supplies it, and lacks one itself.
        let open = at > 0 && !self.text[..at].ends_with('\n');
        let text = if open { format!("{eol}{line}") } else { format!("{line}{eol}") };
        self.splice(Span::new(at, at), &text);
    }

    /// The line ending of this text.
    fn eol(&self) -> &'static str {
        // The first line decides. Where line endings are mixed, any choice fits some lines only.
        let first = self.text.split_inclusive('\n').next().unwrap_or_default();
        if first.ends_with("\r\n") { "\r\n" } else { "\n" }
    }

    /// The part of the text to replace so that an entry holds these lines, and its replacement. A value that begins on the line
    /// of its key keeps the blanks before it. Any other value moves to that line.
    fn replacement(&self, entry: &Entry, lines: &[&str]) -> (Span, String) {
        let indent = &self.text[entry.lines.start..entry.key_span.start];
        let value = self.join(lines, indent);
        let between = &self.text[entry.key_span.end..entry.value_span.start];
        if !entry.value.is_empty() && !between.contains('\n') {
            return (entry.value_span, value);
        }
        // Everything behind the `=` goes, line breaks included. The parser makes no entry without a `=`, so the 0 is
        // never used.
        let sign = entry.key_span.end + between.find('=').map_or(0, |at| at + 1);
        let blank = if value.is_empty() { "" } else { " " };
        (Span::new(sign, entry.value_span.end), format!("{blank}{value}"))
    }

    fn join(&self, lines: &[&str], indent: &str) -> String {
        // Deeper than the key: only then does the parser take a line for a part of the value.
        let deeper = format!("{}{indent}    ", self.eol());
        let mut value = String::new();
        for (number, line) in lines.iter().enumerate() {
            let separator = if number == 0 { "" } else { deeper.as_str() };
            value.push_str(separator);
            value.push_str(line);
        }
        value
    }

    /// The indentation of a new key of a section: that of its last one. The first key of a section is indented as the
    /// next line is, which would otherwise become a part of its value.
    fn indent_of(&self, section: &Section) -> String {
        if let Some(last) = section.entries.last() {
            return self.text[last.lines.start..last.key_span.start].to_owned();
        }
        let next = self.text[section.header.end..].lines().find(|line| !is_passed_over(line));
        next.map_or(String::new(), |line| line[..line.len() - line.trim_start().len()].to_owned())
    }
}

/// Whether a line is neither the beginning nor the end of anything: blank, or a comment.
fn is_passed_over(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with(['#', ';'])
}

/// Just past the last line that belongs to a section.
fn end_of(section: &Section) -> usize {
    section.entries.last().map_or(section.header.end, |entry| entry.lines.end)
}

fn check_section(name: &str) -> Result<(), EditError> {
    // The parser takes a name up to the first `]` of its line.
    let bad = name.trim().is_empty() || name.contains(['[', ']', '\n', '\r']);
    if bad { Err(EditError::Section(name.to_owned())) } else { Ok(()) }
}

fn check_key(key: &str) -> Result<(), EditError> {
    let bad = key.is_empty() || key.contains('=') || key.contains(char::is_whitespace);
    // A line that begins so is a comment or a header. A byte order mark is dropped at the beginning of a text.
    let other_line = key.starts_with(['#', ';', '[', BYTE_ORDER_MARK]);
    if bad || other_line { Err(EditError::Key(key.to_owned())) } else { Ok(()) }
}

/// The lines of a value as they can be written: trimmed, without blank ones before and after.
fn value_lines<'a>(key: &str, value: &'a str) -> Result<Vec<&'a str>, EditError> {
    let lines: Vec<&str> =
        if value.trim().is_empty() { Vec::new() } else { value.trim().split('\n').map(str::trim).collect() };
    if lines.contains(&"") {
        return Err(EditError::Blank(key.to_owned()));
    }
    // The first line stands behind the `=`, where these characters are plain text.
    match lines.iter().skip(1).find(|line| line.starts_with(['#', ';'])) {
        Some(line) => Err(EditError::Comment { key: key.to_owned(), line: (*line).to_owned() }),
        None => Ok(lines),
    }
}
