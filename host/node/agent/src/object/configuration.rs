//! The object that a configuration describes on this node. While the configuration has errors, its last valid version stays in
//! use.

use std::sync::Arc;
use std::time::Duration;

use config::diagnostic::Diagnostic;
use config::{Document, DriverSchemas, NodeData, load};
use model::object::Object;
use model::{ObjectPath, Rid};
use protocol::ConfigTarget;

use crate::file::durable::FileError;
use crate::history::{covered_in, secrets_of};
use crate::object::ObjectError;
use crate::state::InstanceState;
use crate::{Directories, history};

/// The configuration of an object, its problems, and the object in use.
#[derive(Debug)]
pub struct ObjectConfiguration {
    /// The file in `etc` as it is.
    pub document: Document,
    /// The problems of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The object in use.
    pub active: ActiveObject,
    path: ObjectPath,
}

/// A configuration has errors, and no earlier version of it was valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the configuration of {0} has errors, and there is no earlier valid version to use: see om {0} config validate"
)]
pub struct NoUsableConfiguration(pub ObjectPath);

/// An object has no resource of that id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has no resource {1}")]
pub struct NoResource(pub ObjectPath, pub Rid);

/// The version of a configuration that is in use.
#[derive(Debug)]
pub enum ActiveObject {
    /// The file in `etc`, which is valid.
    Current(Arc<Object>),
    /// The last valid version, as the file has errors.
    LastGood(Arc<Object>),
    /// The file or its last valid version, apart from missing drivers and unknown keywords: the status of such resources is
    /// undef, and all others go on.
    Partial(Arc<Object>),
    /// None: the file never was valid.
    Nothing,
}

impl ObjectConfiguration {
    /// Evaluates what was read of an object's file for a node. A valid one is remembered as the last valid version.
    pub(super) fn evaluate(
        home: &Directories,
        object: &ObjectPath,
        text: Result<String, ObjectError>,
        node: &NodeData,
        schemas: &dyn DriverSchemas,
    ) -> Result<ObjectConfiguration, ObjectError> {
        let memory = InstanceState::of(home, object);
        let text = match text {
            // An error as any other: the last valid version stays in use.
            Err(ObjectError::Encoding { at, .. }) => {
                let active = last_good(&memory, object, node, schemas, None)?;
                let document = Document::parse(at.lossy());
                let diagnostics = vec![at.diagnostic()];
                return Ok(ObjectConfiguration { document, diagnostics, active, path: object.clone() });
            }
            text => text?,
        };
        let loaded = load(object, &text, node, schemas);
        let active = match loaded.object {
            Some(current) => {
                // Reading must work without the right to write, and on a full disk. Where the text is the last valid one,
                // as in most reads, no editor has changed it, and the history is not looked at.
                if memory.set_last_good(&text).unwrap_or(false) {
                    note_change(home, object);
                }
                ActiveObject::Current(Arc::new(current))
            }
            None => {
                note_change(home, object);
                last_good(&memory, object, node, schemas, loaded.partial)?
            }
        };
        let document = loaded.document;
        let diagnostics = match loaded.diagnostics {
            // Most configurations have none, and then there is nothing to cover.
            none if none.is_empty() => none,
            some => covered_in(&secrets_of(object, &document, node, schemas), some),
        };
        Ok(ObjectConfiguration { document, diagnostics, active, path: object.clone() })
    }

    /// The configuration with this text, to be checked. If it has errors, no earlier version takes its place but what of it has
    /// none, and nothing is remembered.
    pub(crate) fn of_text(
        object: &ObjectPath,
        text: &str,
        node: &NodeData,
        schemas: &dyn DriverSchemas,
    ) -> ObjectConfiguration {
        let loaded = load(object, text, node, schemas);
        let active = match (loaded.object, loaded.sound) {
            (Some(object), _) => ActiveObject::Current(Arc::new(object)),
            (None, Some(sound)) => ActiveObject::Partial(Arc::new(sound)),
            (None, None) => ActiveObject::Nothing,
        };
        ObjectConfiguration { document: loaded.document, diagnostics: loaded.diagnostics, active, path: object.clone() }
    }

