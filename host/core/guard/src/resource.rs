//! The resource that a driver speaks for.

use std::path::Path;

use model::{NodeName, ObjectPath, Rid};

/// An evaluated keyword of the resource, as in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerKeyword<'a> {
    /// Its name.
    pub name: &'a str,
    /// One value, or one an element of a list.
    pub values: &'a [String],
}

/// The namespace of the object. In `root`, whoever may edit the configuration is root anyway.
#[derive(Clone, Copy)]
pub enum NamespaceRights<'a> {
    /// Keywords may ask for what amounts to root.
    Root,
    /// They may not, and a container may see only those paths of the node that this allows: the path, and whether it is to be
    /// written.
    Other(&'a dyn Fn(&Path, bool) -> bool),
}

/// The resource that a driver speaks for.
#[derive(Clone, Copy)]
pub struct ContainerResource<'a> {
    /// Its object.
    pub object: &'a ObjectPath,
    /// Its id.
    pub rid: &'a Rid,
    /// This node.
    pub node: &'a NodeName,
    /// What its section says.
    pub keywords: &'a [ContainerKeyword<'a>],
    /// What its namespace allows.
    pub namespace: NamespaceRights<'a>,
    /// The resource's own control group, as the engine names it.
    pub cgroup: Option<&'a str>,
}

/// The labels by which a container is known to be a resource's.
#[derive(Debug, Clone, Copy)]
pub struct ContainerLabels;

impl ContainerLabels {
    /// The object's path.
    pub const OBJECT: &'static str = "hostler.object";
    /// The resource's id.
    pub const RID: &'static str = "hostler.rid";
    /// The node that made it.
    pub const NODE: &'static str = "hostler.node";
    /// What all labels begin with that are the host's to say.
    pub(crate) const PREFIX: &'static str = "hostler.";
}

impl ContainerResource<'_> {
    /// The labels of a container of `rid` of the same object on this node.
    pub(crate) fn labels_of(&self, rid: &Rid) -> [(&'static str, String); 3] {
        [
            (ContainerLabels::OBJECT, self.object.to_string()),
            (ContainerLabels::RID, rid.to_string()),
            (ContainerLabels::NODE, self.node.to_string()),
        ]
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self.namespace, NamespaceRights::Root)
    }

    /// The values of a keyword: none if it is absent.
    pub(crate) fn values(&self, name: &str) -> &[String] {
        self.keywords.iter().find(|keyword| keyword.name == name).map_or(&[], |keyword| keyword.values)
    }

    /// The one value of a keyword.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a keyword is `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }
}
