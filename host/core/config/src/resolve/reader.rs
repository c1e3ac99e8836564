//! Evaluates one key at a time, for `get` and `eval`, and for selectors that test keywords.

use crate::diagnostic::Diagnostic;
use model::ObjectPath;
use model::keyword::{Keyword, ValueKind};
use model::object::{
    ExposureLookup, KeywordEvaluation, KeywordValue, LateValue, MissingValue, Provenance, ResolvedKeyword,
};

use crate::document::text::DEFAULT;
use crate::resolve::outline::SectionRole;
use crate::resolve::resolver::KeywordResolver;
use crate::{ConfigKey, Document, DriverSchemas, Entry, NodeData, Section};

/// Evaluates the keys of one document as a node means them. The rest of the document may be wrong.
pub struct KeywordReader<'a> {
    document: &'a Document,
    resolver: KeywordResolver<'a>,
}

/// Why a key has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No section of the object knows it.
    #[error("there is no keyword {0}")]
    Unknown(ConfigKey),
    /// It is neither written nor has a default.
    #[error("{0} is not set")]
    Unset(ConfigKey),
    /// The written value is wrong.
    #[error("{0}")]
    Invalid(Diagnostic),
    /// It refers to devices that another resource does not expose now.
    #[error(transparent)]
    Missing(#[from] MissingValue),
}

impl<'a> KeywordReader<'a> {
    /// Reads `document` as `node` means it.
    pub fn new(
        path: &'a ObjectPath,
        document: &'a Document,
        node: &'a NodeData,
        schemas: &'a dyn DriverSchemas,
    ) -> KeywordReader<'a> {
        KeywordReader { document, resolver: KeywordResolver::new(path, document, node, schemas) }
    }

    /// A key as it is written, scope included. None if it is not.
    pub fn get(&self, key: &ConfigKey) -> Option<&'a str> {
        self.document.get(self.section(key), &key.scoped_option())
    }

    /// The value of a key: scope chosen, references resolved, default filled in, in canonical form. With a scope, the value
    /// that is written for that scope alone.
    pub fn eval(&self, key: &ConfigKey, exposed: &dyn ExposureLookup) -> Result<KeywordValue, ReadError> {
        let section = self.section(key);
        // Sections such as env and labels have no keywords: any key is a text.
        if matches!(self.resolver.outline.of(section), Some(SectionRole::Free { .. } | SectionRole::Other)) {
            return self.free(section, key);
        }
        let spelling = self.resolver.outline.keyword(section, &key.option);
        let keyword = spelling.ok_or_else(|| ReadError::Unknown(key.clone()))?.keyword;
        let value = match &key.scope {
            None => self.resolver.checked(section, keyword).map_err(ReadError::Invalid)?,
            Some(_) => self.scoped(section, key, keyword)?,
        };
        let value = value.ok_or_else(|| ReadError::Unset(key.clone()))?;
        // What does not convert was refused above. Left is a default that is made of other keywords: it is shown as
        // it is.
        let known =
            value.as_text().and_then(|text| self.resolver.converted(section, keyword, &text, Default::default).ok());
        let prepared = ResolvedKeyword {
            name: keyword.name.clone(),
            kind: keyword.kind,
            secret: keyword.secret,
            store: keyword.store,
            aside: false,
            place: keyword.place,
            known,
            provenance: self.resolver.provenance(section, keyword, &value),
            value,
        };
        let mut evaluation = KeywordEvaluation::default();
        prepared.evaluate(exposed, &mut evaluation);
        match (evaluation.keywords.pop(), evaluation.missing.pop()) {
            (Some(evaluated), _) => Ok(evaluated),
            (None, Some(missing)) => Err(missing.into()),
            // Not reached: with `aside` unset, a keyword has a value or is missing.
            (None, None) => Err(ReadError::Unset(key.clone())),
        }
    }

    /// The sections of the document whose name before the `#` is `group`; every resource's where it is empty.
    pub fn sections(&self, group: &str) -> impl Iterator<Item = &'a str> {
        let names = self.document.sections().iter().map(|section| section.name.as_str());
        names.filter(move |name| match name.split_once('#') {
            Some((prefix, _)) => prefix == group || (group.is_empty() && prefix != "subset"),
            None => *name == group,
        })
    }

    /// The section of a key as the document calls it: that of disk#1 may be written `[vg#1]`.
    pub fn section<'k>(&'k self, key: &'k ConfigKey) -> &'k str {
        let section = if key.section.is_empty() { DEFAULT } else { &key.section };
        self.resolver.outline.resource_of(section).map_or(section, |resource| resource.name)
    }

    /// Whether the value of this entry must not be shown: its keyword is secret, or it has the name of a secret.
    pub fn is_secret(&self, section: &Section, entry: &Entry) -> bool {
        let keyword = match self.resolver.outline.of(&section.name) {
            Some(SectionRole::Free { .. } | SectionRole::Other) | None => None,
            Some(_) => self.resolver.outline.keyword(&section.name, entry.option()),
        };
        keyword.map_or_else(|| model::is_secret_name(entry.option()), |spelling| spelling.keyword.secret)
    }

    fn scoped(&self, section: &str, key: &ConfigKey, keyword: &Keyword) -> Result<Option<LateValue>, ReadError> {
        let Some(entry) = self.document.entry(section, &key.scoped_option()) else { return Ok(None) };
        let value = self.resolver.entry_value(section, entry).map_err(ReadError::Invalid)?;
        if let Some(text) = value.as_text() {
            self.resolver.converted(section, keyword, &text, || entry.value_span).map_err(ReadError::Invalid)?;
        }
        Ok(Some(value))
    }

    fn free(&self, section: &str, key: &ConfigKey) -> Result<KeywordValue, ReadError> {
        let value = match &key.scope {
            None => self.resolver.free_value(section, &key.option),
            // A key that names its scope asks for that very line, not for the one that wins on this node.
            Some(_) => {
                let entry = self.document.entry(section, &key.scoped_option());
                entry.map(|entry| self.resolver.entry_value(section, entry)).transpose()
            }
        };
        let value = value.map_err(ReadError::Invalid)?.ok_or_else(|| ReadError::Unset(key.clone()))?;
        // A late reference has no text yet, so a key that holds one reads as empty.
        let text = value.as_text().unwrap_or_default();
        Ok(KeywordValue {
            name: key.option.clone(),
            kind: ValueKind::String,
            values: vec![text],
            secret: value.secret,
            store: None,
            provenance: self
                .document
                .entry(section, &key.scoped_option())
                .map_or(Provenance::BuiltInDefault, |entry| Provenance::Written { line: entry.line }),
        })
    }
}
