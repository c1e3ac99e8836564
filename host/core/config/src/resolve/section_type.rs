//! The types of sections, which say what drivers they are of. They are known before anything else, so that they refer to little.

use std::cell::Cell;
use std::collections::HashMap;

use model::ObjectPath;

use crate::Document;
use crate::diagnostic::Diagnostic;
use crate::document::text::{Entry, Section};
use crate::value::template::{TemplatePiece, TemplateReference, ValueTemplate};

/// How many references a type may lead to, each one counted. A few levels of values that hold many would otherwise take for ever.
const MAX_REFERENCES: usize = 64;

/// The entries that name types, and what they may refer to.
pub(crate) struct SectionTypes<'d> {
    /// By section. A section that is written twice is of the type that was written first, of whose lines the last counts.
    entries: HashMap<&'d str, &'d Entry>,
    env: Option<&'d Section>,
    path: &'d ObjectPath,
}

impl<'d> SectionTypes<'d> {
    pub(crate) fn of(path: &'d ObjectPath, document: &'d Document) -> SectionTypes<'d> {
        let mut entries = HashMap::new();
        for section in document.sections() {
            if let Some(entry) = section.entries.iter().rfind(|entry| entry.key == "type") {
                entries.entry(section.name.as_str()).or_insert(entry);
            }
        }
        SectionTypes { entries, env: document.section("env"), path }
    }

    /// The entry that names the type of a section.
    pub(crate) fn written(&self, section: &str) -> Option<&'d Entry> {
        self.entries.get(section).copied()
    }

    /// The type that an entry names. An object has the same resources on each of its nodes, so what is scoped does not count.
    pub(crate) fn read(&self, entry: &Entry) -> Result<String, Diagnostic> {
        self.text(&entry.value, &Cell::new(MAX_REFERENCES)).ok_or_else(|| {
            let label = "expected the name of a driver, {env.NAME} of a line without a scope, {name} or {namespace}";
            Diagnostic::error(entry.value_span, format!("the type {:?} does not resolve", entry.value), label)
        })
    }

    fn text(&self, text: &str, left: &Cell<usize>) -> Option<String> {
        let piece = |piece: &TemplatePiece| match piece {
            TemplatePiece::Text(text) => Some(text.clone()),
            TemplatePiece::Reference(reference) => {
                left.set(left.get().checked_sub(1)?);
                self.reference(reference, left)
            }
            TemplatePiece::Arithmetic(..) => None,
        };
        ValueTemplate::parse(text).pieces.iter().map(piece).collect()
    }

    fn reference(&self, reference: &TemplateReference, left: &Cell<usize>) -> Option<String> {
        let TemplateReference { span: _, modifier: None, count: false, index: None, section, name } = reference else {
            return None;
        };
        match (section.as_deref(), name.as_str()) {
            (None, "name") => Some(self.path.name().to_owned()),
            (None, "namespace") => Some(self.path.namespace().to_owned()),
            (Some("env"), name) => {
                let written = self.env?.entries.iter().rfind(|entry| entry.key == name)?;
                self.text(&written.value, left)
            }
            _ => None,
        }
    }
}