    /// The object in use.
    pub fn object(&self) -> Result<&Object, NoUsableConfiguration> {
        self.active.object().ok_or_else(|| NoUsableConfiguration(self.path.clone()))
    }
}

impl ActiveObject {
    /// The object in use, if there is one.
    pub fn object(&self) -> Option<&Object> {
        match self {
            ActiveObject::Current(object) | ActiveObject::LastGood(object) | ActiveObject::Partial(object) => {
                Some(object)
            }
            ActiveObject::Nothing => None,
        }
    }
}

/// Writes down a text that may have been written by an editor. Reading must work without that, too.
fn note_change(home: &Directories, object: &ObjectPath) {
    let _ = history::note_present(home, &ConfigTarget::Object(object.clone()), Duration::ZERO);
}

fn last_good(
    memory: &InstanceState,
    object: &ObjectPath,
    node: &NodeData,
    schemas: &dyn DriverSchemas,
    partial: Option<Object>,
) -> Result<ActiveObject, FileError> {
    let once = memory.last_good()?.map(|text| load(object, &text, node, schemas));
    let (good, crippled_since) = once.map_or((None, None), |once| (once.object, once.partial));
    // A whole version of the past is better than a part of the present, and that better than a part of the past.
    Ok(match (good, partial.or(crippled_since)) {
        (Some(good), _) => ActiveObject::LastGood(Arc::new(good)),
        (None, Some(partial)) => ActiveObject::Partial(Arc::new(partial)),
        (None, None) => ActiveObject::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ObjectFiles;
    use crate::file::durable;
    use config::DriverSchema;
    use model::Group;

    struct NoDrivers;

    impl DriverSchemas for NoDrivers {
        fn driver(&self, _: Group, _: &str) -> Option<DriverSchema<'_>> {
            None
        }
        fn names(&self, _: Group) -> Vec<String> {
            Vec::new()
        }
    }

    fn read(home: &Directories, text: &str) -> ObjectConfiguration {
        let web: ObjectPath = "web".parse().unwrap();
        durable::write(&home.config(&web), text.as_bytes()).unwrap();
        read_again(home)
    }

    fn read_again(home: &Directories) -> ObjectConfiguration {
        let (web, node) = ("web".parse().unwrap(), NodeData::alone("n1".parse().unwrap()));
        let text = ObjectFiles::of(home).text(&web);
        ObjectConfiguration::evaluate(home, &web, text, &node, &NoDrivers).unwrap()
    }

    #[test]
    fn a_file_that_is_not_text_is_an_error_with_a_position() {
        let (_root, home) = Directories::temporary();
        let latin = b"[DEFAULT]\n# caf\xe9\napp = new\n";
        read(&home, "[DEFAULT]\napp = old\n");
        let web: ObjectPath = "web".parse().unwrap();
        durable::write(&home.config(&web), latin).unwrap();
        let error = ObjectFiles::of(&home).text(&web).unwrap_err().to_string();
        assert!(error.ends_with("web.conf:2:6 holds the byte 0xe9"), "{error}");
        let broken = read_again(&home);
        assert!(matches!(&broken.active, ActiveObject::LastGood(object) if object.app == "old"));
        assert_eq!(
            broken.diagnostics.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(),
            ["not UTF-8: the byte 0xe9"]
        );
    }

    #[test]
    fn while_a_configuration_has_errors_its_last_valid_version_is_in_use() {
        let (_root, home) = Directories::temporary();
        let broken = "[DEFAULT]\napp = new\ntopology = ring\n";

        let never_good = read(&home, broken);
        assert!(matches!(never_good.active, ActiveObject::Nothing));
        assert!(!never_good.diagnostics.is_empty());

        let good = read(&home, "[DEFAULT]\napp = old\n");
        assert!(matches!(&good.active, ActiveObject::Current(object) if object.app == "old"));

        let then_broken = read(&home, broken);
        assert!(matches!(&then_broken.active, ActiveObject::LastGood(object) if object.app == "old"));
        assert_eq!(then_broken.document.text(), broken);
        assert!(!then_broken.diagnostics.is_empty());
    }
}
