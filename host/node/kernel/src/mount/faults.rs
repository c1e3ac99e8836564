//! The errors that file systems count.

use std::fs;
use std::path::Path;

use super::mountinfo::{self, MountInfo};
use crate::KernelError;
use crate::block::signature;

/// How many errors the topmost file system on `target` has counted. None if it counts none.
pub fn errors_of(target: &Path) -> Result<Option<u64>, KernelError> {
    let Some(mount) = mountinfo::mounts_at(target)?.pop() else { return Ok(None) };
    Ok(match mount.fstype.as_str() {
        "ext2" | "ext3" | "ext4" => of_ext4(&mount),
        "btrfs" => of_btrfs(&mount),
        _ => None,
    })
}

fn of_ext4(mount: &MountInfo) -> Option<u64> {
    let (major, minor) = mount.device;
    let device = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    let count = Path::new("/sys/fs/ext4").join(device.file_name()?).join("errors_count");
    fs::read_to_string(count).ok()?.trim().parse().ok()
}

/// Of all devices of the file system, all kinds of errors.
fn of_btrfs(mount: &MountInfo) -> Option<u64> {
    let uuid = signature::probe(Path::new(&mount.source)).ok()??.uuid;
    let devices = fs::read_dir(format!("/sys/fs/btrfs/{uuid}/devinfo")).ok()?.flatten();
    let counts = devices.filter_map(|device| fs::read_to_string(device.path().join("error_stats")).ok());
    // A line for each kind: `write_errs 0`.
    let errors = |stats: String| -> u64 {
        stats.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
    };
    Some(counts.map(errors).sum())
}
