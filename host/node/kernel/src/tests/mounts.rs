//! Mounts on the running kernel.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::{LoopImage, Sandbox, mount_options, mounted, run};
use crate::KernelError;
use crate::mount::mountinfo::{self, mounts_at};
use crate::mount::{MountCall, statfs, unmount_top};

fn made(sandbox: &Sandbox, image: &LoopImage, program: &str, args: &[&str]) -> Option<PathBuf> {
    run(program, &[args, &[image.device()]].concat()).then(|| sandbox.make_directory("mnt"))
}

#[test]
fn a_device_shows_under_its_own_name_and_unmounts() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(image) = LoopImage::new(&sandbox, "image", 16) else { return };
    let Some(target) = made(&sandbox, &image, "mkfs.ext4", &["-q", "-F"]) else { return };
    mounted(image.device(), &target, "ext4", "rw,noatime,nodev,errors=remount-ro").unwrap();
    let entry = mounts_at(&target).unwrap().pop().unwrap();
    assert_eq!((entry.source.as_str(), entry.fstype.as_str(), &entry.target), (image.device(), "ext4", &target));
    for option in ["rw", "noatime", "nodev", "errors=remount-ro"] {
        assert!(entry.options.iter().any(|found| found == option), "{option} in {:?}", entry.options);
    }
    let usage = statfs(&target).unwrap();
    assert!(usage.total > 8 << 20 && usage.free <= usage.total);
    unmount_top(&target).unwrap();
    assert_eq!(mounts_at(&target).unwrap(), []);
    assert_eq!(unmount_top(&target).unwrap_err().errno(), Some(Errno::INVAL.raw_os_error()));
}

#[test]
fn a_busy_mount_stays_and_the_error_names_what_holds_it() {
    let Some(sandbox) = Sandbox::new() else { return };
    let target = sandbox.make_directory("mnt");
    mounted("none", &target, "tmpfs", "size=1m").unwrap();
    let open = fs::File::create(target.join("file")).unwrap();
    let error = unmount_top(&target).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::BUSY.raw_os_error()));
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
    drop(open);
    let below = target.join("below");
    fs::create_dir(&below).unwrap();
    mounted("none", &below, "tmpfs", "").unwrap();
    let error = unmount_top(&target).unwrap_err();
    assert!(error.to_string().contains(below.to_str().unwrap()), "{error}");
    unmount_top(&below).unwrap();
    unmount_top(&target).unwrap();
}

#[test]
fn a_failed_mount_says_why() {
    let Some(sandbox) = Sandbox::new() else { return };
    let Some(image) = LoopImage::new(&sandbox, "image", 16) else { return };
    let Some(target) = made(&sandbox, &image, "mkfs.ext4", &["-q", "-F"]) else { return };
    let cases = [
        ("xfs", image.device(), "", "xfs"),
        ("ext4", image.device(), "no_such_option", "no_such_option"),
        ("nonsense", image.device(), "", "nonsense"),
        ("ext4", "/dev/nothing", "", "/dev/nothing"),
        ("ext4", "none", "", "none"),
        ("ext4", "/etc/passwd", "", "/etc/passwd"),
        ("tmpfs", "none", "size=many", "size"),
    ];
    for (fstype, source, options, word) in cases {
        let error = mounted(source, &target, fstype, options).unwrap_err().sentence();
        assert!(error.contains(word), "{fstype} {source}: {error}");
    }
    assert_eq!(mounts_at(&target).unwrap(), []);
}

#[test]
fn a_target_below_a_link_of_others_is_refused() {
    let Some(sandbox) = Sandbox::new() else { return };
    symlink("/etc", sandbox.path("mnt")).unwrap();
    assert!(matches!(mounted("none", &sandbox.path("mnt"), "tmpfs", ""), Err(KernelError::Invalid(_))));
    assert!(matches!(mounted("none", &sandbox.path("missing"), "tmpfs", ""), Err(KernelError::NotFound(_))));
}

#[test]
fn a_target_that_moves_meanwhile_takes_no_mount() {
    let Some(sandbox) = Sandbox::new() else { return };
    let (asked, moved) = (sandbox.make_directory("asked"), sandbox.path("moved"));
    let before = mountinfo::read().unwrap().len();
    let request = MountCall {
        source: "none",
        target: &asked,
        fstype: "tmpfs",
        options: &[],
        keeps_restrictions: false,
        may_find: &crate::block::any_device,
        judge: &|_| Ok(()),
        prepared: &|_| Ok(()),
    };
    let error = crate::mount::mount_after(request, || {
        fs::rename(&asked, &moved).unwrap();
        symlink("/etc", &asked).unwrap();
    });
    let error = error.unwrap_err();
    assert!(error.to_string().contains(moved.to_str().unwrap()), "{error}");
    assert_eq!(mountinfo::read().unwrap().len(), before, "the stray mount is undone");
}

#[test]
fn mounts_stack_and_the_top_goes_first() {
    let Some(sandbox) = Sandbox::new() else { return };
    let target = sandbox.make_directory("mnt");
    for name in ["one", "two", "three"] {
        mounted(name, &target, "tmpfs", "").unwrap();
    }
    let sources = || mounts_at(&target).unwrap().into_iter().map(|mount| mount.source).collect::<Vec<_>>();
    assert_eq!(sources(), ["one", "two", "three"]);
    unmount_top(&target).unwrap();
    assert_eq!(sources(), ["one", "two"]);
}

