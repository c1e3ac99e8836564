//! Resource ids and what they are made of: driver groups, driver names, and the natural order of ids.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A driver group. The order of the variants is the order of start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Addresses and routes.
    Ip,
    /// Volumes taken from a pool.
    Volume,
    /// Block devices.
    Disk,
    /// File systems, directories, flags.
    Fs,
    /// Exports of file systems to the network.
    Share,
    /// Containers and virtual machines.
    Container,
    /// Applications.
    App,
    /// Copies to other nodes.
    Sync,
    /// Work that is run rather than started.
    Task,
    /// The end of a node from outside. Only the configuration of a cluster has it.
    Fence,
}

impl Group {
    /// Every group, in the order of start.
    pub const ALL: [Group; 10] = [
        Group::Ip,
        Group::Volume,
        Group::Disk,
        Group::Fs,
        Group::Share,
        Group::Container,
        Group::App,
        Group::Sync,
        Group::Task,
        Group::Fence,
    ];

    /// As it stands before the `#` of a section.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Ip => "ip",
            Group::Volume => "volume",
            Group::Disk => "disk",
            Group::Fs => "fs",
            Group::Share => "share",
            Group::Container => "container",
            Group::App => "app",
            Group::Sync => "sync",
            Group::Task => "task",
            Group::Fence => "fence",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a driver group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a driver group: expected ip, volume, disk, fs, share, container, app, sync, task or fence")]
pub struct InvalidGroup(pub String);

impl FromStr for Group {
    type Err = InvalidGroup;

    fn from_str(s: &str) -> Result<Group, InvalidGroup> {
        Group::ALL.into_iter().find(|group| group.as_str() == s).ok_or_else(|| InvalidGroup(s.to_owned()))
    }
}

/// A resource id such as `fs#1` or `container#01db`. Ordered by group, then naturally: `fs#2` before `fs#10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rid {
    group: Group,
    index: String,
}

impl Rid {
    /// The driver group, the part before the `#`.
    pub fn group(&self) -> Group {
        self.group
    }

    /// The part after the `#`.
    pub fn index(&self) -> &str {
        &self.index
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}#{}", self.group, self.index))
    }
}

/// Why a text is not a resource id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRid {
    /// There is no `#`.
    #[error("{0:?} is not a resource id: expected <group>#<id>, such as fs#1")]
    NoHash(String),
    /// The part before the `#` is not a driver group.
    #[error(transparent)]
    Group(#[from] InvalidGroup),
    /// The part after the `#` is empty or holds something else than letters, digits, `-`, `_` and `.`.
    #[error("{0:?} is not a resource id: the part after # is made of letters, digits, - _ and .")]
    Index(String),
}

impl FromStr for Rid {
    type Err = InvalidRid;

    fn from_str(s: &str) -> Result<Rid, InvalidRid> {
        let (group, index) = s.split_once('#').ok_or_else(|| InvalidRid::NoHash(s.to_owned()))?;
        let group = group.parse()?;
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if index.is_empty() || !index.chars().all(legal) {
            return Err(InvalidRid::Index(s.to_owned()));
        }
        Ok(Rid { group, index: index.to_owned() })
    }
}

impl Ord for Rid {
    fn cmp(&self, other: &Rid) -> Ordering {
        self.group.cmp(&other.group).then_with(|| natural(&self.index, &other.index))
    }
}

impl PartialOrd for Rid {
    fn partial_cmp(&self, other: &Rid) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares texts as people count: runs of digits by their value, everything else by character. The order is total: texts that
/// differ only in leading zeros are compared as plain texts.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.chars().next(), right.chars().next()) {
            // #1 and #01 are two resources, and `Ord` must not call equal what `Eq` tells apart.
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, rest_x) = split_number(left);
                let (y, rest_y) = split_number(right);
                // Without leading zeros, the longer number is the larger one, and no number can overflow.
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => (left, right) = (rest_x, rest_y),
                    unequal => return unequal,
                }
            }
            (Some(x), Some(y)) if x == y => {
                left = &left[x.len_utf8()..];
                right = &right[y.len_utf8()..];
            }
            (Some(x), Some(y)) => return x.cmp(&y),
        }
    }
}

/// The leading digits without their leading zeros, and what follows them.
fn split_number(s: &str) -> (&str, &str) {
    let end = s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    (s[..end].trim_start_matches('0'), &s[end..])
}

/// A driver's full name, `<group>.<name>`, such as `fs.ext4`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DriverName {
    group: Group,
    name: String,
}

impl DriverName {
    /// The driver of `group` that a section's `type` keyword names.
    pub fn new(group: Group, name: &str) -> Result<DriverName, InvalidDriverName> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(legal) {
            return Err(InvalidDriverName(format!("{group}.{name}")));
        }
        Ok(DriverName { group, name: name.to_owned() })
    }

    /// The driver group.
    pub fn group(&self) -> Group {
        self.group
    }

    /// The name within the group, as in the `type` keyword.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for DriverName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.group, self.name))
    }
}

/// A text that is not a driver name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a driver name: expected <group>.<name> in lower case, such as fs.ext4")]
pub struct InvalidDriverName(pub String);

impl FromStr for DriverName {
    type Err = InvalidDriverName;

    fn from_str(s: &str) -> Result<DriverName, InvalidDriverName> {
        let none = || InvalidDriverName(s.to_owned());
        let (group, name) = s.split_once('.').ok_or_else(none)?;
        // Whichever half is wrong, the error quotes the whole text.
        DriverName::new(group.parse().map_err(|_| none())?, name).map_err(|_| none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rids_are_in_the_order_of_start_and_then_natural() {
        let mut rids: Vec<Rid> =
            ["fs#10", "app#1", "fs#2", "fs#01db", "ip#1", "fs#2a"].iter().map(|rid| rid.parse().unwrap()).collect();
        rids.sort();
        let sorted: Vec<String> = rids.iter().map(Rid::to_string).collect();
        assert_eq!(sorted, ["ip#1", "fs#01db", "fs#2", "fs#2a", "fs#10", "app#1"]);
    }

    #[test]
    fn an_invalid_rid_says_why() {
        for bad in ["fs", "fs#", "fs#a b", "foo#1", "#1", ""] {
            assert!(bad.parse::<Rid>().is_err(), "{bad}");
        }
        assert_eq!("container#01-db".parse::<Rid>().unwrap().to_string(), "container#01-db");
    }
}
