//! The schema of a section, and the conversion of a section into a struct of typed fields.

use crate::bindings::hostler::driver::types;
use crate::{Error, Result, Value};

/// A struct whose fields are keywords. Implemented by `#[derive(Keywords)]`.
pub trait Keywords: Sized {
    /// The first paragraph of the struct's documentation.
    const SUMMARY: &'static str;
    /// The other paragraphs of that documentation.
    const DESCRIPTION: &'static str;
    /// The keywords.
    const SCHEMA: &'static [SchemaEntry];

    /// Reads a section by the schema.
    fn read(section: &Section) -> Result<Self>;
}

/// An entry of a schema: one keyword, or the keywords of a flattened struct.
#[derive(Debug, Clone, Copy)]
pub enum SchemaEntry {
    /// A keyword.
    Keyword(KeywordSchema),
    /// The keywords of a flattened struct.
    Group(&'static [SchemaEntry]),
}

/// The description of a keyword in the manifest. The kinds are listed in `wit/manifest.wit`.
#[derive(Debug, Clone, Copy)]
pub struct KeywordSchema {
    /// Its name.
    pub name: &'static str,
    /// Old spellings that are still accepted.
    pub aliases: &'static [&'static str],
    /// The kind of its value, such as `path` or `duration`.
    pub kind: &'static str,
    /// The value that is used if the keyword is not written, in the syntax of the file.
    pub default: Option<&'static str>,
    /// Whether a section without it is an error.
    pub required: bool,
    /// Whether `keyword@scope` is allowed.
    pub scopable: bool,
    /// Whether it is looked up in DEFAULT when the section does not hold it.
    pub inherit: bool,
    /// Whether only `provision` uses it.
    pub provisioning: bool,
    /// Whether it is the path that the resource makes, such as a mount point.
    pub place: bool,
    /// Whether its words may begin with the name of a volume of the object, which stands for its mount point.
    pub volumes: bool,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// The kind of the data stores that its words refer to, `sec` or `cfg`. The driver receives variables, `NAME=VALUE` each.
    pub store: Option<&'static str>,
    /// The allowed values. Empty if any value is allowed.
    pub candidates: &'static [&'static str],
    /// The help text.
    pub help: &'static str,
    /// An example value. May be empty.
    pub example: &'static str,
}

/// The evaluated keywords of a resource, in canonical form (see `wit/types.wit`).
#[derive(Debug, Clone, Default)]
pub struct Section(Vec<types::Keyword>);

impl Section {
    /// The section that the host sent.
    pub(crate) fn of(keywords: Vec<types::Keyword>) -> Section {
        Section(keywords)
    }

    /// For tests: a section of names and canonical values. A name that occurs several times makes a list.
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Section {
        let mut section = Section::default();
        for (name, value) in pairs {
            match section.0.iter_mut().find(|keyword| keyword.name == *name) {
                Some(keyword) => keyword.values.push((*value).to_owned()),
                None => section.0.push(types::Keyword { name: (*name).to_owned(), values: vec![(*value).to_owned()] }),
            }
        }
        section
    }

    /// The typed value of a keyword.
    pub fn value<V: Value>(&self, name: &str) -> Result<V> {
        let keyword = self.0.iter().find(|keyword| keyword.name == name);
        let value = match keyword {
            Some(keyword) => V::read(&keyword.values),
            // The host sends every keyword that is set or has a default, so an absent one has neither.
            None => V::absent().ok_or("is not set"),
        };
        value.map_err(|why| Error::InvalidConfig(format!("{name} {why}")))
    }
}
