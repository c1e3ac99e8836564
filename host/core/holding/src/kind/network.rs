//! Addresses, routes and links.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{known, number};
use crate::record::HoldingStage;

/// A network namespace other than the node's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceIdentity {
    /// Where it was found. It may be elsewhere by now, or nowhere.
    pub path: String,
    /// The device and the inode of its file in nsfs, which identify it for as long as it exists.
    pub device: u64,
    pub inode: u64,
    /// The number that the kernel never uses again. None before Linux 5.14.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<u64>,
}

impl NamespaceIdentity {
    /// Whether both are the same namespace, whatever their paths.
    pub fn is(&self, other: &NamespaceIdentity) -> bool {
        // The kernel gives the inode of a namespace that is gone to a later one.
        let differs = self.cookie.zip(other.cookie).is_some_and(|(own, other)| own != other);
        (self.device, self.inode) == (other.device, other.inode) && !differs
    }
}

fn same_namespace(one: Option<&NamespaceIdentity>, other: Option<&NamespaceIdentity>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.is(other),
        _ => false,
    }
}

/// An address on a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressHolding {
    /// None is the namespace of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<NamespaceIdentity>,
    /// The kernel's number of the link, which stays the same when the link is renamed.
    pub index: u32,
    /// The name of the link then.
    pub dev: String,
    /// The address with the length of its prefix.
    pub cidr: String,
    /// Whether the kernel made it a primary address. Removing one removes its secondaries too, unless it promotes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
    /// Who the kernel was to note as its maker, see rt_addrprotos of iproute2. None where the kernel notes no maker, before Linux 5.18.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
}

impl AddressHolding {
    /// Whether an address like this one on its link is this one, by the maker that the kernel notes. None: that cannot be told, as the
    /// call that was to add it was cut short, and another program may have added it since.
    pub fn is_made_by(&self, stage: HoldingStage, maker: Option<u8>) -> Option<bool> {
        match stage {
            HoldingStage::Intended => self.protocol.map(|own| maker == Some(own)),
            // Once it was there: a program that changes its lifetime becomes its maker.
            _ => Some(true),
        }
    }

    /// The same address on the same link, by its number.
    pub fn is_same(&self, other: &AddressHolding) -> bool {
        let namespace = same_namespace(self.netns.as_ref(), other.netns.as_ref());
        namespace && (self.index, &self.cidr) == (other.index, &other.cidr)
    }

    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([
            ("netns", path(self.netns.as_ref())),
            ("dev", Some(self.dev.clone())),
            ("index", Some(number(self.index))),
            ("cidr", Some(self.cidr.clone())),
            ("primary", self.primary.map(number)),
        ])
    }
}

impl fmt::Display for AddressHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}{}", self.cidr, self.dev, Inside(self.netns.as_ref()))
    }
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteHolding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<NamespaceIdentity>,
    /// A prefix; the default routes are 0.0.0.0/0 and ::/0.
    pub destination: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The name of its link then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// The kernel's number of the link, which stays the same when the link is renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The number of its routing table.
    pub table: u32,
    /// Who made it, see rtnetlink(7): 3 is `boot`, 4 is `static`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
}

impl RouteHolding {
    /// The same route. One that was asked for without a link is the same with the link that the kernel found.
    pub fn is_same(&self, other: &RouteHolding) -> bool {
        let namespace = same_namespace(self.netns.as_ref(), other.netns.as_ref());
        let dev = match (self.index, other.index) {
            (Some(index), Some(other)) => index == other,
            _ => self.dev.is_none() || other.dev.is_none() || self.dev == other.dev,
        };
        // One that was only asked for does not have them: the kernel fills them in.
        let origin = |route: &RouteHolding| Some((route.protocol?, route.metric?));
        let from = origin(self).is_none() || origin(other).is_none() || origin(self) == origin(other);
        let route = |route: &RouteHolding| (route.table, route.destination.clone(), route.gateway.clone());
        namespace && dev && from && route(self) == route(other)
    }

    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([
            ("netns", path(self.netns.as_ref())),
            ("destination", Some(self.destination.clone())),
            ("gateway", self.gateway.clone()),
            ("dev", self.dev.clone()),
            ("table", Some(number(self.table))),
            ("protocol", self.protocol.map(number)),
            ("metric", self.metric.map(number)),
        ])
    }
}

impl fmt::Display for RouteHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the route to {}", self.destination)?;
        self.gateway.iter().try_for_each(|gateway| write!(f, " by {gateway}"))?;
        self.dev.iter().try_for_each(|dev| write!(f, " on {dev}"))?;
        Inside(self.netns.as_ref()).fmt(f)
    }
}

/// A link that was plugged into a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkHolding {
    pub netns: NamespaceIdentity,
    /// `bridge`, `macvlan` or `dedicated`.
    pub mode: String,
    /// The link of the node behind it.
    pub dev: String,
    /// Its name in the namespace. None before it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What its alias says, by which it is found again.
    pub mark: String,
}

impl LinkHolding {
    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        known([
            ("netns", path(Some(&self.netns))),
            ("mode", Some(self.mode.clone())),
            ("dev", Some(self.dev.clone())),
            ("name", self.name.clone()),
        ])
    }
}

impl fmt::Display for LinkHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("a link");
        write!(f, "{name} ({} of {}){}", self.mode, self.dev, Inside(Some(&self.netns)))
    }
}

fn path(netns: Option<&NamespaceIdentity>) -> Option<String> {
    netns.map(|netns| netns.path.clone())
}

struct Inside<'a>(Option<&'a NamespaceIdentity>);

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |netns| write!(f, " in {}", netns.path))
    }
}
