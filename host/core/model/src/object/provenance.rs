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
    /// Made of the devices that another resource exposes. As a device, it is accepted only if the host itself gave the device to
    /// that resource.
    Resource(Rid),
    /// Keys of data stores that the configuration names.
    Store(ObjectKind),
}

impl Provenance {
    /// Whether grants, guards, environments and groups may rest on the value: a third party's default was never read by those who
    /// wrote the configuration.
    pub fn binds(&self) -> bool {
        !matches!(self, Provenance::ThirdPartyDefault)
    }

    /// The resource that exposes the value.
    pub fn resource(&self) -> Option<&Rid> {
        match self {
            Provenance::Resource(rid) => Some(rid),
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
            Provenance::Resource(rid) => write!(f, "exposed by {rid}"),
            Provenance::Store(kind) => write!(f, "keys of a {kind} store that the configuration names"),
        }
    }
}
