//! `fs.ext4`: an ext4 file system on a block device. Like the kernel's ext4, it also mounts ext2 and ext3.
//!
//! Up: the device is mounted on `mnt` and answers. Down: it is not mounted. Start repairs it with e2fsck(8) and mounts it.
//! Provision creates it on an empty device; a device with other content is never overwritten. See ext4(5), mkfs.ext4(8).

use hostler_family_filesystem::{CheckProgram, FilesystemKind, VolumeKeywords, VolumeResource, filesystem_driver};
use hostler_sdk::prelude::*;

const EXT4: FilesystemKind = FilesystemKind {
    fstype: "ext4",
    signatures: &["ext4", "ext3", "ext2"],
    several: false,
    label: 16,
    mkfs: &["/sbin/mkfs.ext4", "-q", "-F"],
    // -d is excluded, because it reads files, and -J, because it names another device.
    mkfs_caps: "",
    mkfs_options: &["-L", "-m", "-b", "-i", "-I", "-N", "-O", "-E", "-T", "-U"],
    // 1 means that errors were corrected. 2 would require a reboot.
    fsck: Some(CheckProgram { command: &["/sbin/e2fsck", "-p"], mountable: &[0, 1] }),
};

/// An ext4 file system on a block device.
///
/// Before each mount it is checked with `e2fsck -p`, which does nothing if the file system is clean. Errors that it cannot
/// repair by itself fail the start.
#[derive(Keywords)]
struct Ext4Filesystem {
    /// The device and the mount point.
    #[keyword(flatten)]
    volume: VolumeKeywords,
}

filesystem_driver!(
    Ext4Filesystem,
    "fs.ext4",
    &[
        "mount = ext4 {kw:dev} on {kw:mnt}",
        "files.write = {kw:mnt}",
        "block.read = {kw:dev}",
        "block.read = {kw:mkfs_dev}",
        "exec = /sbin/e2fsck -p -- {kw:dev}",
        "exec = /sbin/mkfs.ext4 -q -F [-L *] [-m *] [-b *] [-i *] [-I *] [-N *] [-O *] [-E *] [-T *] [-U *] -- {kw:dev}",
        "exec = /sbin/mkfs.ext4 -q -F [-L *] [-m *] [-b *] [-i *] [-I *] [-N *] [-O *] [-E *] [-T *] [-U *] -- {kw:mkfs_dev}",
    ]
);

impl VolumeResource for Ext4Filesystem {
    const KIND: &FilesystemKind = &EXT4;

    fn volume(&self) -> &VolumeKeywords {
        &self.volume
    }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::{Case, Host, MIB, given};

    use super::*;

    const E2FSCK: &str = "/sbin/e2fsck";

    fn fs(host: &Host) -> Case<Ext4Filesystem> {
        given(Ext4Filesystem { volume: VolumeKeywords::fake("/dev/loop0", "/srv/web") }).on(host)
    }

    /// An empty device, and the programs.
    fn empty() -> Host {
        let host = Host::new().device("/dev/loop0", 64 * MIB).program(E2FSCK, 0, "");
        host.program_with("/sbin/mkfs.ext4", |run| {
            run.host.set_signature("/dev/loop0", "ext4");
            hostler_sdk::process::Output { status: 0, stdout: Vec::new(), stderr: Vec::new(), truncated: false }
        })
    }

    fn formatted() -> Host {
        empty().signature("/dev/loop0", "ext4")
    }

    #[test]
    fn the_grants_are_those_of_the_commands() {
        for line in EXT4.mkfs_grants() {
            assert!(Ext4Filesystem::GRANTS.contains(&line.as_str()), "{line}");
        }
        assert!(Ext4Filesystem::GRANTS.contains(&EXT4.fsck_grant().unwrap_or_default().as_str()));
    }

