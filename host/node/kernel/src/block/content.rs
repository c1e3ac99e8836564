//! Finding a device by what is on it: a label or a UUID.
//!
//! The answer is one device or an error. Two disks with one label are a clone, and mounting now this one and now that one loses
//! data. Several devices show the same content for good reasons, and these are told apart:
//!
//! - a device with another one on top of it (a leg of a mirror, a path of a multipath disk, the origin below a snapshot) is not
//!   the one to mount, the one on top is;
//! - a snapshot stands on all that its origin stands on, and on a device of its own: the origin is meant;
//! - the devices of one btrfs have one UUID, but each has a number of its own: any of them mounts the whole.
//!
//! Who writes a label on a device of its own must not be able to draw another object to it. So the caller says which devices its search
//! may find, and the rest of them might as well not exist.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::device::{DeviceSpec, shown};
use super::signature::{self, DeviceSignature};
use crate::KernelError;

/// What a device is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentName<'a> {
    Label(&'a str),
    Uuid(&'a str),
}

/// Whether a search by content may find the device of this number, or a device that stands on it.
pub type DeviceFilter<'a> = &'a dyn Fn((u32, u32)) -> bool;

/// A search that may find every device.
pub fn any_device(_: (u32, u32)) -> bool {
    true
}

/// A device with the content that was asked for.
#[derive(Debug, Clone)]
struct FoundDevice {
    /// The name in /sys/class/block.
    name: OsString,
    path: PathBuf,
    signature: DeviceSignature,
}

/// Finds the one device with this content. None if there is none; [`KernelError::Invalid`] names all if there are several.
pub(super) fn find(wanted: ContentName<'_>, may_find: DeviceFilter<'_>) -> Result<Option<PathBuf>, KernelError> {
    one(wanted, search(wanted, may_find)?)
}

/// All devices with the content that a word names, as `LABEL=x`: a program that is given the word takes one of them.
pub fn with_content(word: &str) -> Result<Vec<PathBuf>, KernelError> {
    let wanted = match DeviceSpec::parse(word) {
        DeviceSpec::Path(_) => return Ok(Vec::new()),
        DeviceSpec::Label(label) => ContentName::Label(label),
        DeviceSpec::Uuid(uuid) => ContentName::Uuid(uuid),
    };
    Ok(search(wanted, &any_device)?.into_iter().map(|found| found.path).collect())
}

fn search(wanted: ContentName<'_>, may_find: DeviceFilter<'_>) -> Result<Vec<FoundDevice>, KernelError> {
    if wanted.value().is_empty() {
        return Err(KernelError::Invalid("an empty label or UUID names no device".to_owned()));
    }
    let (likely, rest): (Vec<_>, Vec<_>) = all()?.into_iter().partition(|name| wanted.may_be(name));
    let read = |names: &[OsString]| -> Vec<FoundDevice> {
        read(names, wanted).into_iter().filter(|found| is_findable(&found.name, may_find)).collect()
    };
    let found = read(&likely);
    // udev runs late: a device that was formatted a moment ago has its old content there.
    Ok(if found.is_empty() { read(&rest) } else { found })
}

/// Whether the search may find the device and all that it stands on.
fn is_findable(name: &OsString, may_find: DeviceFilter<'_>) -> bool {
    let number = fs::read_to_string(Path::new("/sys/class/block").join(name).join("dev")).unwrap_or_default();
    let number = number.trim().split_once(':').map(|(major, minor)| (major.parse().ok(), minor.parse().ok()));
    let Some((Some(major), Some(minor))) = number else { return false };
    may_find((major, minor)) && beside(name, "slaves").iter().all(|below| is_findable(below, may_find))
}

/// The devices with this UUID that may be found, with what is on them.
pub(crate) fn with_uuid(
    uuid: &str,
    may_find: DeviceFilter<'_>,
) -> Result<Vec<(PathBuf, DeviceSignature)>, KernelError> {
    let mut found = read(&all()?, ContentName::Uuid(uuid));
    found.retain(|found| is_findable(&found.name, may_find));
    Ok(found.into_iter().map(|found| (found.path, found.signature)).collect())
}

fn read(names: &[OsString], wanted: ContentName<'_>) -> Vec<FoundDevice> {
    let look = |name: &OsString| {
        let path = device_path(name);
        let signature = signature::probe(&path).ok().flatten().filter(|found| wanted.is(found))?;
        Some(FoundDevice { name: name.clone(), path, signature })
    };
    names.iter().filter_map(look).collect()
}

fn one(wanted: ContentName<'_>, mut found: Vec<FoundDevice>) -> Result<Option<PathBuf>, KernelError> {
    found.retain(|device| beside(&device.name, "holders").is_empty());
    let below: Vec<BTreeSet<OsString>> = found.iter().map(|device| beside(&device.name, "slaves")).collect();
    let is_derived = |at: usize| below.iter().any(|other| !other.is_empty() && is_proper_subset(other, &below[at]));
    let mut at = 0..found.len();
    found.retain(|_| !at.next().is_some_and(is_derived));
    match found.as_slice() {
        [] => Ok(None),
        [first, others @ ..] if others.is_empty() || are_one_pool(&found) => Ok(Some(first.path.clone())),
        several => {
            let paths: Vec<String> = several.iter().map(|device| device.path.display().to_string()).collect();
            Err(KernelError::Invalid(format!(
                "{wanted} is on {} devices: {}. One of them may be a copy: give the path of the right one, or change the \
                 {} of the other",
                paths.len(),
                paths.join(", "),
                wanted.noun(),
            )))
        }
    }
}

/// Whether the devices are those of one btrfs: one UUID, and each a member of its own.
fn are_one_pool(devices: &[FoundDevice]) -> bool {
    let members = devices.iter().filter_map(|device| Some(&device.signature.member.as_ref()?.id));
    let pools: BTreeSet<&str> = devices.iter().map(|device| device.signature.uuid.as_str()).collect();
    pools.len() == 1 && members.collect::<BTreeSet<_>>().len() == devices.len()
}

fn is_proper_subset(one: &BTreeSet<OsString>, other: &BTreeSet<OsString>) -> bool {
    one.len() < other.len() && one.is_subset(other)
}

/// The devices that sysfs lists as `holders` or `slaves` of a device.
fn beside(name: &OsString, relation: &str) -> BTreeSet<OsString> {
    let listed = fs::read_dir(Path::new("/sys/class/block").join(name).join(relation));
    listed.into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
}

/// The names in sysfs of all disks and partitions that have a size: a loop device without a file has none.
fn all() -> Result<Vec<OsString>, KernelError> {
    let listing = |source: std::io::Error| crate::files::io_error("list /sys/class/block".to_owned(), &source);
    let mut names = Vec::new();
    for entry in fs::read_dir("/sys/class/block").map_err(listing)? {
        let entry = entry.map_err(listing)?;
        let size = fs::read_to_string(entry.path().join("size")).unwrap_or_default();
        if size.trim() != "0" {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

fn device_path(name: &OsString) -> PathBuf {
    // sysfs cannot have a `/` in a name, and writes `!` instead: cciss!c0d0 is /dev/cciss/c0d0.
    shown(&Path::new("/dev").join(name.to_string_lossy().replace('!', "/")))
}

impl ContentName<'_> {
    fn value(&self) -> &str {
        match self {
            ContentName::Label(value) | ContentName::Uuid(value) => value,
        }
    }

    fn noun(&self) -> &'static str {
        match self {
            ContentName::Label(_) => "label",
            ContentName::Uuid(_) => "UUID",
        }
    }

    fn is(&self, found: &DeviceSignature) -> bool {
        match self {
            ContentName::Label(label) => found.label == *label,
            ContentName::Uuid(uuid) => found.uuid.eq_ignore_ascii_case(uuid),
        }
    }

    /// Whether the device is worth a read: udev says that it has the content, or has said nothing about it. Reading hundreds of
    /// disks takes seconds, reading udev's notes takes no time.
    fn may_be(&self, name: &OsString) -> bool {
        let number = fs::read_to_string(Path::new("/sys/class/block").join(name).join("dev")).unwrap_or_default();
        let Ok(notes) = fs::read_to_string(format!("/run/udev/data/b{}", number.trim())) else { return true };
        let key = match self {
            ContentName::Label(_) => "E:ID_FS_LABEL_ENC=",
            ContentName::Uuid(_) => "E:ID_FS_UUID_ENC=",
        };
        let wanted = udev_escape(self.value());
        notes.lines().filter_map(|line| line.strip_prefix(key)).any(|noted| noted.eq_ignore_ascii_case(&wanted))
    }
}

impl std::fmt::Display for ContentName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ContentName::Label(label) => write!(f, "LABEL={label}"),
            ContentName::Uuid(uuid) => write!(f, "UUID={uuid}"),
        }
    }
}

