//! A mount that is held, and a mount that is seen: whether they are the same.

use std::path::Path;

use holding::{FileIdentity, MountHolding, MountIdentity, MountSight};
use kernel::block::{self, loopdev};
use kernel::mount::MountSignature;
use kernel::mount::mountinfo::MountInfo;

/// The file behind the device of that number, if it is a loop device.
pub(crate) fn backing_of(device: (u32, u32)) -> Option<FileIdentity> {
    const LOOP_MAJOR: u32 = 7;
    let path = (device.0 == LOOP_MAJOR).then(|| format!("/dev/loop{}", device.1))?;
    let found = loopdev::backing_of(Path::new(&path)).ok().flatten()?;
    Some(FileIdentity { device: found.device, inode: found.inode })
}

/// What identifies a mount from now on.
pub(crate) fn made_identity(mount: &MountInfo, signature: &MountSignature) -> MountIdentity {
    // A file system that may have several devices, as btrfs, shows an anonymous number, with the major 0: only its
    // source leads to the device.
    let below = (mount.device.0 == 0).then(|| block::number_of(&mount.source)).flatten();
    MountIdentity {
        id: mount.id,
        unique: signature.unique,
        device: mount.device,
        root: mount.root.to_string_lossy().into_owned(),
        superblock: signature.superblock.clone(),
        below,
        backing: backing_of(below.unwrap_or(mount.device)),
    }
}

/// Passes a line of the mount table to a comparison.
pub(crate) fn sees(mount: &MountInfo, compare: impl FnOnce(MountSight<'_>) -> bool) -> bool {
    sees_signed(mount, &MountSignature::default(), compare)
}

/// The same with what the line does not say.
pub(super) fn sees_signed<T>(
    mount: &MountInfo,
    signature: &MountSignature,
    compare: impl FnOnce(MountSight<'_>) -> T,
) -> T {
    let (root, target) = (mount.root.to_string_lossy(), mount.target.to_string_lossy());
    let source = kernel::block::canonical_source(&mount.source);
    let MountInfo { id, device, fstype, .. } = mount;
    let (unique, superblock) = (signature.unique, signature.superblock.as_deref());
    let (id, device) = (*id, *device);
    compare(MountSight { id, device, root: &root, target: &target, fstype, source: &source, unique, superblock })
}

/// What the line of the mount table does not say, of a mount with the numbers of the one that is held. A file system that may have to
/// ask for it is not asked.
pub(crate) fn signature_of(mount: &MountInfo, process: Option<u32>) -> MountSignature {
    match MountHolding::may_hang(&mount.fstype) {
        true => MountSignature::default(),
        false => MountSignature::of(mount, process),
    }
}

/// The mount in the table of this mount namespace, with what has changed of it since. None: it is not there.
pub(super) fn presence_here(mount: &MountHolding, mounts: &[MountInfo]) -> Option<Vec<(&'static str, String)>> {
    let found = this_mount(mount, mounts)?;
    let target = found.target.to_string_lossy().into_owned();
    let moved = (target != mount.target).then_some(("target-now", target));
    let read_only = found.options.iter().any(|option| option == "ro").then(|| ("read-only", "true".to_owned()));
    let root = found.root.to_string_lossy().into_owned();
    let renamed = mount.made.as_ref().filter(|made| made.root != root).map(|_| ("root-now", root));
    let options = Some(("options", found.options.join(",")));
    let hidden = hidden_by(found, mounts).map(|over| ("hidden-by", format!("{} {}", over.fstype, over.source)));
    Some(moved.into_iter().chain(read_only).chain(renamed).chain(options).chain(hidden).collect())
}

/// Whether the number of its loop device belongs to another file by now, and nothing else tells what uses the file system: the very
/// mount may be there all the same, as `LOOP_CHANGE_FD` of loop(4) changes the file below it.
pub(super) fn was_used_again(held: &MountHolding) -> bool {
    let made = held.made.as_ref().filter(|made| made.superblock.is_none());
    let made = made.and_then(|made| Some((made.claimed()?, made.backing?)));
    made.is_some_and(|(device, backing)| backing_of(device).is_some_and(|now| now != backing))
}

/// The mount that hides another one, because it is on top of it on the same directory.
fn hidden_by<'m>(found: &MountInfo, mounts: &'m [MountInfo]) -> Option<&'m MountInfo> {
    mounts.iter().find(|over| over.parent == found.id && over.target == found.target)
}

/// The mount that is held.
pub(super) fn this_mount<'m>(mount: &MountHolding, mounts: &'m [MountInfo]) -> Option<&'m MountInfo> {
    match &mount.made {
        // By the numbers first: almost every line of the table is another mount's.
        Some(made) => {
            let mut same = mounts.iter().filter(|seen| (seen.id, seen.device) == (made.id, made.device));
            same.find(|seen| {
                let signature = signature_of(seen, None);
                sees_signed(seen, &signature, |sight| mount.is(sight)) || shows_renamed(mount, made, seen, &signature)
            })
        }
        None => {
            let mut same = mounts.iter().filter(|seen| mount.may_be(seen.id, seen.device));
            same.find(|seen| sees_signed(seen, &signature_of(seen, None), |sight| mount.is(sight)))
        }
    }
}

/// Whether it is the mount of a directory that was renamed or removed since: a bind mount keeps to the directory and not to its name.
/// For kernels without a number that is never used again.
pub(super) fn shows_renamed(
    mount: &MountHolding,
    made: &MountIdentity,
    seen: &MountInfo,
    signature: &MountSignature,
) -> bool {
    let here = mount.fstype == "bind" && seen.target.to_string_lossy() == mount.target;
    here && made.unique.zip(signature.unique).is_none()
}