    #[test]
    fn start_checks_makes_the_mount_point_and_mounts_once() {
        let host = formatted();
        fs(&host)
            .status()
            .is(State::Down)
            .is_provisioned(true)
            .start()
            .is_changed("mounted ext4 /dev/loop0@/srv/web")
            .start()
            .is_unchanged("ext4 /dev/loop0@/srv/web is already mounted")
            .status()
            .is(State::Up)
            .is_silent()
            .labelled("/dev/loop0@/srv/web");
        assert_eq!(host.mounts(), ["ext4 /dev/loop0 /srv/web rw"]);
        let checks = host.calls().iter().filter(|call| call.contains("e2fsck -p -- /dev/loop0")).count();
        assert_eq!(checks, 1, "a mounted file system is not checked");
    }

    #[test]
    fn stop_unmounts_once_and_leaves_the_mounts_of_others() {
        let host = formatted().mounted("ext4", "/dev/sdb", "/srv/web");
        fs(&host)
            .stop()
            .is_unchanged("ext4 /dev/loop0@/srv/web is already unmounted")
            .status()
            .is(State::Down)
            .mentions("ext4 /dev/sdb is mounted on /srv/web");
        assert_eq!(host.mounts().len(), 1);
        let host = formatted();
        fs(&host)
            .start()
            .stop()
            .is_changed("unmounted ext4 /dev/loop0@/srv/web")
            .stop()
            .is_unchanged("ext4 /dev/loop0@/srv/web is already unmounted");
    }

    #[test]
    fn a_mount_is_unmounted_even_if_dev_has_changed() {
        let host = formatted();
        host.set_label("/dev/loop0", "web");
        let labelled = || given(Ext4Filesystem { volume: VolumeKeywords::fake("LABEL=web", "/srv/web") }).on(&host);
        labelled().start().is_changed("mounted ext4 LABEL=web@/srv/web");
        host.set_label("/dev/loop0", "other");
        labelled()
            .status()
            .is(State::Up)
            .is_silent()
            .stop()
            .is_changed("unmounted ext4 LABEL=web@/srv/web")
            .status()
            .is(State::Down);
        assert_eq!(host.mounts(), [""; 0]);
    }

    #[test]
    fn a_busy_mount_is_worth_another_try() {
        let host = formatted().busy("/srv/web");
        fs(&host).start().stop().fails(&Error::retryable("unmount /srv/web: device or resource busy"));
        let tries = host.calls().iter().filter(|call| call.starts_with("holdings.release")).count();
        assert_eq!(tries, 4);
    }

    #[test]
    fn start_hides_no_files_unless_told_to() {
        let full = || formatted().text_file("/srv/web/index.html", "precious");
        let host = full();
        fs(&host).start().fails_with("/srv/web is not empty; overmount = true");
        assert_eq!(host.mounts(), [""; 0]);
        let mut volume = VolumeKeywords::fake("/dev/loop0", "/srv/web");
        volume.at.overmount = true;
        given(Ext4Filesystem { volume }).on(&full()).start().is_changed("mounted ext4 /dev/loop0@/srv/web");
    }

    #[test]
    fn start_mounts_over_no_mount_unless_told_to() {
        let host = formatted().mounted("tmpfs", "none", "/srv/web");
        fs(&host)
            .start()
            .fails_with("did not mount it: it is tmpfs, and not ext4, so it cannot be taken on; overmount = true");
    }

    #[test]
    fn what_another_mounted_is_a_stranger_until_it_is_adopted() {
        let host = formatted().mounted("ext4", "/dev/loop0", "/srv/web");
        fs(&host)
            .status()
            .is(State::Down)
            .mentions("ext4 /dev/loop0 is mounted on /srv/web")
            .start()
            .fails_with("start --local --adopt takes it on as this resource's own")
            .stop()
            .is_unchanged("ext4 /dev/loop0@/srv/web is already unmounted");
        assert_eq!(host.mounts().len(), 1);
        given(Ext4Filesystem { volume: VolumeKeywords::fake("/dev/loop0", "/srv/web") })
            .with(Context::fake("fs#1").with("adopt", "true"))
            .on(&host)
            .start()
            .is_unchanged("took on ext4 of /dev/loop0 on /srv/web")
            .status()
            .is(State::Up)
            .stop()
            .is_changed("unmounted ext4 /dev/loop0@/srv/web");
        assert_eq!(host.mounts(), [""; 0]);
    }

