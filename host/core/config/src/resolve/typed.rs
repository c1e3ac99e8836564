//! From resolved text to canonical values: conversion, and the values that a keyword may have.

use crate::diagnostic::{Diagnostic, Span};
use model::convert::convert;
use model::datastore::KeyReference;
use model::keyword::{Keyword, ValueKind};
use model::object::LateValue;

use crate::ConfigKey;
use crate::nearest::alternatives;
use crate::node::data::{NodeData, select};
use crate::resolve::resolver::{KeywordResolver, ValueSource};

impl KeywordResolver<'_> {
    /// The canonical values of a keyword. None if it is neither written nor has a default, or is known only later.
    pub(crate) fn canonical(&self, section: &str, keyword: &Keyword) -> Result<Option<Vec<String>>, Diagnostic> {
        let Some(text) = self.value(section, keyword)?.and_then(|value| value.as_text()) else { return Ok(None) };
        match self.converted(section, keyword, &text, || self.span_of(section, keyword)) {
            // A default that is made of other keywords is not at fault itself.
            Err(_) if self.is_derived(section, keyword) => Ok(None),
            converted => converted.map(Some),
        }
    }

    fn is_derived(&self, section: &str, keyword: &Keyword) -> bool {
        matches!(self.source(section, keyword), Some(ValueSource::Default(text)) if text.contains('{'))
    }

    /// Where the value of a keyword stands, or else the name of the section that should hold it.
    pub(crate) fn span_of(&self, section: &str, keyword: &Keyword) -> Span {
        match self.source(section, keyword) {
            Some(ValueSource::Written(entry)) => entry.value_span,
            _ => self.outline.span_of(section),
        }
    }

    /// The canonical values of a text, or what is wrong with the text that stands at `span`.
    pub(crate) fn converted(
        &self,
        section: &str,
        keyword: &Keyword,
        text: &str,
        span: impl Fn() -> Span,
    ) -> Result<Vec<String>, Diagnostic> {
        let key = || ConfigKey::new(self.outline.display_name(section), &keyword.name);
        let values = convert(keyword.kind, text).map_err(|error| {
            Diagnostic::error(span(), format!("{} is not {}", key(), error.kind), error.to_string())
        })?;
        let is_candidate = |value: &String| keyword.candidates.is_empty() || keyword.candidates.contains(value);
        if !values.iter().all(is_candidate) {
            let expected = format!("expected {}", alternatives(&keyword.candidates));
            return Err(Diagnostic::error(span(), format!("unknown value for {}", key()), expected));
        }
        if let Some(kind) = keyword.store {
            // Only whether the reference can be read: its store may be filled later.
            let read = |word: &String| KeyReference::parse(word, kind, self.path);
            if let Some(error) = values.iter().find_map(|word| read(word).err()) {
                let what = format!("{} holds {:?}, which refers to no key", key(), error.text);
                return Err(Diagnostic::error(span(), what, error.reason));
            }
        }
        // So far the words were only split: which nodes a glob or a label means depends on the cluster.
        if keyword.kind == ValueKind::Nodes {
            return self.selected(&key(), text, span());
        }
        Ok(values)
    }

    fn selected(&self, key: &ConfigKey, text: &str, span: Span) -> Result<Vec<String>, Diagnostic> {
        let node: &NodeData = self.node;
        match select(text, node) {
            Ok(names) => Ok(names.iter().map(ToString::to_string).collect()),
            Err(label) => Err(Diagnostic::error(span, format!("{key} names no nodes"), label)),
        }
    }

    /// The value of a driver's keyword, checked as far as it is known now.
    pub(crate) fn checked(&self, section: &str, keyword: &Keyword) -> Result<Option<LateValue>, Diagnostic> {
        // For its errors alone: it drops a value with late references, which the caller needs.
        self.canonical(section, keyword)?;
        self.value(section, keyword)
    }
}
