//! The source of the drivers' keywords. The core's own are in [`crate::keyword`].

use model::keyword::Keyword;
use model::{DriverName, Group};

/// The keywords of a driver's sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriverSchema<'a> {
    /// The driver's own name, also where it was asked for by another.
    pub name: &'a DriverName,
    /// Its keywords, beyond those that every resource has.
    pub keywords: &'a [Keyword],
}

/// A resource that every object of several nodes has implicitly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImplicitResource<'a> {
    /// Its section, such as `sync#i0`.
    pub name: &'a str,
    /// Its driver.
    pub driver: DriverSchema<'a>,
}

/// The drivers of this node. The agent implements it with the drivers' manifests.
pub trait DriverSchemas {
    /// The driver that `type = type_name` calls for in a section of the group, by its name or another that it goes by.
    fn driver(&self, group: Group, type_name: &str) -> Option<DriverSchema<'_>>;

    /// The names of the group's drivers.
    fn names(&self, group: Group) -> Vec<String>;

    /// The resources that every object of several nodes has implicitly.
    fn implicit(&self) -> Vec<ImplicitResource<'_>> {
        Vec::new()
    }

    /// The driver of a section without `type`. None where one must be named.
    fn default_type(&self, group: Group) -> Option<&str> {
        match group {
            Group::Ip | Group::Task => Some("host"),
            Group::App => Some("forking"),
            Group::Sync => Some("rsync"),
            Group::Container => Some("docker"),
            Group::Volume => Some("pool"),
            Group::Fence => Some("command"),
            Group::Disk | Group::Fs | Group::Share => None,
        }
    }
}