    #[test]
    fn a_changed_keyword_is_a_warning_and_stop_unmounts_what_is_up() {
        let host = formatted().device("/dev/loop1", 64 * MIB).signature("/dev/loop1", "ext4");
        fs(&host).start();
        let changed = |dev: &str, mnt: &str| given(Ext4Filesystem { volume: VolumeKeywords::fake(dev, mnt) }).on(&host);
        changed("/dev/loop1", "/srv/web")
            .status()
            .is(State::Warn)
            .mentions("ext4 of /dev/loop0 on /srv/web is up, and dev is /dev/loop1 now: a restart applies it");
        changed("/dev/loop0", "/srv/new")
            .status()
            .is(State::Warn)
            .mentions("it is mounted on /srv/web, and not on /srv/new: a restart moves it")
            .stop()
            .is_changed("unmounted ext4 of /dev/loop0 on /srv/web");
        assert_eq!(host.mounts(), [""; 0]);
    }

    #[test]
    fn errors_of_the_disk_since_the_mount_are_a_warning() {
        let host = formatted();
        host.count_errors("/srv/web", 2);
        fs(&host).start().status().is(State::Up);
        host.count_errors("/srv/web", 5);
        fs(&host).status().is(State::Warn).mentions("3 errors of the disk since it was mounted");
    }

    #[test]
    fn a_device_that_is_in_use_or_read_only_is_not_checked() {
        fs(&formatted().busy("/dev/loop0").program(E2FSCK, 8, ""))
            .start()
            .fails_with("/dev/loop0 is in use and cannot be checked");
        let mut volume = VolumeKeywords::fake("/dev/loop0", "/srv/web");
        volume.at.mnt_opt = Some("ro".to_owned());
        let host = formatted();
        given(Ext4Filesystem { volume }).on(&host).start().status().is(State::Up);
        assert!(!host.calls().iter().any(|call| call.contains(E2FSCK)));
    }

    #[test]
    fn a_label_is_no_longer_than_ext4_stores() {
        let long = VolumeKeywords::fake("LABEL=billing-archive-2026", "/srv/web");
        let said = "the label billing-archive-2026 has 20 bytes: ext4 stores 16 at most";
        given(Ext4Filesystem { volume: long }).on(&empty()).validate().finds(&[("dev", said)]);
    }

    #[test]
    fn a_file_system_that_cannot_be_mended_is_not_mounted() {
        for (exit, mounts) in [(0, 1), (1, 1), (2, 0), (4, 0), (8, 0)] {
            let host = formatted().program(E2FSCK, exit, "");
            fs(&host).start();
            assert_eq!(host.mounts().len(), mounts, "e2fsck exited with {exit}");
        }
    }

    #[test]
    fn start_without_the_device_names_it() {
        fs(&Host::new()).start().fails(&Error::retryable("/dev/loop0 does not exist"));
    }

    #[test]
    fn provision_makes_it_on_an_empty_device_only() {
        let host = empty();
        fs(&host)
            .status()
            .is_provisioned(false)
            .provision()
            .is_changed("made ext4 on /dev/loop0")
            .status()
            .is_provisioned(true)
            .provision()
            .is_unchanged("/dev/loop0 already holds ext4");
        for foreign in ["xfs", "LVM2_member", "unknown"] {
            let host = empty().signature("/dev/loop0", foreign);
            fs(&host)
                .provision()
                .fails_with(&format!("/dev/loop0 holds {foreign}"))
                .status()
                .is_provisioned(false)
                .mentions(foreign);
            assert!(!host.calls().iter().any(|call| call.contains("mkfs")), "{foreign}");
        }
    }

