//! What a section may say, and how a section becomes a struct of typed fields.

use crate::bindings::hostler::driver::types;
use crate::{Error, Result, Value};

/// A struct whose fields are keywords. Derived: `#[derive(Keywords)]`.
pub trait Keywords: Sized {
    /// The first paragraph of the struct's documentation.
    const SUMMARY: &'static str;
    /// The rest of it.
    const DESCRIPTION: &'static str;
    /// The keywords.
    const SCHEMA: &'static [Entry];

    /// Reads a section by the schema.
    fn read(section: &Section) -> Result<Self>;
}

/// An entry of a schema.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// A keyword.
    Keyword(Keyword),
    /// The keywords of a flattened struct.
    Group(&'static [Entry]),
}

/// A keyword, as the manifest has it. The kinds are listed in `wit/manifest.wit`.
#[derive(Debug, Clone, Copy)]
pub struct Keyword {
    /// Its name.
    pub name: &'static str,
    /// Old spellings that go on working.
    pub aliases: &'static [&'static str],
    /// What its value is made of.
    pub kind: &'static str,
    /// Its value when it is not written, in the syntax of the file.
    pub default: Option<&'static str>,
    /// Whether a section without it is an error.
    pub required: bool,
    /// Whether `keyword@scope` is allowed.
    pub scopable: bool,
    /// Whether it is looked up in DEFAULT when the section does not hold it.
    pub inherit: bool,
    /// Whether it matters to `provision` alone.
    pub provisioning: bool,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// The kind of the stores that its words refer to, `sec` or `cfg`. The driver sees variables, `NAME=VALUE` each.
    pub store: Option<&'static str>,
    /// The values it may have. Empty: any.
    pub candidates: &'static [&'static str],
    /// What it means, for people.
    pub help: &'static str,
    /// A value to show. May be empty.
    pub example: &'static str,
}

/// The evaluated keywords of a resource, in canonical form (see `wit/types.wit`).
#[derive(Debug, Clone, Default)]
pub struct Section(Vec<types::Keyword>);

impl Section {
    /// Of what the host sent.
    pub(crate) fn of(keywords: Vec<types::Keyword>) -> Section {
        Section(keywords)
    }

    /// For tests: of names and canonical values. A name that repeats makes a list.
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
            None => V::absent().ok_or("is not set"),
        };
        value.map_err(|why| Error::InvalidConfig(format!("{name} {why}")))
    }
}
