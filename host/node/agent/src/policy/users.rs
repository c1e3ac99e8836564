//! Which resources need a driver: those whose sections name it. Their configurations need not be right.

use config::{DEFAULT, Document};
use driver::Manifest;
use model::Rid;

use crate::ObjectFiles;
use crate::agent::Agent;

impl Agent {
    /// The resources of all objects that name the driver, such as `web app#1`.
    pub(super) fn users_of(&self, manifest: &Manifest) -> Vec<String> {
        let files = ObjectFiles::of(self.home());
        let objects = files.list().unwrap_or_default();
        let of_object = |object: &model::ObjectPath| {
            let document = Document::parse(files.text(object).unwrap_or_default());
            let users = document.sections().iter().filter(|section| section.name != DEFAULT);
            // By the text alone, as one mistake in a configuration must not hide that it needs the driver.
            let users = users.filter(|section| {
                let is_of_group = section.name.parse::<Rid>().is_ok_and(|rid| rid.group() == manifest.name.group());
                let is_name =
                    |text: &str| text == manifest.name.name() || manifest.aliases.iter().any(|alias| alias == text);
                is_of_group && section.entries.iter().any(|entry| entry.option() == "type" && is_name(&entry.value))
            });
            users.map(|section| format!("{object} {}", section.name)).collect::<Vec<_>>()
        };
        objects.iter().flat_map(of_object).collect()
    }
}
