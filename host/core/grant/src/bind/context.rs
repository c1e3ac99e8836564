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
#[error("{keyword} = {:?} cannot be granted as {request:?}: {reason}", without_password(.value))]
pub struct BindError {
    pub keyword: String,
    pub value: String,
    /// The request that the keyword stands in.
    pub request: String,
    pub reason: &'static str,
}

/// The value, without the password of an address in it.
fn without_password(value: &str) -> String {
    let covered = || {
        let (scheme, rest) = value.split_once("://")?;
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let (user, _) = authority[..authority.rfind('@')?].split_once(':')?;
        Some(format!("{scheme}://{user}:***{}", &rest[authority.rfind('@')?..]))
    };
    covered().unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_about_an_address_shows_no_password() {
        let shown = |value: &str| {
            let (keyword, request) = ("url".to_owned(), "http = GET {kw:url}".to_owned());
            BindError { keyword, value: value.to_owned(), request, reason: "r" }.to_string()
        };
        assert!(shown("https://user:PW@host/x").starts_with(r#"url = "https://user:***@host/x" cannot"#));
        assert!(shown("https://u:a:b@c@host").starts_with(r#"url = "https://u:***@host" cannot"#));
        assert!(shown("https://user@host/a:b@c").starts_with(r#"url = "https://user@host/a:b@c" cannot"#));
        assert!(shown("user:PW@host").starts_with(r#"url = "user:PW@host" cannot"#));
    }
}
