//! The provenance of a keyword's value: whose word it is.
//!
//! The configuration is the word of those who may edit the object. A default is the word of the author of a manifest, and where
//! that author is a third party, it binds nothing: it is a value for the driver alone to read.

use std::fmt;

use crate::{ObjectKind, Rid};

/// Whose word the value of a keyword is. Decided once, when the configuration is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// Written in the configuration, in the section or where the section inherits from.
    Written {
        /// The line, counted from 1.
        line: usize,
    },
    /// The default of a keyword of the core, or of a driver that comes with the agent.
    BuiltInDefault,
    /// The default in the manifest of a driver that the site installed.
    ThirdPartyDefault,
    /// Made of what another resource exposes. As a device, it is accepted only if the host itself gave the device to that resource.
    Resource {
        /// The first of the resources that expose it.
        rid: Rid,
        /// The values that no device went into, and the mount points that did. Known once the references are filled in.
        beside: WordsBeside,
    },
    /// Keys of data stores that the configuration names.
    Store(ObjectKind),
}

/// The values of a keyword that the configuration wrote, beside those that hold an exposed device.
///
/// The program of a command is such a value, and so is an option with a mount point in it: the author of the configuration chose
/// it, and the host made the mount point, so neither can be a driver's way to a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordsBeside {
    /// The values.
    pub words: Vec<String>,
    /// The exposed mount points that went into them. The words count only if the host made each of these.
    pub places: Vec<String>,
}

impl Provenance {
    /// A value made of what the resource exposes, and of nothing else.
    pub fn exposed_by(rid: Rid) -> Provenance {
        Provenance::Resource { rid, beside: WordsBeside::default() }
    }

    /// The values that no device went into.
    pub fn beside(&self) -> Option<&WordsBeside> {
        match self {
            Provenance::Resource { beside, .. } => Some(beside),
            _ => None,
        }
    }

    /// Whether grants, guards, environments and groups may rest on the value: a third party's default was never read by those who
    /// wrote the configuration.
    pub fn binds(&self) -> bool {
        !matches!(self, Provenance::ThirdPartyDefault)
    }

    /// The resource that exposes the value.
    pub fn resource(&self) -> Option<&Rid> {
        match self {
            Provenance::Resource { rid, .. } => Some(rid),
            _ => None,
        }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::Written { line } => write!(f, "line {line} of the configuration"),
            Provenance::BuiltInDefault => f.write_str("default"),
            Provenance::ThirdPartyDefault => f.write_str("default of the driver's author, which grants nothing"),
            Provenance::Resource { rid, .. } => write!(f, "exposed by {rid}"),
            Provenance::Store(kind) => write!(f, "keys of a {kind} store that the configuration names"),
        }
    }
}
