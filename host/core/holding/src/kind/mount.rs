//! Mounts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{FileIdentity, known, number};

/// File systems whose mounts share one superblock with other mounts of the same server, so that its device number proves nothing.
const SHARED: [&str; 9] = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs", "afs", "glusterfs"];

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountHolding {
    /// What was mounted: for a device its name in the kernel.
    pub source: String,
    /// The mount point as the kernel writes it. Before the mount, as its driver wrote it.
    pub target: String,
    /// As in /proc/filesystems; `bind` for a bind mount.
    pub fstype: String,
    /// What is known of it before it is in the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<PreparedMount>,
    /// None before the mount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<MountIdentity>,
}

/// The identity of a mount that the kernel has made and no path leads to yet, in the kernel's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedMount {
    /// As in [`MountIdentity`].
    pub id: u64,
    /// As in [`MountIdentity`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
    /// As in [`MountIdentity`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superblock: Option<String>,
}

/// The identity of a mount, in the kernel's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountIdentity {
    /// The number in mountinfo, which is used again after an unmount.
    pub id: u64,
    /// The number that is never used again, see statx(2). Linux before 6.8 has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<u64>,
    /// The device number of the file system.
    pub device: (u32, u32),
    /// The directory of the file system that is mounted.
    pub root: String,
    /// What tells the file system from others, if its device number is one that the kernel has made up and gives to the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superblock: Option<String>,
    /// The block device below, if the device number of the file system is one that the kernel has made up, as for btrfs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<(u32, u32)>,
    /// The file behind the device, if that is a loop device: its number is used again for other files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing: Option<FileIdentity>,
}

/// A mount, as a line of mountinfo shows it.
#[derive(Debug, Clone, Copy)]
pub struct MountSight<'a> {
    pub id: u64,
    pub device: (u32, u32),
    pub root: &'a str,
    pub target: &'a str,
    pub fstype: &'a str,
    pub source: &'a str,
    /// As in [`MountIdentity`]. None if that is not known of it.
    pub unique: Option<u64>,
    pub superblock: Option<&'a str>,
}

impl MountHolding {
    pub(crate) fn attributes(&self) -> Vec<(&'static str, String)> {
        let made = self.made.as_ref();
        known([
            ("source", Some(self.source.clone())),
            ("target", Some(self.target.clone())),
            ("fstype", Some(self.fstype.clone())),
            ("root", made.map(|made| made.root.clone())),
            ("device", made.map(|made| format!("{}:{}", made.device.0, made.device.1))),
            ("mount-id", made.map(|made| number(made.id))),
        ])
    }

    /// The same mount, whatever was noted of its source.
    pub fn is_same(&self, other: &MountHolding) -> bool {
        match (&self.made, &other.made) {
            (Some(one), Some(other)) => {
                (one.id, one.unique, one.device, &one.root) == (other.id, other.unique, other.device, &other.root)
            }
            _ => self == other,
        }
    }

    /// Whether the mount that is seen in the mount namespace of this holding is the very one. Its mount point may have been moved or
    /// renamed, and so may the directory that it shows: the number that is never used again tells. Without one, a mount that got the
    /// other numbers again differs in device or root.
    pub fn is(&self, seen: MountSight<'_>) -> bool {
        match &self.made {
            // With both known nothing else counts: device and root are the same for another mount of the same
            // directory.
            Some(made) => match made.unique.zip(seen.unique) {
                Some((own, seen)) => own == seen,
                None => {
                    let numbers = (made.id, made.device, made.root.as_str()) == (seen.id, seen.device, seen.root);
                    let superblocks = made.superblock.as_deref().zip(seen.superblock);
                    numbers && superblocks.is_none_or(|(own, seen)| own == seen)
                }
            },
            None => self.is_prepared(seen),
        }
    }

    /// Whether the mount that is seen, in any mount namespace, still uses what is held: the same file system if that is the holding's
    /// own, or the same directory of it at the same place.
    pub fn is_used_by(&self, seen: MountSight<'_>) -> bool {
        match &self.made {
            // The kernel gives a number that it has made up to the next file system at once, so that it proves nothing alone.
            Some(made) if self.owns_filesystem() && made.device.0 == 0 => {
                let is_it = match (&made.superblock, seen.superblock) {
                    (Some(own), Some(seen)) => own == seen,
                    // Not known to be another one.
                    (Some(_), None) => true,
                    (None, _) if self.source.starts_with('/') => self.source == seen.source,
                    (None, _) => self.target == seen.target,
                };
                made.device == seen.device && self.fstype == seen.fstype && is_it
            }
            Some(made) if self.owns_filesystem() => made.device == seen.device,
            // A bind mount, or one of a server: the file system is used by others as well, so only this place of
            // it is the holding's.
            Some(made) => {
                (made.device, made.root.as_str(), self.target.as_str()) == (seen.device, seen.root, seen.target)
            }
            None => self.is_prepared(seen),
        }
    }

    /// Whether a mount with these numbers may be this one, or one of the same file system: then it is worth a closer look.
    pub fn may_be(&self, id: u64, device: (u32, u32)) -> bool {
        match &self.made {
            Some(made) => made.device == device,
            None => self.prepared.as_ref().is_some_and(|prepared| prepared.id == id),
        }
    }

    /// Whether no mount but this resource's has a reason to use the file system. A bind mount is of a file system that is mounted
    /// elsewhere anyway.
    pub fn owns_filesystem(&self) -> bool {
        self.fstype != "bind" && !SHARED.contains(&self.fstype.as_str())
    }

    /// Whether a look at the root of such a file system may wait for another program or another node.
    pub fn may_hang(fstype: &str) -> bool {
        SHARED.contains(&fstype) || fstype.starts_with("fuse")
    }

    /// Whether the mount that is seen is the very one that was only intended: another one on the same place is another program's. A
    /// record without an identity is of a mount that never was in the tree.
    fn is_prepared(&self, seen: MountSight<'_>) -> bool {
        let Some(prepared) = &self.prepared else { return false };
        match prepared.unique.zip(seen.unique) {
            Some((own, seen)) => own == seen,
            None => {
                let superblocks = prepared.superblock.as_deref().zip(seen.superblock);
                prepared.id == seen.id && superblocks.is_none_or(|(own, seen)| own == seen) && self.is_like(seen)
            }
        }
    }

    fn is_like(&self, seen: MountSight<'_>) -> bool {
        let same_type = self.fstype == "bind" || self.fstype == seen.fstype;
        // mountinfo has for a bind the source of the file system that it shows, see proc_pid_mountinfo(5). What is
        // not a path may be written in another way there, such as an NFS server by its address.
        let same_source = self.fstype == "bind" || !self.source.starts_with('/') || self.source == seen.source;
        self.target == seen.target && same_type && same_source
    }
}

impl MountIdentity {
    /// The block device that the kernel keeps for the file system alone, as long as anything uses it. None: it has none, such as a
    /// tmpfs.
    pub fn claimed(&self) -> Option<(u32, u32)> {
        if self.device.0 == 0 { self.below } else { Some(self.device) }
    }
}

impl fmt::Display for MountHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MountHolding { fstype, source, target, .. } = self;
        match fstype == source || source == "none" {
            true => write!(f, "{fstype} on {target}"),
            false => write!(f, "{fstype} of {source} on {target}"),
        }
    }
}
