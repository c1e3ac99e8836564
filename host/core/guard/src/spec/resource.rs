//! The resource on whose behalf a driver sends requests.

use std::path::Path;

use model::{NodeName, ObjectPath, Rid};

/// An evaluated keyword of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerKeyword<'a> {
    pub name: &'a str,
    /// One value, or the elements of a list.
    pub values: &'a [String],
}

/// The rights of the object's namespace. In `root`, a user who may edit the configuration is root anyway.
#[derive(Clone, Copy)]
pub enum NamespaceRights<'a> {
    /// Keywords may request what makes the container as good as root.
    Root,
    /// They may not, and a container may see only the paths of the node that this function allows: it gets the path, and
    /// whether the container may write there.
    Other(&'a dyn Fn(&Path, bool) -> bool),
}

/// The resource on whose behalf a driver sends requests.
#[derive(Clone, Copy)]
pub struct ContainerResource<'a> {
    pub object: &'a ObjectPath,
    pub rid: &'a Rid,
    /// This node.
    pub node: &'a NodeName,
    pub keywords: &'a [ContainerKeyword<'a>],
    pub namespace: NamespaceRights<'a>,
    /// The resource's own control group, in the form that the engine uses.
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
    /// The prefix of all labels that only the host may set.
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

    /// The values of a keyword; none if it is absent.
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
