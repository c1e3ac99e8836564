//! What the value of an option, or the argument of a command, may be: names that only the agent knows.

use std::collections::BTreeSet;

use model::ObjectPath;
use model::object::Object;

use crate::session::Session;

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Resources, by rid or by group.
    Resource,
    Tag,
    Subset,
    /// `fs#1.dev`.
    Keyword,
    Section,
    Driver,
    /// Of a store.
    Key,
}

impl Value {
    /// What stands behind an option, if it is anything of this kind.
    pub(super) fn of_option(option: &str) -> Option<Value> {
        Some(match option {
            "--rid" | "--to" | "--upto" | "--downto" => Value::Resource,
            "--tags" | "--tag" => Value::Tag,
            "--subsets" | "--subset" => Value::Subset,
            "--kw" | "--param" => Value::Keyword,
            "--section" | "--delete" => Value::Section,
            "--driver" => Value::Driver,
            "--key" => Value::Key,
            _ => return None,
        })
    }

    /// What the argument of a command of a subsystem is.
    pub(super) fn of_argument(words: &[String]) -> Option<Value> {
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
        match words[..] {
            ["driver", "inspect" | "remove" | "allow" | "deny"] | ["config", "doc"] => Some(Value::Driver),
            _ => None,
        }
    }

    /// What is after the last of these may be another one.
    pub(super) fn separators(self) -> &'static [char] {
        match self {
            Value::Resource | Value::Subset => &[',', '!'],
            Value::Tag => &[',', '+', '!'],
            Value::Keyword | Value::Section | Value::Driver | Value::Key => &[],
        }
    }

    /// All there are, of the objects that are selected where they have any.
    pub(super) fn all(self, session: &Session, selected: &[ObjectPath]) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        if self == Value::Driver {
            all.extend(session.agent.drivers().iter().map(|known| known.manifest.name.to_string()));
        }
        if self == Value::Key {
            let stores = agent::DataStores::of(session.agent.home());
            all.extend(selected.iter().filter_map(|path| stores.keys(path).ok()).flatten());
            return all;
        }
        for path in selected {
            let Ok(configuration) = session.agent.configuration(path) else { continue };
            let object = configuration.active.object();
            match self {
                Value::Keyword => {
                    let sections = configuration.document.sections();
                    all.extend(sections.iter().flat_map(|section| {
                        section.entries.iter().map(|entry| match section.name.as_str() {
                            config::DEFAULT => entry.key.clone(),
                            name => format!("{name}.{}", entry.key),
                        })
                    }));
                    all.extend(object.into_iter().flat_map(|object| possible(session, object)));
                }
                Value::Section => {
                    all.extend(configuration.document.sections().iter().map(|section| section.name.clone()))
                }
                _ => all.extend(object.into_iter().flat_map(|object| self.of_resources(object))),
            }
        }
        all
    }

    fn of_resources(self, object: &Object) -> Vec<String> {
        let resources = object.resources.iter();
        match self {
            Value::Resource => resources.flat_map(|one| [one.rid.to_string(), one.rid.group().to_string()]).collect(),
            Value::Tag => resources.flat_map(|one| one.tags.clone()).collect(),
            Value::Subset => resources.filter_map(|one| Some(one.subset.as_ref()?.to_string())).collect(),
            Value::Keyword | Value::Section | Value::Driver | Value::Key => Vec::new(),
        }
    }
}

/// The keywords that the drivers of the object's resources know.
fn possible(session: &Session, object: &Object) -> Vec<String> {
    let keywords = |resource: &model::object::Resource| {
        let drivers = session.agent.drivers();
        let known = drivers.get(&resource.driver);
        let keywords = known.map(|known| known.manifest.keywords.as_slice()).unwrap_or_default();
        keywords.iter().map(|keyword| format!("{}.{}", resource.section, keyword.name)).collect::<Vec<_>>()
    };
    object.resources.iter().flat_map(keywords).collect()
}
