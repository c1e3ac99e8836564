//! All names of a device: what a policy denies by one of them, it denies by every other.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{major, minor};

/// How deep below `/dev` names are looked for: udev's own are at most three directories down (`/dev/disk/by-id/x`).
const DEPTH: usize = 4;

/// The names below `/dev` that lead to the block device of this number: its nodes and the links to them.
pub fn names_of(number: (u32, u32)) -> Vec<PathBuf> {
    let mut names = Vec::new();
    collect(Path::new("/dev"), DEPTH, number, &mut names);
    names
}

fn collect(directory: &Path, depth: usize, number: (u32, u32), names: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth > 1 {
                collect(&entry.path(), depth - 1, number, names);
            }
        } else if (kind.is_symlink() || kind.is_block_device()) && is(&entry.path(), number) {
            names.push(entry.path());
        }
    }
}

fn is(path: &Path, number: (u32, u32)) -> bool {
    fs::metadata(path)
        .is_ok_and(|found| found.file_type().is_block_device() && (major(found.rdev()), minor(found.rdev())) == number)
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
    }
}
