//! Reading a configuration, as the daemon needs it.

use std::sync::Arc;

use agent::object::{ActiveObject, ObjectError};
use agent::{ActError, Agent};
use model::ObjectPath;
use model::object::Object;
use orchestrate::ObjectRules;
use sha2::{Digest, Sha256};

/// A configuration that was read.
#[derive(Debug, Clone)]
pub(crate) struct LoadedConfig {
    /// Of the text.
    pub(crate) checksum: String,
    pub(crate) text: Arc<str>,
    /// The version that is in force. None: the file never was valid.
    pub(crate) object: Option<Arc<Object>>,
    pub(crate) rules: Option<Arc<ObjectRules>>,
    /// Why the text does not load. Then the last good one is in force.
    pub(crate) problem: Option<String>,
}

impl LoadedConfig {
    /// Whether the object has an instance on this node.
    pub(crate) fn is_here(&self) -> bool {
        let Some(object) = &self.object else { return false };
        object.nodes.iter().chain(&object.drpnodes).any(|node| *node == object.node)
    }
}

/// Reads a configuration. None: its file is gone. Blocks.
pub(crate) fn load(agent: &Agent, path: &ObjectPath) -> Result<Option<LoadedConfig>, ActError> {
    let configuration = match agent.configuration(path) {
        Ok(configuration) => configuration,
        Err(ObjectError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let first = configuration.diagnostics.iter().find(|problem| problem.is_error());
    let problem = match configuration.active {
        ActiveObject::Current(_) => None,
        _ => Some(first.map_or_else(|| "it does not load".to_owned(), |problem| problem.message.clone())),
    };
    let text: Arc<str> = configuration.document.text().into();
    let checksum = checksum(&text);
    let object = match &configuration.active {
        ActiveObject::Current(object) | ActiveObject::LastGood(object) | ActiveObject::Partial(object) => {
            Some(Arc::clone(object))
        }
        ActiveObject::Nothing => None,
    };
    let rules = object.as_ref().map(|object| Arc::new(ObjectRules::of(object)));
    Ok(Some(LoadedConfig { checksum, text, object, rules, problem }))
}

/// Of a text, as OpenSVC shows it: SHA-256, in hexadecimal.
fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
