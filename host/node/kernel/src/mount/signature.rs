//! What tells a mount, and the file system in it, from others that were given the same numbers: the kernel uses them again at once.
//!
//! | what | tells apart | since |
//! |---|---|---|
//! | the unique number of statx(2) | mounts, those of one file system too | Linux 6.8 |
//! | the f_fsid of a tmpfs, drawn at random for each | file systems | Linux 5.13 |
//! | the layers of an overlay | file systems | always |
//! | the UUID of a btrfs, by the device that the table names | file systems | always |

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, StatxFlags, fstatvfs, openat2, statx};
use rustix::io::Errno;

use super::kinship::mounted_uuid;
use super::mountinfo::MountInfo;

/// STATX_MNT_ID_UNIQUE, which rustix does not name yet.
pub(super) const MNT_ID_UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// A walk that another mount or a rename disturbs says that the path is not in memory. The next one finds it.
const TRIES: usize = 16;

/// What is known of a mount and its file system beyond their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MountSignature {
    /// The number of the mount that is never used again.
    pub unique: Option<u64>,
    /// A text that no other file system with the same made-up device number has.
    pub superblock: Option<String>,
}

impl MountSignature {
    /// Of a mount that is listed, as the process sees it, or this one. What another mount covers, or a server would have to be asked
    /// for, is not known.
    pub fn of(mount: &MountInfo, process: Option<u32>) -> MountSignature {
        let opened = open(mount, process);
        let read = opened.map(|opened| MountSignature::of_opened(&opened, mount));
        read.unwrap_or_else(|| MountSignature { unique: None, superblock: listed_superblock(mount) })
    }

    /// Of a mount whose root is open.
    pub(super) fn of_opened(root: impl AsFd, mount: &MountInfo) -> MountSignature {
        let signature = MountSignature::of_detached(root, &mount.fstype);
        MountSignature { superblock: signature.superblock.or_else(|| listed_superblock(mount)), ..signature }
    }

    /// Of a mount whose root is open and which is not listed yet.
    pub(super) fn of_detached(root: impl AsFd, fstype: &str) -> MountSignature {
        let root = root.as_fd();
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let stat = statx(root, "", flags, MNT_ID_UNIQUE).ok();
        let unique = stat.filter(|stat| stat.stx_mask & MNT_ID_UNIQUE.bits() != 0).map(|stat| stat.stx_mnt_id);
        let drawn = || fstatvfs(root).ok().map(|stat| stat.f_fsid).filter(|&id| id != 0);
        let superblock = (fstype == "tmpfs").then(drawn).flatten().map(|id| format!("{id:016x}"));
        MountSignature { unique, superblock }
    }
}

/// What the line of the mount table says of the file system.
fn listed_superblock(mount: &MountInfo) -> Option<String> {
    match mount.fstype.as_str() {
        "btrfs" => mounted_uuid(&mount.source),
        _ => layers(mount),
    }
}

/// The layers of an overlay: two that share them would destroy each other's files, so no two are there at once.
fn layers(mount: &MountInfo) -> Option<String> {
    let is_layer = |option: &&String| ["lowerdir", "upperdir", "workdir"].iter().any(|name| option.starts_with(name));
    let layers = || mount.options.iter().filter(is_layer).map(String::as_str).collect::<Vec<_>>().join(",");
    (mount.fstype == "overlay").then(layers)
}

/// The root of the very mount, if all of its path is in memory: then no server can keep this waiting.
fn open(mount: &MountInfo, process: Option<u32>) -> Option<OwnedFd> {
    let top = match process {
        None => File::open("/").ok()?,
        Some(pid) => File::open(format!("/proc/{pid}/root")).ok()?,
    };
    // Relative to the root, as that is another process's.
    let path = mount.target.strip_prefix("/").ok().filter(|path| !path.as_os_str().is_empty());
    let path = path.unwrap_or(Path::new("."));
    let here = ResolveFlags::CACHED | ResolveFlags::NO_SYMLINKS;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let walk = || openat2(&top, path, flags, Mode::empty(), here);
    let opened = (0..TRIES).map(|_| walk()).find(|walked| !matches!(walked, Err(Errno::AGAIN)))?.ok()?;
    let stat = statx(&opened, "", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, StatxFlags::MNT_ID).ok()?;
    // Otherwise another one covers it.
    (stat.stx_mnt_id == mount.id).then_some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount::mountinfo;

    #[test]
    fn a_mount_is_signed_and_one_that_is_covered_or_gone_is_not() {
        let listed = mountinfo::read().unwrap();
        let proc = listed.iter().rfind(|mount| mount.target == Path::new("/proc")).unwrap();
        let own = MountSignature::of(proc, None);
        assert_eq!(own.superblock, None);
        assert_eq!(own, MountSignature::of(proc, Some(std::process::id())));
        let gone = MountInfo { id: u64::MAX, ..proc.clone() };
        assert_eq!(MountSignature::of(&gone, None), MountSignature::default());
    }

    #[test]
    fn an_overlay_is_known_by_its_layers() {
        let line = "40 28 0:50 / /m rw shared:1 - overlay overlay rw,lowerdir=/a:/b,upperdir=/u,workdir=/w,uuid=on";
        let mount = mountinfo::parse_line(line.as_bytes()).unwrap();
        assert_eq!(layers(&mount).as_deref(), Some("lowerdir=/a:/b,upperdir=/u,workdir=/w"));
    }
}
