//! `fs.btrfs`: a Btrfs file system on a block device, or a subvolume of one.
//!
//! Up: the device (and the subvolume) is mounted on `mnt` and answers. Down: it is not mounted. Provision creates the file system
//! on an empty device; a device with other content is never overwritten. Subvolumes are not created. See btrfs(5),
//! mkfs.btrfs(8).

use hostler_family_filesystem::{FilesystemKind, VolumeFilesystem, VolumeKeywords, VolumeResource, filesystem_driver};
use hostler_sdk::prelude::*;

const BTRFS: FilesystemKind = FilesystemKind {
    fstype: "btrfs",
    signatures: &["btrfs"],
    several: true,
    label: 255,
    mkfs: &["/sbin/mkfs.btrfs", "-q"],
    // --rootdir is excluded, because it reads files.
    mkfs_caps: "",
    mkfs_options: &["-L", "-d", "-m", "-n", "-s", "-O", "-U"],
    fsck: None,
};

/// A Btrfs file system on a block device, or a subvolume of one.
#[derive(Keywords)]
struct BtrfsFilesystem {
    /// The device and the mount point.
    #[keyword(flatten)]
    volume: VolumeKeywords,
    /// The subvolume to mount, by its path in the file system. The default is the default subvolume of the file system.
    #[keyword(example = "data/web")]
    subvol: Option<String>,
}

filesystem_driver!(
    BtrfsFilesystem,
    "fs.btrfs",
    &[
        "mount = btrfs {kw:dev} on {kw:mnt}",
        "files.write = {kw:mnt}",
        "block.read = {kw:dev}",
        "block.read = {kw:mkfs_dev}",
        "exec = /sbin/mkfs.btrfs -q [-L *] [-d *] [-m *] [-n *] [-s *] [-O *] [-U *] -- {kw:dev}",
        "exec = /sbin/mkfs.btrfs -q [-L *] [-d *] [-m *] [-n *] [-s *] [-O *] [-U *] -- {kw:mkfs_dev}",
    ]
);

impl VolumeResource for BtrfsFilesystem {
    const KIND: &FilesystemKind = &BTRFS;

    fn volume(&self) -> &VolumeKeywords {
        &self.volume
    }

    fn on_volume(&self) -> VolumeFilesystem<'_> {
        let mut options = self.volume.at.options();
        // The subvolume comes last, so that the keyword wins over an option of mnt_opt.
        options.extend(self.subvol.iter().map(|path| format!("subvol={path}")));
        // The path is inside the file system. Without its leading slash, the host does not mistake it for a path of the node.
        let options = options.into_iter().map(|option| match option.split_once("subvol=/") {
            Some(("", path)) if !path.is_empty() => format!("subvol={path}"),
            _ => option,
        });
        self.volume.of(Self::KIND).options(options.collect())
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Host, MIB, given};

    use super::*;

    #[test]
    fn the_grant_is_that_of_the_command() {
        for line in BTRFS.mkfs_grants() {
            assert!(BtrfsFilesystem::GRANTS.contains(&line.as_str()), "{line}");
        }
    }

    #[test]
    fn the_subvolume_becomes_an_option_without_its_slash() {
        let cases = [
            (None, None, "rw"),
            (Some("data"), None, "subvol=data"),
            (Some("/data/web"), Some("noatime"), "noatime,subvol=data/web"),
            (None, Some("subvol=/data,noatime"), "subvol=data,noatime"),
        ];
        for (subvol, mnt_opt, options) in cases {
            let host = Host::new().device("/dev/sdb", 512 * MIB).signature("/dev/sdb", "btrfs");
            let mut volume = VolumeKeywords::fake("/dev/sdb", "/srv/data");
            volume.at.mnt_opt = mnt_opt.map(str::to_owned);
            let fs = BtrfsFilesystem { volume, subvol: subvol.map(str::to_owned) };
            given(fs).on(&host).start().is_changed("mounted btrfs /dev/sdb@/srv/data").status().is(State::Up);
            assert_eq!(host.mounts(), [format!("btrfs /dev/sdb /srv/data {options}")]);
        }
    }
}