/// Escapes a label as udev does for its notes and links: a space becomes `\x20`.
fn udev_escape(value: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "#+-.:=@_".contains(letter) || !letter.is_ascii();
    value
        .chars()
        .map(|letter| if plain(letter) { letter.to_string() } else { format!("\\x{:02x}", letter as u32) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::signature::PoolMember;

    #[test]
    fn labels_are_escaped_as_udev_does() {
        for (label, escaped) in [("data", "data"), ("my disk", "my\\x20disk"), ("a/b", "a\\x2fb"), ("é_1", "é_1")] {
            assert_eq!(udev_escape(label), escaped);
        }
    }

    fn found(name: &str, member: Option<&str>) -> FoundDevice {
        let signature = DeviceSignature {
            kind: "btrfs".to_owned(),
            label: "web".to_owned(),
            uuid: String::new(),
            member: member.map(|id| PoolMember { id: id.to_owned(), of: 2 }),
        };
        FoundDevice { name: name.into(), path: Path::new("/dev").join(name), signature }
    }

    #[test]
    fn one_device_is_found_and_several_are_an_error_unless_they_are_one_pool() {
        let check = |devices: &[(&str, Option<&str>)], expected: Result<Option<&str>, &str>| {
            let devices = devices.iter().map(|(name, member)| found(name, *member)).collect();
            match (one(ContentName::Label("web"), devices), expected) {
                (Ok(path), Ok(expected)) => assert_eq!(path.as_deref(), expected.map(Path::new)),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (one, expected) => panic!("expected {expected:?}, found {one:?}"),
            }
        };
        check(&[], Ok(None));
        check(&[("no1", None)], Ok(Some("/dev/no1")));
        check(&[("no1", None), ("no2", None)], Err("LABEL=web is on 2 devices: /dev/no1, /dev/no2."));
        check(&[("no1", Some("a")), ("no2", Some("b"))], Ok(Some("/dev/no1")));
        check(&[("no1", Some("a")), ("no2", Some("b")), ("no3", Some("b"))], Err("/dev/no1, /dev/no2, /dev/no3"));
    }
}
