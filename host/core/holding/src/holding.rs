//! A holding of any kind.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kind::{
    AddressHolding, ContainerHolding, DeclaredHolding, FileHolding, LinkHolding, LoopHolding, MountHolding,
    ProcessHolding, RouteHolding,
};
use crate::record::HoldingScope;

/// A lasting thing, with what identifies it as far as that is known: before the call that makes it, some of it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Holding {
    Mount(MountHolding),
    Loop(LoopHolding),
    Address(AddressHolding),
    Route(RouteHolding),
    Link(LinkHolding),
    Container(ContainerHolding),
    ProcessGroup(ProcessHolding),
    File(FileHolding),
    Declared(DeclaredHolding),
}

impl Holding {
    /// The word for the kind, as drivers and documents have it. A declared holding has the word that its driver gave it.
    pub fn kind(&self) -> &str {
        match self {
            Holding::Mount(_) => "mount",
            Holding::Loop(_) => "loop",
            Holding::Address(_) => "address",
            Holding::Route(_) => "route",
            Holding::Link(_) => "link",
            Holding::Container(_) => "container",
            Holding::ProcessGroup(_) => "process-group",
            Holding::File(_) => "file",
            Holding::Declared(declared) => &declared.kind,
        }
    }

    /// The words for kinds that the host itself knows, which a driver cannot declare.
    pub const KINDS: [&'static str; 8] =
        ["mount", "loop", "address", "route", "link", "container", "process-group", "file"];

    /// How long such a thing can last: what is only in the kernel's memory is gone after a boot.
    pub fn scope(&self) -> HoldingScope {
        match self {
            Holding::Container(_) | Holding::File(_) => HoldingScope::Persistent,
            Holding::Declared(declared) => declared.scope,
            _ => HoldingScope::Boot,
        }
    }

    /// Whether a stop must have undone it. A file that is left does no harm: a peer that starts the service writes its own.
    pub fn must_be_gone(&self) -> bool {
        !matches!(self, Holding::File(_))
    }

    /// Whether both are the same thing, whatever was only noted beside what identifies it.
    pub fn is_same(&self, other: &Holding) -> bool {
        match (self, other) {
            (Holding::Address(one), Holding::Address(other)) => one.is_same(other),
            (Holding::Route(one), Holding::Route(other)) => one.is_same(other),
            (Holding::ProcessGroup(one), Holding::ProcessGroup(other)) => one.is_same(other),
            (Holding::Mount(one), Holding::Mount(other)) => one.is_same(other),
            (Holding::Loop(one), Holding::Loop(other)) => one.is_same(other),
            (Holding::Link(one), Holding::Link(other)) => one.mark == other.mark && one.netns.is(&other.netns),
            (one, other) => one == other,
        }
    }

    /// Facts for drivers and documents: names, and values as text.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        match self {
            Holding::Mount(mount) => mount.attributes(),
            Holding::Loop(device) => device.attributes(),
            Holding::Address(address) => address.attributes(),
            Holding::Route(route) => route.attributes(),
            Holding::Link(link) => link.attributes(),
            Holding::Container(container) => container.attributes(),
            Holding::ProcessGroup(group) => group.attributes(),
            Holding::File(file) => vec![("path", file.path.clone())],
            Holding::Declared(declared) => vec![("scope", declared.scope.as_str().to_owned())],
        }
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holding::Mount(mount) => mount.fmt(f),
            Holding::Loop(device) => device.fmt(f),
            Holding::Address(address) => address.fmt(f),
            Holding::Route(route) => route.fmt(f),
            Holding::Link(link) => link.fmt(f),
            Holding::Container(container) => container.fmt(f),
            Holding::ProcessGroup(group) => group.fmt(f),
            Holding::File(file) => write!(f, "the file {}", file.path),
            Holding::Declared(declared) => declared.fmt(f),
        }
    }
}

macro_rules! kinds {
    ($($record:ty => $kind:ident),* $(,)?) => {
        $(impl From<$record> for Holding {
            fn from(thing: $record) -> Holding {
                Holding::$kind(thing)
            }
        })*
    };
}

kinds! {
    MountHolding => Mount,
    LoopHolding => Loop,
    AddressHolding => Address,
    RouteHolding => Route,
    LinkHolding => Link,
    ContainerHolding => Container,
    ProcessHolding => ProcessGroup,
    FileHolding => File,
}
