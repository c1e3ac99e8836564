//! The context to which a line is bound: the resource, its keywords, and the devices that this host gave to it.

use std::path::PathBuf;

use model::object::Provenance;
use model::{NodeName, ObjectPath, Rid};

/// The values of the names in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantContext {
    /// `{object}`, `{namespace}`, `{kind}`, `{name}`.
    pub object: ObjectPath,
    /// `{rid}`.
    pub rid: Rid,
    /// `{node}`.
    pub node: NodeName,
    /// `{rundir}`: the object's directory that a reboot empties.
    pub rundir: PathBuf,
    /// `{statedir}`: the object's directory that survives a reboot.
    pub statedir: PathBuf,
    /// `{config}`: the object's configuration file.
    pub config: PathBuf,
    /// `{peer}`: the other nodes of the object.
    pub peers: Vec<NodeName>,
}

/// An evaluated keyword of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantKeyword<'a> {
    pub name: &'a str,
    /// One value, or the elements of a list.
    pub values: &'a [String],
    /// Whose word the values are.
    pub provenance: &'a Provenance,
}

impl<'a> GrantKeyword<'a> {
    /// A keyword as somebody with the right to do so wrote it.
    pub fn written(name: &'a str, values: &'a [String]) -> GrantKeyword<'a> {
        GrantKeyword { name, values, provenance: &Provenance::Written { line: 1 } }
    }
}

/// Knows which devices this host gave to which resources of the object.
pub trait DeviceLedger {
    /// Whether this host gave `device` to `rid`, or to another resource that the object's keywords may name.
    fn gave(&self, rid: &Rid, device: &str) -> bool;
}

impl<F: Fn(&Rid, &str) -> bool> DeviceLedger for F {
    fn gave(&self, rid: &Rid, device: &str) -> bool {
        self(rid, device)
    }
}

/// The ledger of a host that never gave a device to a resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeviceLedger;

impl DeviceLedger for NoDeviceLedger {
    fn gave(&self, _: &Rid, _: &str) -> bool {
        false
    }
}

/// The ledger where it does not matter whose a device is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AnyDeviceLedger;

impl DeviceLedger for AnyDeviceLedger {
    fn gave(&self, _: &Rid, _: &str) -> bool {
        true
    }
}

/// A keyword's value cannot stand where the request puts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{keyword} = {value:?} cannot be granted as {request:?}: {reason}")]
pub struct BindError {
    pub keyword: String,
    pub value: String,
    /// The request that the keyword stands in.
    pub request: String,
    pub reason: &'static str,
}