    #[test]
    fn provision_passes_the_options_on_and_refuses_what_reads_files() {
        let with = |words: &[&str]| {
            let mut volume = VolumeKeywords::fake("/dev/loop0", "/srv/web");
            volume.mkfs_opt = words.iter().map(|word| (*word).to_owned()).collect();
            Ext4Filesystem { volume }
        };
        let host = empty();
        given(with(&["-m", "1", "-L", "data"])).on(&host).validate().finds(&[]).provision();
        let run = "process.run /sbin/mkfs.ext4 -q -F -L data -m 1 -- /dev/loop0";
        assert!(host.calls().iter().any(|call| call == run), "{:#?}", host.calls());
        given(with(&["-d", "/etc"])).on(&empty()).provision().fails_with("mkfs_opt: \"-d\" is not supported");
    }

    /// `dev = LABEL=web`, with `/dev/loop0` to become it.
    fn labelled(mkfs_dev: Option<&str>) -> Ext4Filesystem {
        let volume = VolumeKeywords::fake("LABEL=web", "/srv/web");
        Ext4Filesystem { volume: VolumeKeywords { mkfs_dev: mkfs_dev.map(str::to_owned), ..volume } }
    }

    #[test]
    fn a_label_that_no_device_has_is_given_to_the_disk_beside() {
        let host = Host::new().device("/dev/loop0", 64 * MIB).program(E2FSCK, 0, "");
        let host = host.program_with("/sbin/mkfs.ext4", |run| {
            run.host.set_signature("/dev/loop0", "ext4");
            run.host.set_label("/dev/loop0", "web");
            hostler_sdk::process::Output { status: 0, stdout: Vec::new(), stderr: Vec::new(), truncated: false }
        });
        given(labelled(Some("/dev/loop0")))
            .on(&host)
            .status()
            .is(State::Down)
            .labelled("LABEL=web@/srv/web")
            .provision()
            .is_changed("made ext4 on /dev/loop0")
            .provision()
            .is_unchanged("LABEL=web already holds ext4")
            .start()
            .is_changed("mounted ext4 LABEL=web@/srv/web")
            .status()
            .is(State::Up)
            .is_provisioned(true);
        let run = "process.run /sbin/mkfs.ext4 -q -F -L web -- /dev/loop0";
        assert!(host.calls().iter().any(|call| call == run), "{:#?}", host.calls());
    }

    #[test]
    fn a_label_is_only_written_to_an_empty_device_that_the_configuration_names() {
        let host = formatted();
        host.set_label("/dev/loop0", "old");
        given(labelled(Some("/dev/loop0")))
            .on(&host)
            .provision()
            .fails_with("/dev/loop0, which would become it, holds ext4 already (label \"old\"): it is not overwritten");
        given(labelled(None))
            .on(&empty())
            .provision()
            .fails_with("no device is LABEL=web, and there is none to make it on");
        let mut other = labelled(Some("/dev/loop0"));
        other.volume.mkfs_opt = ["-L", "db"].map(str::to_owned).into();
        let differs = "-L db is not the label of dev = LABEL=web";
        given(other).on(&empty()).validate().finds(&[("mkfs_opt", differs)]).provision().fails_with(differs);
    }

    #[test]
    fn unprovision_destroys_nothing() {
        let host = formatted();
        fs(&host).unprovision().is_unchanged("the ext4 on /dev/loop0 is left as it is").status().is_provisioned(true);
    }

    #[test]
    fn a_file_system_that_does_not_answer_is_a_warning() {
        let host = formatted().hung("/srv/web");
        fs(&host).start().status().is(State::Warn).mentions("no answer within 5s");
    }

    #[test]
    fn a_read_only_mount_is_a_warning_unless_it_was_asked_for() {
        let mut volume = VolumeKeywords::fake("/dev/loop0", "/srv/web");
        volume.at.mnt_opt = Some("defaults,ro".to_owned());
        let host = formatted();
        let case = given(Ext4Filesystem { volume }).on(&host).start().status().is(State::Up).is_silent();
        drop(case);
        fs(&host).status().is(State::Warn).mentions("read-only");
    }
}
