//! Devices that show the same content, on the running kernel.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{LoopImage, Sandbox, run};
use crate::block::{self, loopdev, signature};
use crate::mount::{mountinfo, unmount_top};

fn mounted(source: &str, target: &Path, fstype: &str, options: &str) -> Result<(), String> {
    super::mounted(source, target, fstype, options).map_err(|error| error.sentence())
}

/// An image with a file system of a label that no other test has, and a copy of it.
fn twins(sandbox: &Sandbox, program: &str, args: &[&str], mebibytes: u64) -> Option<(LoopImage, LoopImage)> {
    let one = LoopImage::new(sandbox, "one", mebibytes)?;
    if !run(program, &[args, &[one.device()]].concat()) {
        return None;
    }
    // Written to the file by now: mkfs syncs what it made.
    let copy = sandbox.path("copy");
    fs::copy(&one.file, &copy).unwrap();
    let device = loopdev::attach(&copy, false).unwrap();
    Some((one, LoopImage { file: copy, device }))
}

#[test]
fn two_devices_with_one_label_or_uuid_are_an_error_that_names_both() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some((one, copy)) = twins(&sandbox, "mkfs.ext4", &["-q", "-F", "-L", "kin-twins"], 16) else { return };
    let uuid = signature::probe(&one.device.path).unwrap().unwrap().uuid;
    for asked in ["LABEL=kin-twins".to_owned(), format!("UUID={uuid}")] {
        let error = block::find(&asked).unwrap_err().to_string();
        for part in [asked.as_str(), one.device(), copy.device()] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
    drop(copy);
    assert_eq!(block::find("LABEL=kin-twins").unwrap().as_ref(), Some(&one.device));
}

#[test]
fn a_copy_of_a_mounted_xfs_is_named() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some((one, copy)) = twins(&sandbox, "mkfs.xfs", &["-q", "-f", "-L", "kin-xfs"], 320) else { return };
    let (target, other) = (sandbox.make_directory("mnt"), sandbox.make_directory("other"));
    mounted(one.device(), &target, "xfs", "").unwrap();
    let error = mounted(copy.device(), &other, "xfs", "").unwrap_err();
    for part in [one.device(), target.to_str().unwrap(), "nouuid"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    mounted(copy.device(), &other, "xfs", "nouuid").unwrap();
    unmount_top(&other).unwrap();
    unmount_top(&target).unwrap();
}

#[test]
fn a_btrfs_of_two_devices_mounts_without_udev_and_names_what_is_missing() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(one) = LoopImage::new(&sandbox, "one", 128) else { return };
    let Some(two) = LoopImage::new(&sandbox, "two", 128) else { return };
    let args = ["-q", "-f", "-L", "kin-pool", "-d", "raid1", "-m", "raid1", one.device(), two.device()];
    if !run("mkfs.btrfs", &args) || !run("btrfs", &["device", "scan", "--forget"]) {
        return;
    }
    let target = sandbox.make_directory("mnt");
    // Either of them is the file system.
    assert!(block::find("LABEL=kin-pool").unwrap().is_some());
    mounted(two.device(), &target, "btrfs", "").unwrap();
    unmount_top(&target).unwrap();
    let file = one.file.clone();
    drop(one);
    assert!(run("btrfs", &["device", "scan", "--forget"]));
    let error = mounted(two.device(), &target, "btrfs", "").unwrap_err();
    assert!(error.contains("one of 2 devices of a btrfs, and only 1 of them are here"), "{error}");
    let again = loopdev::attach(&file, false).unwrap();
    mounted(two.device(), &target, "btrfs", "").unwrap();
    unmount_top(&target).unwrap();
    drop(LoopImage { file, device: again });
}

#[test]
fn an_overlay_whose_upper_directory_is_in_use_is_refused_and_names_the_other() {
    let Some(sandbox) = Sandbox::new() else { return };
    let base = sandbox.make_directory("base");
    mounted("none", &base, "tmpfs", "mode=0755").unwrap();
    for name in ["low", "upper", "work", "work2"] {
        fs::create_dir(base.join(name)).unwrap();
    }
    symlink("upper", base.join("link")).unwrap();
    let (first, second) = (sandbox.make_directory("first"), sandbox.make_directory("second"));
    let base_text = base.display();
    let options = format!("lowerdir={base_text}/low,upperdir={base_text}/upper,workdir={base_text}/work");
    mounted("overlay", &first, "overlay", &options).unwrap();
    for (upper, work, key) in [("upper", "work2", "upperdir"), ("low", "work", "workdir")] {
        let options = format!("lowerdir={base_text}/low,upperdir={base_text}/{upper},workdir={base_text}/{work}");
        let error = mounted("overlay", &second, "overlay", &options).unwrap_err();
        for part in [first.to_str().unwrap(), key] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
    assert_eq!(mountinfo::mounts_at(&second).unwrap(), []);
    unmount_top(&first).unwrap();
    unmount_top(&base).unwrap();
}
