//! What a section `volume#` asks a pool for.

use std::fmt;
use std::str::FromStr;

use model::convert;

/// Who may use a volume at once, and how: read-write or read-only, from one node or from many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VolumeAccess {
    /// Read-write, one node.
    #[default]
    Rwo,
    /// Read-only, one node.
    Roo,
    /// Read-write, many nodes.
    Rwx,
    /// Read-only, many nodes.
    Rox,
}

impl VolumeAccess {
    /// Every access.
    pub const ALL: [VolumeAccess; 4] = [VolumeAccess::Rwo, VolumeAccess::Roo, VolumeAccess::Rwx, VolumeAccess::Rox];

    /// As a configuration spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            VolumeAccess::Rwo => "rwo",
            VolumeAccess::Roo => "roo",
            VolumeAccess::Rwx => "rwx",
            VolumeAccess::Rox => "rox",
        }
    }

    /// Whether many nodes use it at once.
    pub fn is_many(self) -> bool {
        matches!(self, VolumeAccess::Rwx | VolumeAccess::Rox)
    }

    /// The same for an object that runs on several nodes at once.
    #[must_use]
    pub fn of_many(self) -> VolumeAccess {
        match self {
            VolumeAccess::Rwo | VolumeAccess::Rwx => VolumeAccess::Rwx,
            VolumeAccess::Roo | VolumeAccess::Rox => VolumeAccess::Rox,
        }
    }
}

impl fmt::Display for VolumeAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A request for a volume.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeRequest {
    /// The name of the pool. None: any.
    pub pool: Option<String>,
    /// The type of the pool. None: any.
    pub pool_type: Option<String>,
    /// In bytes. None: not said.
    pub size: Option<u64>,
    /// Who uses it.
    pub access: VolumeAccess,
    /// Whether it is a mounted file system, and not a device.
    pub format: bool,
    /// Whether it may lose its content when it stops.
    pub volatile: bool,
    /// Whether all nodes must see the same data.
    pub shared: bool,
    /// The nodes that may run it. None at all: this one.
    pub nodes: Vec<String>,
    /// The resource that it is made for: `web volume#0`.
    pub made_for: String,
}

/// A word of a request that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value:?}: expected {expected}")]
pub struct InvalidVolumeRequest {
    /// The keyword.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What is expected instead.
    pub expected: &'static str,
}

impl VolumeRequest {
    /// Reads the words that a driver sends. Names that are not known are left out.
    pub fn of(words: &[(String, String)]) -> Result<VolumeRequest, InvalidVolumeRequest> {
        let mut request = VolumeRequest { format: true, ..VolumeRequest::default() };
        for (name, value) in words.iter().filter(|(_, value)| !value.is_empty()) {
            let wrong = |expected| InvalidVolumeRequest { name: name.clone(), value: value.clone(), expected };
            let flag = || convert::boolean(value).map_err(|_| wrong("true or false"));
            match name.as_str() {
                "pool" => request.pool = Some(value.clone()),
                "type" => request.pool_type = Some(value.clone()),
                "size" => request.size = Some(convert::size(value).map_err(|_| wrong("a size, such as 1g"))?),
                "access" => request.access = value.parse().map_err(|()| wrong("rwo, roo, rwx or rox"))?,
                "format" => request.format = flag()?,
                "volatile" => request.volatile = flag()?,
                "nodes" => request.nodes.extend(value.split_whitespace().map(str::to_owned)),
                _ => {}
            }
        }
        Ok(request)
    }
}

impl FromStr for VolumeAccess {
    type Err = ();

    fn from_str(text: &str) -> Result<VolumeAccess, ()> {
        VolumeAccess::ALL.into_iter().find(|access| access.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_driver_are_a_request() {
        let words = |words: &[(&str, &str)]| {
            let owned: Vec<_> = words.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            VolumeRequest::of(&owned)
        };
        let plain = words(&[]).unwrap();
        assert_eq!((plain.access, plain.format, plain.size), (VolumeAccess::Rwo, true, None));
        let asked =
            words(&[("type", "shm"), ("size", "10m"), ("access", "rwx"), ("format", "false"), ("nodes", "n1 n2")]);
        let asked = asked.unwrap();
        assert_eq!((asked.pool_type.as_deref(), asked.size), (Some("shm"), Some(10 << 20)));
        assert_eq!((asked.access, asked.format), (VolumeAccess::Rwx, false));
        assert_eq!(asked.nodes, ["n1", "n2"]);
        let error = |name, value| words(&[(name, value)]).unwrap_err().to_string();
        assert_eq!(error("access", "rw"), r#"access = "rw": expected rwo, roo, rwx or rox"#);
        assert_eq!(error("size", "big"), r#"size = "big": expected a size, such as 1g"#);
        assert_eq!(VolumeAccess::Roo.of_many(), VolumeAccess::Rox);
    }
}
