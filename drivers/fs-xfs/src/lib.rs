//! `fs.xfs`: an XFS file system on a block device.
//!
//! Up: the device is mounted on `mnt` and answers. Down: it is not mounted. XFS repairs itself during the mount, so there is no
//! check before. Provision creates it on an empty device; a device with other content is never overwritten. See xfs(5),
//! mkfs.xfs(8).

use hostler_family_filesystem::{FilesystemKind, VolumeKeywords, VolumeResource, filesystem_driver};
use hostler_sdk::prelude::*;

const XFS: FilesystemKind = FilesystemKind {
    fstype: "xfs",
    signatures: &["xfs"],
    several: false,
    label: 12,
    mkfs: &["/sbin/mkfs.xfs", "-q"],
    // -p and -c are excluded, because they read files, and -d, -l and -r, because they name other devices.
    mkfs_caps: "cap_sys_admin",
    mkfs_options: &["-L", "-b", "-i", "-m", "-n", "-s"],
    fsck: None,
};

/// An XFS file system on a block device.
#[derive(Keywords)]
struct XfsFilesystem {
    /// The device and the mount point.
    #[keyword(flatten)]
    volume: VolumeKeywords,
}

filesystem_driver!(
    XfsFilesystem,
    "fs.xfs",
    &[
        "mount = xfs {kw:dev} on {kw:mnt}",
        "files.write = {kw:mnt}",
        "block.read = {kw:dev}",
        "block.read = {kw:mkfs_dev}",
        // mkfs.xfs needs the capability to set the block size of the device, see BLKBSZSET in linux/fs.h.
        "exec(caps=cap_sys_admin) = /sbin/mkfs.xfs -q [-L *] [-b *] [-i *] [-m *] [-n *] [-s *] -- {kw:dev}",
        "exec(caps=cap_sys_admin) = /sbin/mkfs.xfs -q [-L *] [-b *] [-i *] [-m *] [-n *] [-s *] -- {kw:mkfs_dev}",
    ]
);

impl VolumeResource for XfsFilesystem {
    const KIND: &FilesystemKind = &XFS;

    fn volume(&self) -> &VolumeKeywords {
        &self.volume
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, MIB, given};

    use super::*;

    fn fs(host: &Host) -> Case<XfsFilesystem> {
        given(XfsFilesystem { volume: VolumeKeywords::fake("/dev/vg/data", "/srv/data") }).on(host)
    }

    fn formatted() -> Host {
        Host::new().device("/dev/vg/data", 512 * MIB).signature("/dev/vg/data", "xfs")
    }

    #[test]
    fn the_grant_is_that_of_the_command() {
        for line in XFS.mkfs_grants() {
            assert!(XfsFilesystem::GRANTS.contains(&line.as_str()), "{line}");
        }
    }

    #[test]
    fn it_mounts_without_a_check_and_unmounts() {
        let host = formatted();
        fs(&host)
            .start()
            .is_changed("mounted xfs /dev/vg/data@/srv/data")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("unmounted xfs /dev/vg/data@/srv/data")
            .status()
            .is(State::Down)
            .is_provisioned(true);
        assert!(!host.calls().iter().any(|call| call.starts_with("process.run")));
    }

    #[test]
    fn a_kernel_without_xfs_is_named() {
        fs(&formatted().without_filesystem("xfs")).start().fails_with("does not support the file system xfs");
    }

    #[test]
    fn provision_never_forces() {
        let host = Host::new().device("/dev/vg/data", 512 * MIB).program("/sbin/mkfs.xfs", 0, "");
        fs(&host).provision().is_changed("made xfs on /dev/vg/data");
        assert!(host.calls().iter().any(|call| call == "process.run /sbin/mkfs.xfs -q -- /dev/vg/data"));
    }
}
