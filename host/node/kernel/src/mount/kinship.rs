//! File systems that the kernel knows by their UUID, so that other devices decide whether one can be mounted: a btrfs of
//! several devices needs all of them, and an XFS cannot be mounted beside a copy of itself.

use std::fs;
use std::path::Path;

use super::{btrfs_ioctl, mountinfo};
use crate::block::content::with_uuid;
use crate::block::signature::{self, DeviceSignature, PoolMember};
use crate::block::{DeviceFilter, DeviceInfo, number_of};

/// Makes the other devices of a btrfs known to the kernel, of those that may be found. udev does that where it runs. Returns what is missing.
pub(super) fn gather(device: &DeviceInfo, may_find: DeviceFilter<'_>) -> Option<String> {
    let own = signature::probe(&device.path).ok()??;
    let PoolMember { id, of } = own.member.clone()?;
    if of < 2 {
        return None;
    }
    let mut others: Vec<(PoolMember, &Path)> = Vec::new();
    let shown = with_uuid(&own.uuid, may_find).unwrap_or_default();
    for (path, found) in &shown {
        let Some(member) = found.member.clone() else { continue };
        // Not a copy of this device, nor a second one of another: the kernel would take the copy in place of the original.
        if member.id != id && !others.iter().any(|(known, _)| known.id == member.id) {
            others.push((member, path));
        }
    }
    // Without the module of btrfs there is no such file yet. The mount then loads it, and finds one device alone.
    for (_, path) in &others {
        let _ = btrfs_ioctl::scan(path);
    }
    let present = others.len() as u64 + 1;
    (present < of).then(|| {
        let paths: Vec<String> = others.iter().map(|(_, path)| path.display().to_string()).collect();
        let with = if paths.is_empty() { String::new() } else { format!(" (with {})", paths.join(", ")) };
        format!("it is one of {of} devices of a btrfs, and only {present} of them are here{with}")
    })
}

/// Names the XFS with the same UUID that is mounted already, if that is why a mount failed.
pub(super) fn twin(device: &DeviceInfo) -> Option<String> {
    let own = signature::probe(&device.path).ok()??;
    let is_twin = |found: &DeviceSignature| found.kind == "xfs" && found.uuid == own.uuid;
    let mounts = mountinfo::read().ok()?.into_iter();
    let twin = mounts.filter(|mount| mount.fstype == "xfs" && mount.device != device.number).find(|mount| {
        signature::probe(Path::new(&mount.source)).is_ok_and(|found| found.as_ref().is_some_and(is_twin))
    })?;
    Some(format!(
        "it has the UUID of {}, which is mounted on {}: one is a copy of the other. Mount the copy with the option nouuid, or \
         give it a UUID of its own (xfs_admin -U generate {})",
        twin.source,
        twin.target.display(),
        device.path.display()
    ))
}

/// The mounted btrfs, each a directory with the name of its UUID, with the devices that it has now: they may be others than when it was
/// mounted, see btrfs-replace(8).
const MOUNTED_BTRFS: &str = "/sys/fs/btrfs";

/// The UUID of the mounted btrfs that this device belongs to.
pub(super) fn mounted_uuid(source: &str) -> Option<String> {
    let (major, minor) = number_of(source)?;
    // By its name in the kernel, whatever link the source is.
    let device = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    let name = device.file_name()?;
    let mounted = fs::read_dir(MOUNTED_BTRFS).ok()?.flatten();
    let found = mounted.map(|entry| entry.path()).find(|path| path.join("devices").join(name).exists())?;
    Some(found.file_name()?.to_str()?.to_owned())
}

/// Whether the btrfs with this UUID is in use: mounted in any namespace, or unmounted lazily while programs work in it.
pub fn is_btrfs_in_use(uuid: &str) -> bool {
    !uuid.is_empty() && Path::new(MOUNTED_BTRFS).join(uuid).join("devices").exists()
}
