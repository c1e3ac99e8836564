//! Object paths: `[namespace/][kind/]name`.
//!
//! Every value of these types is legal, because the checks of this file are the only way to make one. So no other code has to
//! ask whether a name can become a file name.

use std::fmt;
use std::str::FromStr;

/// The longest label of a name, as in the domain name system.
const MAX_LABEL: usize = 63;
/// The longest name, as in the domain name system.
const MAX_NAME: usize = 253;
/// The namespace of a path that names none.
const ROOT: &str = "root";
/// The one name of a `ccfg`.
const CLUSTER: &str = "cluster";
/// The one name of an `nscfg`.
const NAMESPACE: &str = "namespace";

/// The kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A service.
    Svc,
    /// A volume.
    Vol,
    /// A store of plain configuration.
    Cfg,
    /// A store of secrets.
    Sec,
    /// A user.
    Usr,
    /// A namespace's configuration.
    Nscfg,
    /// The cluster's configuration.
    Ccfg,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [ObjectKind; 7] = [
        ObjectKind::Svc,
        ObjectKind::Vol,
        ObjectKind::Cfg,
        ObjectKind::Sec,
        ObjectKind::Usr,
        ObjectKind::Nscfg,
        ObjectKind::Ccfg,
    ];

    /// Whether its objects hold keys for others to use, and have no instances to act on.
    pub fn is_store(self) -> bool {
        matches!(self, ObjectKind::Cfg | ObjectKind::Sec)
    }

    /// Whether its objects run on nodes.
    pub fn has_instances(self) -> bool {
        matches!(self, ObjectKind::Svc | ObjectKind::Vol)
    }

    /// As it stands in a path.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectKind::Svc => "svc",
            ObjectKind::Vol => "vol",
            ObjectKind::Cfg => "cfg",
            ObjectKind::Sec => "sec",
            ObjectKind::Usr => "usr",
            ObjectKind::Nscfg => "nscfg",
            ObjectKind::Ccfg => "ccfg",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a kind of object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind of object: expected svc, vol, cfg, sec, usr, nscfg or ccfg")]
pub struct InvalidKind(pub String);

impl FromStr for ObjectKind {
    type Err = InvalidKind;

    fn from_str(s: &str) -> Result<ObjectKind, InvalidKind> {
        ObjectKind::ALL.into_iter().find(|kind| kind.as_str() == s).ok_or_else(|| InvalidKind(s.to_owned()))
    }
}

/// The path of an object. Displays in canonical form: without `root/`, without `svc/` in the root namespace, `cluster` for
/// the cluster's configuration and `<namespace>/` for a namespace's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath {
    namespace: String,
    kind: ObjectKind,
    name: String,
}

/// Why a text is not an object path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not an object path: {reason}")]
pub struct InvalidPath {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ObjectPath {
    /// Makes a path, if its three parts can be combined.
    pub fn new(namespace: &str, kind: ObjectKind, name: &str) -> Result<ObjectPath, InvalidPath> {
        let err = |reason| InvalidPath { path: format!("{namespace}/{kind}/{name}"), reason };
        check_namespace(namespace).map_err(err)?;
        check_name(namespace, kind, name).map_err(err)?;
        Ok(ObjectPath { namespace: namespace.to_owned(), kind, name: name.to_owned() })
    }

    /// The service of that name in the root namespace.
    pub fn svc(name: &str) -> Result<ObjectPath, InvalidPath> {
        ObjectPath::new(ROOT, ObjectKind::Svc, name)
    }

    /// The configuration of the cluster.
    pub fn cluster() -> ObjectPath {
        ObjectPath { namespace: ROOT.to_owned(), kind: ObjectKind::Ccfg, name: CLUSTER.to_owned() }
    }

    /// Reads a path as an object of `namespace` means it: one that begins with `./` is in that namespace.
    pub fn parse_in(namespace: &str, text: &str) -> Result<ObjectPath, InvalidPath> {
        match text.strip_prefix("./") {
            None => text.parse(),
            Some(rest) if rest.contains('/') => format!("{namespace}/{rest}").parse(),
            Some(name) => ObjectPath::new(namespace, ObjectKind::Svc, name),
        }
    }

    /// The namespace, `root` where none is written.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The kind, `svc` where none is written.
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// The name within kind and namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the object is of the root namespace.
    pub fn is_root(&self) -> bool {
        self.namespace == ROOT
    }

