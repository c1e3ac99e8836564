//! Lists of objects.

use std::path::PathBuf;

use model::status::{Provisioned, State};
use model::{NodeName, ObjectPath};
use serde::{Deserialize, Serialize};

use crate::{InstanceDocument, word};

/// The objects of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectList {
    #[serde(with = "word::list")]
    pub objects: Vec<ObjectPath>,
    /// Files that look like configurations, but whose name or place is not an object's.
    pub strays: Vec<PathBuf>,
}

/// An object in a list, with its states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectSummary {
    #[serde(with = "word")]
    pub path: ObjectPath,
    pub namespace: String,
    pub kind: String,
    pub name: String,
    #[serde(with = "word")]
    pub avail: State,
    #[serde(with = "word")]
    pub overall: State,
    #[serde(with = "word")]
    pub provisioned: Provisioned,
    /// The node of the instance, in lists of instances.
    #[serde(with = "word::optional", default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// Whether the instance is frozen, in lists of instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<bool>,
}

impl ObjectSummary {
    /// An object whose instance has this status. `detailed` lists are of instances.
    pub fn of(instance: &InstanceDocument, detailed: bool) -> ObjectSummary {
        ObjectSummary {
            avail: instance.avail,
            overall: instance.overall,
            provisioned: instance.provisioned,
            node: detailed.then(|| instance.node.clone()),
            frozen: detailed.then_some(instance.frozen),
            // Only the names are taken from here: all states are replaced above.
            ..ObjectSummary::without_status(&instance.path, State::Undef, Provisioned::Undef)
        }
    }

    /// An object that has no instance here, or whose status is not known.
    pub fn without_status(path: &ObjectPath, state: State, provisioned: Provisioned) -> ObjectSummary {
        ObjectSummary {
            path: path.clone(),
            namespace: path.namespace().to_owned(),
            kind: path.kind().as_str().to_owned(),
            name: path.name().to_owned(),
            avail: state,
            overall: state,
            provisioned,
            node: None,
            frozen: None,
        }
    }
}

/// The kind of names that are asked for, to complete a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// Resources, by rid or by group.
    Resource,
    Tag,
    Subset,
    /// `fs#1.dev`.
    Keyword,
    Section,
    /// The keys of a store.
    Key,
}
