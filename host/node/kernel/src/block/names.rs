//! All names of a device: what a policy denies by one of them, it denies by every other.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

/// How deep below `/dev` names are looked for: udev's own are at most three directories down (`/dev/disk/by-id/x`).
const DEPTH: usize = 4;

/// The names below `/dev` that lead to the block device of this number: its nodes and the links to them.
pub fn names_of(number: (u32, u32)) -> Vec<PathBuf> {
    names_of_node(DeviceNumber { is_block: true, number })
}

/// The number of a device. Block devices and character devices have tables of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceNumber {
    pub is_block: bool,
    pub number: (u32, u32),
}

impl DeviceNumber {
    /// None if the file is not a device.
    pub(crate) fn of(found: &fs::Metadata) -> Option<DeviceNumber> {
        let kind = found.file_type();
        let number = (major(found.rdev()), minor(found.rdev()));
        (kind.is_block_device() || kind.is_char_device())
            .then(|| DeviceNumber { is_block: kind.is_block_device(), number })
    }

    /// The node that the kernel itself would make for it. None if the kernel does not know the number.
    pub(crate) fn node(self) -> Option<PathBuf> {
        let DeviceNumber { is_block, number: (major, minor) } = self;
        let table = if is_block { "block" } else { "char" };
        let facts = fs::read_to_string(format!("/sys/dev/{table}/{major}:{minor}/uevent")).ok()?;
        facts.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(|name| Path::new("/dev").join(name))
    }
}

/// The names below `/dev` that lead to the device.
pub fn names_of_node(device: DeviceNumber) -> Vec<PathBuf> {
    let mut names = Vec::new();
    collect(Path::new("/dev"), DEPTH, device, &mut names);
    names
}

fn collect(directory: &Path, depth: usize, device: DeviceNumber, names: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth > 1 {
                collect(&entry.path(), depth - 1, device, names);
            }
        } else if (kind.is_symlink() || kind.is_block_device() || kind.is_char_device()) && is(&entry.path(), device) {
            names.push(entry.path());
        }
    }
}

fn is(path: &Path, device: DeviceNumber) -> bool {
    fs::metadata(path).is_ok_and(|found| DeviceNumber::of(&found) == Some(device))
}

/// The number of the loop device that this device is, or that it is a partition of. None for any other device.
pub fn loop_number(number: (u32, u32)) -> Option<u32> {
    // .../devices/virtual/block/loop3/loop3p1
    let place = fs::read_link(format!("/sys/dev/block/{}:{}", number.0, number.1)).ok()?;
    let mut parts = place.iter().filter_map(|part| part.to_str()).skip_while(|part| *part != "block").skip(1);
    parts.next()?.strip_prefix("loop")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_its_node_among_its_names_and_a_loop_device_its_number() {
        let Some(entry) = fs::read_dir("/sys/block").into_iter().flatten().flatten().next() else { return };
        let text = fs::read_to_string(entry.path().join("dev")).unwrap();
        let (major, minor) = text.trim().split_once(':').unwrap();
        let number = (major.parse().unwrap(), minor.parse().unwrap());
        let node = Path::new("/dev").join(entry.file_name());
        if node.exists() {
            assert!(names_of(number).contains(&node), "{node:?}: {:?}", names_of(number));
        }
        let name = entry.file_name().into_string().unwrap();
        assert_eq!(loop_number(number), name.strip_prefix("loop").and_then(|number| number.parse().ok()));
        assert_eq!(loop_number((4095, 1)), None);
        assert_eq!(DeviceNumber { is_block: true, number }.node(), Some(node));
    }

    #[test]
    fn a_character_device_is_no_block_device_of_the_same_number() {
        let null = DeviceNumber { is_block: false, number: (1, 3) };
        assert!(names_of_node(null).contains(&"/dev/null".into()));
        assert!(!names_of((1, 3)).contains(&"/dev/null".into()));
        assert_eq!(null.node(), Some("/dev/null".into()));
    }
}