#[test]
fn a_bind_mount_is_read_only_where_its_source_is_not() {
    let Some(sandbox) = Sandbox::new() else { return };
    let (source, target) = (sandbox.make_directory("source"), sandbox.make_directory("mnt"));
    fs::write(source.join("file"), "content").unwrap();
    mounted(source.to_str().unwrap(), &target, "bind", "ro,nosuid").unwrap();
    assert_eq!(fs::read(target.join("file")).unwrap(), b"content");
    assert!(fs::write(target.join("file"), "").is_err());
    fs::write(source.join("file"), "more").unwrap();
    assert!(mount_options(&target).iter().any(|option| option == "nosuid"));
    let root = mounts_at(&target).unwrap().pop().unwrap().root;
    assert!(root.ends_with(source.file_name().unwrap()), "{}", root.display());
    unmount_top(&target).unwrap();
    let error = mounted(source.to_str().unwrap(), &target, "bind", "size=1m").unwrap_err();
    assert!(matches!(error, KernelError::Invalid(_)));
}

#[test]
fn a_recursive_bind_mount_shows_what_is_mounted_below() {
    let Some(sandbox) = Sandbox::new() else { return };
    let (source, target) = (sandbox.make_directory("source"), sandbox.make_directory("mnt"));
    let below = sandbox.make_directory("source/below");
    mounted("none", &below, "tmpfs", "").unwrap();
    fs::write(below.join("file"), "").unwrap();
    for (options, visible) in [("bind", false), ("rbind", true)] {
        mounted(source.to_str().unwrap(), &target, "none", options).unwrap();
        assert_eq!(target.join("below/file").exists(), visible, "{options}");
        if visible {
            unmount_top(&target.join("below")).unwrap();
        }
        unmount_top(&target).unwrap();
    }
}

#[test]
fn an_overlay_is_made_of_its_directories_by_their_real_names() {
    let Some(sandbox) = Sandbox::new() else { return };
    // An overlay needs directories that are not themselves on an overlay, as /tmp may be.
    let base = sandbox.make_directory("base");
    mounted("none", &base, "tmpfs", "").unwrap();
    let [low, lower, upper, work] = ["low", "lower", "upper", "work"].map(|name| {
        let path = base.join(name);
        fs::create_dir(&path).unwrap();
        path.to_str().unwrap().to_owned()
    });
    fs::write(Path::new(&low).join("file"), "low").unwrap();
    fs::write(Path::new(&lower).join("file"), "lower").unwrap();
    let target = sandbox.make_directory("mnt");
    let options = format!("lowerdir={lower}:{low},upperdir={upper},workdir={work}");
    mounted("overlay", &target, "overlay", &options).unwrap();
    assert_eq!(fs::read(target.join("file")).unwrap(), b"lower");
    fs::write(target.join("new"), "").unwrap();
    assert!(Path::new(&upper).join("new").exists());
    let shown = mount_options(&target).join(",");
    assert!(shown.contains(&upper) && !shown.contains("/proc/"), "{shown}");
    unmount_top(&target).unwrap();
    let error = mounted("overlay", &target, "overlay", &format!("lowerdir={low}/none")).unwrap_err();
    assert!(matches!(error, KernelError::NotFound(_)), "{error}");
    unmount_top(&base).unwrap();
}

#[test]
fn xfs_and_a_subvolume_of_btrfs_mount() {
    let Some(sandbox) = Sandbox::new() else { return };
    if let Some(image) = LoopImage::new(&sandbox, "xfs", 320)
        && let Some(target) = made(&sandbox, &image, "mkfs.xfs", &["-q", "-f"])
    {
        mounted(image.device(), &target, "xfs", "nouuid").unwrap();
        assert_eq!(mounts_at(&target).unwrap()[0].source, image.device());
        unmount_top(&target).unwrap();
    }
    if let Some(image) = LoopImage::new(&sandbox, "btrfs", 128)
        && let Some(target) = made(&sandbox, &image, "mkfs.btrfs", &["-q", "-f"])
    {
        mounted(image.device(), &target, "btrfs", "").unwrap();
        if run("btrfs", &["subvolume", "create", target.join("data").to_str().unwrap()]) {
            let below = sandbox.make_directory("sub");
            mounted(image.device(), &below, "btrfs", "subvol=data").unwrap();
            assert_eq!(mounts_at(&below).unwrap()[0].root, Path::new("/data"));
            unmount_top(&below).unwrap();
            let error = mounted(image.device(), &below, "btrfs", "subvol=none").unwrap_err();
            assert_eq!(error.errno(), Some(Errno::NOENT.raw_os_error()));
        }
        unmount_top(&target).unwrap();
    }
}

#[test]
fn a_tree_with_something_mounted_below_is_not_removed_at_all() {
    let Some(sandbox) = Sandbox::new() else { return };
    let below = sandbox.make_directory("tree/a/below");
    fs::write(sandbox.path("tree/a/file"), "").unwrap();
    mounted("none", &below, "tmpfs", "").unwrap();
    fs::write(below.join("kept"), "").unwrap();
    let error = crate::files::remove_tree(&sandbox.path("tree")).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::BUSY.raw_os_error()));
    assert!(sandbox.path("tree/a/file").exists() && below.join("kept").exists());
    unmount_top(&below).unwrap();
    assert!(crate::files::remove_tree(&sandbox.path("tree")).unwrap());
}