    /// The path in full, `namespace/kind/name`, which globs are matched against.
    pub fn fqn(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.kind, self.name)
    }

    /// The name in the domain of a cluster.
    pub fn fqdn(&self, cluster: &str) -> String {
        format!("{}.{}.{}.{cluster}", self.name, self.namespace, self.kind)
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match (self.is_root(), self.kind) {
            (_, ObjectKind::Ccfg) | (true, ObjectKind::Svc) => self.name.clone(),
            (true, ObjectKind::Nscfg) => "/".to_owned(),
            (false, ObjectKind::Nscfg) => format!("{}/", self.namespace),
            (true, kind) => format!("{kind}/{}", self.name),
            (false, _) => self.fqn(),
        };
        f.pad(&path)
    }
}

impl FromStr for ObjectPath {
    type Err = InvalidPath;

    fn from_str(s: &str) -> Result<ObjectPath, InvalidPath> {
        let err = |reason: String| InvalidPath { path: s.to_owned(), reason };
        let parts: Vec<&str> = s.split('/').collect();
        let (namespace, kind, name) = match parts[..] {
            [CLUSTER] => return Ok(ObjectPath::cluster()),
            [""] => return Err(err("it is empty".to_owned())),
            ["", ""] => (ROOT, ObjectKind::Nscfg.as_str(), NAMESPACE),
            [namespace, ""] => (namespace, ObjectKind::Nscfg.as_str(), NAMESPACE),
            [name] => (ROOT, ObjectKind::Svc.as_str(), name),
            [kind, name] => (ROOT, kind, name),
            // The long form of `ns1/`: a namespace has one configuration, so its name can be left out.
            [namespace, "nscfg", ""] => (namespace, ObjectKind::Nscfg.as_str(), NAMESPACE),
            [namespace, kind, name] => (namespace, kind, name),
            _ => return Err(err("expected [namespace/][kind/]name".to_owned())),
        };
        let kind = kind.parse().map_err(|error: InvalidKind| err(error.to_string()))?;
        // The error of `new` quotes the path in full; this one quotes what was written.
        ObjectPath::new(namespace, kind, name).map_err(|error| err(error.reason))
    }
}

/// Whether a text may be the name of some object.
pub fn is_name(text: &str) -> bool {
    check_labels(text).is_ok()
}

fn check_namespace(namespace: &str) -> Result<(), String> {
    check_label(namespace).map_err(|reason| format!("the namespace {reason}"))?;
    if namespace.parse::<ObjectKind>().is_ok() {
        return Err(format!("{namespace} is the name of a kind and cannot be one of a namespace"));
    }
    Ok(())
}

/// No two objects may share a configuration file, so services cannot have the names that the root directory uses for other
/// files.
fn check_name(namespace: &str, kind: ObjectKind, name: &str) -> Result<(), String> {
    check_labels(name).map_err(|reason| format!("the name {reason}"))?;
    // Objects are never named like a kind, so a word of a path or of a reference to a key is one or the other.
    let reserved = name.parse::<ObjectKind>().is_ok()
        || name == "node"
        || (kind == ObjectKind::Svc && namespace == ROOT && matches!(name, CLUSTER | NAMESPACE));
    match kind {
        _ if reserved => Err(format!("the name {name} is reserved")),
        ObjectKind::Ccfg if (namespace, name) != (ROOT, CLUSTER) => {
            Err("the only ccfg is root/ccfg/cluster".to_owned())
        }
        ObjectKind::Nscfg if name != NAMESPACE => Err("the only nscfg of a namespace is called namespace".to_owned()),
        _ => Ok(()),
    }
}

fn check_labels(name: &str) -> Result<(), String> {
    if name.len() > MAX_NAME {
        return Err(format!("is longer than {MAX_NAME} characters"));
    }
    name.split('.').try_for_each(check_label)
}

fn check_label(label: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if label.is_empty() {
        return Err("is empty or has an empty part".to_owned());
    }
    if label.len() > MAX_LABEL {
        return Err(format!("has a part longer than {MAX_LABEL} characters"));
    }
    if !label.bytes().all(legal) || label.starts_with('-') || label.ends_with('-') {
        return Err("is made of lower-case letters, digits and inner hyphens, in parts that dots separate".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
