//! The names in an object that may stand on a command line: completion asks for them.

use std::collections::BTreeSet;

use config::DEFAULT;
use model::ObjectPath;
use model::object::{Object, Resource};
use protocol::NameKind;

use crate::object::ObjectConfiguration;
use crate::{Agent, DataStores};

impl Agent {
    /// The names of that kind. An object that cannot be read has none.
    pub fn names(&self, path: &ObjectPath, kind: NameKind) -> BTreeSet<String> {
        if kind == NameKind::Key {
            return DataStores::of(self.home()).keys(path).unwrap_or_default().into_iter().collect();
        }
        let Ok(configuration) = self.configuration(path) else { return BTreeSet::new() };
        // With errors in the file, the last valid version still answers: completion is wanted
        // most while a file is being edited.
        let object = configuration.active.object();
        let resources = || object.into_iter().flat_map(|object| &object.resources);
        match kind {
            NameKind::Keyword => {
                let possible = object.into_iter().flat_map(|object| self.possible_keywords(object));
                written_keywords(&configuration).into_iter().chain(possible).collect()
            }
            NameKind::Section => configuration.document.sections().iter().map(|section| section.name.clone()).collect(),
            NameKind::Resource => {
                resources().flat_map(|one| [one.rid.to_string(), one.rid.group().to_string()]).collect()
            }
            NameKind::Tag => resources().flat_map(|one| one.tags.clone()).collect(),
            NameKind::Subset => resources().filter_map(|one| one.subset.as_ref()).map(ToString::to_string).collect(),
            NameKind::Key => BTreeSet::new(),
        }
    }

    /// The keywords that the drivers of the object's resources know.
    fn possible_keywords(&self, object: &Object) -> Vec<String> {
        let drivers = self.drivers();
        let keywords = |resource: &Resource| {
            let known = drivers.get(&resource.driver);
            let keywords = known.map(|known| known.manifest.keywords.as_slice()).unwrap_or_default();
            keywords.iter().map(|keyword| format!("{}.{}", resource.section, keyword.name)).collect::<Vec<_>>()
        };
        object.resources.iter().flat_map(keywords).collect()
    }
}

fn written_keywords(configuration: &ObjectConfiguration) -> Vec<String> {
    let sections = configuration.document.sections().iter();
    let keys = sections.flat_map(|section| {
        section.entries.iter().map(|entry| match section.name.as_str() {
            DEFAULT => entry.key.clone(),
            name => format!("{name}.{}", entry.key),
        })
    });
    keys.collect()
}
