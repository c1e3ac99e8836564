//! What is mounted is known by the mount and not by its path: whatever happens to names between start and stop, stop takes off what
//! start put on, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::devices::{HandLoop, output};
use crate::world::World;

crate::trials!(
    a_bind_mount_is_stopped_although_its_source_was_renamed_or_removed,
    a_mount_point_behind_a_link_is_stopped_where_it_was_mounted,
    a_keyword_that_changed_meanwhile_does_not_hide_what_is_up,
    a_stranger_is_neither_up_nor_unmounted_and_can_be_adopted,
    an_overlay_of_other_layers_is_a_stranger,
    another_device_or_directory_is_not_taken_on,
    what_was_edited_while_it_is_up_is_a_warning,
    a_directory_is_bound_onto_itself,
    what_an_rbind_brought_along_goes_with_it,
    layers_behind_links_are_stopped,
    two_overlays_cannot_have_one_upper_directory,
    another_subvolume_is_a_stranger,
    a_stop_of_what_never_started_succeeds,
    options_that_were_lost_are_a_warning,
    a_file_system_that_turned_read_only_by_itself_is_a_warning,
    a_parent_is_mounted_before_its_child,
    a_copy_of_a_device_that_is_up_changes_nothing,
    an_image_that_was_replaced_or_renamed_is_detached,
    two_loop_devices_on_one_image_are_told_apart,
    a_swap_file_and_a_socket_are_named_by_a_busy_unmount,
    a_mount_point_may_be_a_link,
);

/// An ext4 of the world, on a loop device that was attached by hand.
pub(crate) fn ext4(world: &World) -> HandLoop {
    let device = HandLoop::new(world, "a.img", 32);
    output("mkfs.ext4", &["-q", &device.0]);
    device
}

/// The section of an ext4 on the device.
pub(crate) fn on(device: &HandLoop, mnt: &str) -> String {
    format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {}\nmnt = {mnt}\n", device.0)
}

/// Whether the mount table names the text: a device or a path.
pub(crate) fn is_mounted(text: &str) -> bool {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().any(|line| line.split(' ').any(|word| word == text))
}

pub(crate) fn at(world: &World, name: &str) -> String {
    world.path(name).display().to_string()
}

fn a_bind_mount_is_stopped_although_its_source_was_renamed_or_removed(world: &World) {
    let device = ext4(world);
    let bind = "[fs#2]\ntype = bind\ndev = {w}/data/web\nmnt = {w}/www\n";
    world.create("web", &(on(&device, "{w}/data") + bind));
    world.om("web start --rid fs#1").ok();
    for change in ["renamed", "removed"] {
        fs::create_dir(world.path("data/web")).unwrap();
        world.om("web start").ok();
        match change {
            "renamed" => fs::rename(world.path("data/web"), world.path("data/web.old")).unwrap(),
            _ => fs::remove_dir(world.path("data/web")).unwrap(),
        }
        if change == "renamed" {
            fs::create_dir(world.path("data/web")).unwrap();
            // It shows the directory of before, and not the one that is there now.
            assert_eq!(world.states("web"), "fs#1 up, fs#2 warn");
            world.om("web start").ok();
        } else {
            assert_eq!(world.states("web"), "fs#1 up, fs#2 warn");
        }
        world.om("web stop").ok();
        assert!(!is_mounted(&device.0), "{change}");
        world.om("web start --rid fs#1").ok();
        let _ = fs::remove_dir(world.path("data/web"));
    }
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

/// A directory in which links are followed: no other user can write there, unlike in that of the world.
pub(crate) struct TrustedPlace(PathBuf);

impl TrustedPlace {
    pub(crate) fn new(world: &World) -> TrustedPlace {
        let path = PathBuf::from(format!("/run/hostler-e2e-{}-{}", std::process::id(), world.number()));
        fs::create_dir(&path).unwrap();
        TrustedPlace(path)
    }

    pub(crate) fn at(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for TrustedPlace {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-R").arg(&self.0).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn a_mount_point_behind_a_link_is_stopped_where_it_was_mounted(world: &World) {
    let device = ext4(world);
    let place = TrustedPlace::new(world);
    for name in ["v1", "v2"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    let turn = |to: &str| {
        let _ = fs::remove_file(place.at("cur"));
        symlink(place.at(to), place.at("cur")).unwrap();
    };
    turn("v1");
    world.create("web", &on(&device, &place.at("cur/data")));
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    turn("v2");
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status --refresh").says(&format!("it is mounted on {}", place.at("v1/data")));
    world.om("web stop").ok();
    assert!(!is_mounted(&device.0));
    // The same if the directory above is renamed.
    world.om("web start").ok();
    fs::rename(place.at("v2"), place.at("v3")).unwrap();
    world.om("web stop").ok();
    assert!(!is_mounted(&device.0));
    world.om("web delete --force").ok();
}

fn a_keyword_that_changed_meanwhile_does_not_hide_what_is_up(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/old"));
    world.om("web start").ok();
    world.om(&format!("web set --kw fs#1.mnt={}", at(world, "new"))).ok();
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status --refresh").says(&format!("it is mounted on {}, and not on", at(world, "old")));
    world.om("web stop").ok();
    assert!(!is_mounted(&device.0));
    world.om("web start").ok();
    assert!(is_mounted(&at(world, "new")));
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_stranger_is_neither_up_nor_unmounted_and_can_be_adopted(world: &World) {
    let mnt = at(world, "run");
    fs::create_dir(&mnt).unwrap();
    output("mount", &["-t", "tmpfs", "-o", "size=20m,mode=0700", "otherapp", &mnt]);
    fs::write(world.path("run/data"), "precious").unwrap();
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/run\nsize = 64m\n");
    assert_eq!(world.states("web"), "fs#1 down");
    world.om("web print status --refresh").says(&format!("tmpfs otherapp is mounted on {mnt}"));
    world.om("web start").ends(1).says("--adopt");
    world.om("web stop").ok();
    assert_eq!(world.read("run/data"), "precious");
    world.om("web start --local --adopt").ok().says("took on");
    assert_eq!(world.states("web"), "fs#1 up");
    assert_eq!(world.read("run/data"), "precious");
    world.om("web stop").ok();
    assert!(!is_mounted(&mnt));
    world.om("web delete --force").ok();
}

fn an_overlay_of_other_layers_is_a_stranger(world: &World) {
    layers(world);
    let mnt = at(world, "mnt");
    fs::create_dir(&mnt).unwrap();
    let other = format!("lowerdir={}:{}", at(world, "l3"), at(world, "l4"));
    output("mount", &["-t", "overlay", "-o", &other, "other", &mnt]);
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = overlay\nlower = {w}/l1 {w}/l2\nmnt = {w}/mnt\n";
    world.create("web", config);
    assert_eq!(world.states("web"), "fs#1 down");
    let refused = world.om("web start").ends(1);
    refused.says("overlay other is mounted on").says("cannot be taken on").does_not_say("--adopt");
    let shown = format!("its lower is {}:{}, and lower asks for", at(world, "l3"), at(world, "l4"));
    world.om("web start --local --adopt").ends(1).says("it is not taken on").says(&shown).does_not_say("fault");
    world.om("web stop").ok();
    assert!(is_mounted(&mnt));
    output("umount", &[&mnt]);
    // Its name in the list of mounts does not matter.
    let same = format!("lowerdir={}:{}", at(world, "l1"), at(world, "l2"));
    output("mount", &["-t", "overlay", "-o", &same, "other", &mnt]);
    world.om("web start --local --adopt").ok().says("took on");
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    assert!(!is_mounted(&mnt));
    world.om("web delete --force").ok();
}

fn another_device_or_directory_is_not_taken_on(world: &World) {
    let (device, mnt) = (ext4(world), at(world, "data"));
    let other = HandLoop::new(world, "b.img", 32);
    output("mkfs.ext4", &["-q", &other.0]);
    fs::create_dir(world.path("data")).unwrap();
    fs::create_dir(world.path("raw")).unwrap();
    world.create("web", &on(&device, "{w}/data"));
    let refused = |why: &str| {
        world.om("web start").ends(1).says(why).says("cannot be taken on").does_not_say("--adopt");
        world.om("web start --local --adopt").ends(1).says(why).says("it is not taken on").does_not_say("fault");
        assert_eq!(world.states("web"), "fs#1 down");
        output("umount", &[&mnt]);
    };
    output("mount", &[&other.0, &mnt]);
    refused(&format!("it is on {}, and dev leads to {}", other.0, device.0));
    output("mount", &["-t", "tmpfs", "x", &mnt]);
    refused("it is tmpfs, and not ext4");
    output("mount", &[&device.0, &at(world, "raw")]);
    fs::create_dir(world.path("raw/sub")).unwrap();
    output("mount", &["--bind", &at(world, "raw/sub"), &mnt]);
    refused("it shows the directory /sub of the file system only");
    output("umount", &[&at(world, "raw")]);
    output("mount", &[&device.0, &mnt]);
    world.om("web start").ends(1).says("start --local --adopt takes it on");
    world.om("web start --local --adopt").ok().says("took on");
    world.om("web print status --refresh").ok().does_not_say("a restart applies it");
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn what_was_edited_while_it_is_up_is_a_warning(world: &World) {
    let place = TrustedPlace::new(world);
    for name in ["one", "two", "m", "l1", "l2", "l3", "o"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    symlink(place.at("one"), place.at("cur")).unwrap();
    let device = ext4(world);
    let label = format!("e{}x{}", std::process::id(), world.number());
    output("tune2fs", &["-L", &label, &device.0]);
    let config = on(&device, "{w}/data")
        + "[fs#2]\ntype = bind\ndev = {p}/one\nmnt = {p}/m\n\
           [fs#3]\ntype = overlay\nlower = {p}/l1 {p}/l2\nmnt = {p}/o\n";
    world.create("web", &config.replace("{p}", place.at("").trim_end_matches('/')));
    world.om("web start").ok();
    let up = "fs#1 up, fs#2 up, fs#3 up";
    assert_eq!(world.states("web"), up);
    let set = |keyword: &str, value: &str| drop(world.om(&format!("web set --kw {keyword}={value}")).ok());
    let warns = |states: &str, text: &str| {
        assert_eq!(world.states("web"), states, "{text}");
        world.om("web print status --refresh").ok().says(text);
    };
    set("fs#2.dev", &place.at("two"));
    warns("fs#1 up, fs#2 warn, fs#3 up", &format!("is up, and dev is {} now: a restart applies it", place.at("two")));
    // Another name of the same thing is not an edit.
    set("fs#2.dev", &place.at("cur"));
    set("fs#1.dev", &format!("LABEL={label}"));
    assert_eq!(world.states("web"), up);
    let link = place.at("disk");
    symlink(&device.0, &link).unwrap();
    set("fs#1.dev", &link);
    assert_eq!(world.states("web"), up);
    set("fs#1.dev", "/dev/loop99999");
    warns("fs#1 warn, fs#2 up, fs#3 up", "is up, and dev is /dev/loop99999 now: a restart applies it");
    set("fs#1.dev", &device.0);
    let lower = format!("{}:{}", place.at("l1"), place.at("l3"));
    world.om_with("web edit", &[("EDITOR", &format!("sed -i s,{}$,{},", place.at("l2"), place.at("l3")))]).ok();
    warns("fs#1 up, fs#2 up, fs#3 warn", &format!("is up, and lower is {lower} now: a restart applies it"));
    set("fs#1.type", "tmpfs");
    warns("fs#1 warn, fs#2 up, fs#3 warn", "is up, and type is tmpfs now: a restart applies it");
    world.om("web stop").ok();
    assert!(!is_mounted(&device.0));
    world.om("web delete --force").ok();
}

/// Directories for layers, on a file system that may hold the upper one.
fn layers(world: &World) {
    for name in ["l1", "l2", "l3", "l4", "up", "work"] {
        fs::create_dir_all(world.path(name)).unwrap();
    }
}

fn a_directory_is_bound_onto_itself(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/y\n\
                  [fs#2]\ntype = bind\ndev = {w}/y\nmnt = {w}/y\nmnt_opt = ro\n";
    world.create("web", config);
    world.om("web start --rid fs#1").ok();
    fs::write(world.path("y/file"), "kept").unwrap();
    assert_eq!(world.states("web"), "fs#1 up, fs#2 down");
    world.om("web start").ok();
    assert!(fs::write(world.path("y/other"), "").is_err(), "it is read-only");
    world.om("web stop --rid fs#2").ok();
    assert_eq!(world.read("y/file"), "kept");
    fs::write(world.path("y/other"), "").unwrap();
    world.om("web start").ok();
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "y")));
    world.om("web delete --force").ok();
}

fn what_an_rbind_brought_along_goes_with_it(world: &World) {
    for name in ["src/sub/deep", "dst"] {
        fs::create_dir_all(world.path(name)).unwrap();
    }
    let (sub, deep) = (at(world, "src/sub"), at(world, "src/sub/deep"));
    output("mount", &["-t", "tmpfs", "a", &sub]);
    fs::create_dir(&deep).unwrap();
    output("mount", &["-t", "tmpfs", "b", &deep]);
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/src\nmnt = {w}/dst\nmnt_opt = rbind\n";
    world.create("web", config);
    world.om("web start").ok();
    assert!(is_mounted(&at(world, "dst/sub/deep")));
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "dst")) && !is_mounted(&at(world, "dst/sub")) && is_mounted(&deep));
    // What another has mounted on it since stays, and is named.
    world.om("web start").ok();
    fs::create_dir(world.path("dst/sub/late")).unwrap();
    let late = at(world, "dst/sub/late");
    output("mount", &["-t", "tmpfs", "late", &late]);
    world.om("web stop").ends(1).says(&late);
    output("umount", &[&late]);
    world.om("web stop").ok();
    output("umount", &["-R", &sub]);
    world.om("web delete --force").ok();
}

fn layers_behind_links_are_stopped(world: &World) {
    let place = TrustedPlace::new(world);
    output("mount", &["-t", "tmpfs", "-o", "mode=0755", "base", &place.at("")]);
    for name in ["l1", "real"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    symlink("real", place.at("link")).unwrap();
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = overlay\nlower = {p}/l1\nupper = {p}/link/up\n\
                  work = {p}/link/wk\nmnt = {w}/mnt\n";
    world.create("web", &config.replace("{p}", &place.0.display().to_string()));
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web start").ok();
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "mnt")));
    world.om("web delete --force").ok();
}

/// A file system that may hold upper layers: the directory of the world may itself be on an overlay. Returns where it is.
pub(crate) fn overlay_base(world: &World) -> String {
    let base = at(world, "base");
    fs::create_dir(&base).unwrap();
    output("mount", &["-t", "tmpfs", "-o", "mode=0755", "base", &base]);
    fs::create_dir(world.path("base/l1")).unwrap();
    base
}

fn two_overlays_cannot_have_one_upper_directory(world: &World) {
    let base = overlay_base(world);
    for name in ["a", "b"] {
        let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = overlay\nlower = {w}/base/l1\nupper = {w}/base/up\n\
                      work = {w}/base/wk\nmnt = {w}/mnt-{name}\n";
        world.create(name, &config.replace("{name}", name));
    }
    world.om("a start").ok();
    world.om("b start").ends(1).says(&format!("the overlay on {} uses upperdir", at(world, "mnt-a")));
    assert_eq!(world.states("b"), "fs#1 down");
    world.om("a stop").ok();
    world.om("b start").ok();
    world.om("b stop").ok();
    world.om("a,b delete --force").ok();
    output("umount", &[&base]);
}

fn another_subvolume_is_a_stranger(world: &World) {
    if !crate::storage::kernel_has("btrfs") {
        return;
    }
    let device = HandLoop::new(world, "a.img", 160);
    output("mkfs.btrfs", &["-q", &device.0]);
    let site = at(world, "site");
    fs::create_dir(&site).unwrap();
    output("mount", &[&device.0, &site]);
    for name in ["web", "old"] {
        output("btrfs", &["subvolume", "create", &format!("{site}/{name}")]);
    }
    output("umount", &[&site]);
    output("mount", &["-o", "subvol=old", &device.0, &site]);
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = btrfs\ndev = {dev}\nsubvol = web\nmnt = {w}/site\n";
    world.create("web", &config.replace("{dev}", &device.0));
    assert_eq!(world.states("web"), "fs#1 down");
    world.om("web start").ends(1).says(&format!("is mounted on {site}")).does_not_say("--adopt");
    world.om("web start --local --adopt").ends(1).says("it shows old, and subvol asks for web");
    world.om("web stop").ok();
    assert!(is_mounted(&site));
    output("umount", &[&site]);
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    for (subvol, state) in [("old", "fs#1 warn"), ("/web", "fs#1 up")] {
        world.om(&format!("web set --kw fs#1.subvol={subvol}")).ok();
        assert_eq!(world.states("web"), state, "{subvol}");
    }
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_stop_of_what_never_started_succeeds(world: &World) {
    fs::File::create(world.path("a.img")).unwrap().set_len(32 << 20).unwrap();
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {w}/a.img\nmnt = {w}/site\nmnt_opt = rw\n";
    world.create("web", config);
    world.om("web start").ends(1).says("is not a block device");
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn options_that_were_lost_are_a_warning(world: &World) {
    fs::create_dir(world.path("src")).unwrap();
    let config =
        "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/src\nmnt = {w}/dst\nmnt_opt = ro,noexec,nosuid\n";
    world.create("web", config);
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    output("mount", &["-o", "remount,bind,rw,exec,suid", &at(world, "dst")]);
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status").says("mounted without ro,nosuid,noexec, although mnt_opt asks for it");
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_file_system_that_turned_read_only_by_itself_is_a_warning(world: &World) {
    let device = ext4(world);
    world.create("web", &(on(&device, "{w}/site") + "mnt_opt = errors=remount-ro\n"));
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    let name = device.0.trim_start_matches("/dev/");
    fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "a test").unwrap();
    assert!(fs::write(world.path("site/file"), "").is_err());
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status").says("errors of the disk since it was mounted");
    world.om("web stop").ok();
    // The check before the mount resets what was counted.
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_parent_is_mounted_before_its_child(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/g/data/logs\n\
                  [fs#2]\ntype = tmpfs\nmnt = {w}/g/data\n[fs#3]\ntype = directory\npath = {w}/g/data/logs/old\n";
    world.create("web", config);
    world.om("web start").ok();
    assert!(world.exists("g/data/logs/old"));
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "g/data")));
    world.om("web delete --force").ok();
}

fn a_copy_of_a_device_that_is_up_changes_nothing(world: &World) {
    let device = ext4(world);
    let uuid = output("blkid", &["-p", "-s", "UUID", "-o", "value", &device.0]);
    let config = format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = UUID={uuid}\nmnt = {{w}}/site\n");
    world.create("web", &config);
    world.om("web start").ok();
    fs::copy(world.path("a.img"), world.path("copy.img")).unwrap();
    let copy = HandLoop::on(&world.path("copy.img"));
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    world.om("web start").ends(1).says(&format!("UUID={uuid} is on 2 devices"));
    drop(copy);
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn an_image_that_was_replaced_or_renamed_is_detached(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", config);
    world.om("web provision").ok();
    fs::copy(world.path("web.img"), world.path("new.img")).unwrap();
    let change = |how: &str| match how {
        "replaced" => fs::rename(world.path("new.img"), world.path("web.img")).unwrap(),
        _ => fs::rename(world.path("web.img"), world.path("moved.img")).unwrap(),
    };
    for how in ["replaced", "renamed"] {
        world.om("web start").ok();
        change(how);
        let words =
            if how == "replaced" { "is on a file that was removed or replaced" } else { "where the file was moved" };
        world.om("web print status --refresh").ok().says(words).does_not_say("(deleted)");
        world.om("web stop").ok();
        let left = output("losetup", &["-a"]);
        assert!(!left.contains(&world.directory().display().to_string()), "{how}: {left}");
    }
    world.om("web delete --force").ok();
}

fn two_loop_devices_on_one_image_are_told_apart(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n";
    world.create("web", config);
    world.om("web provision").ok();
    let other = HandLoop::on(&world.path("web.img"));
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "disk#1 down");
    assert!(output("losetup", &["-a"]).contains(&format!("{}:", other.0)), "the other one stays");
    drop(other);
    world.om("web delete --force").ok();
}

fn a_swap_file_and_a_socket_are_named_by_a_busy_unmount(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/site"));
    world.om("web start").ok();
    let socket = std::os::unix::net::UnixListener::bind(world.path("site/socket")).unwrap();
    world.om("web stop").ends(1).says("site/socket is a socket of scenarios");
    drop(socket);
    let swap = at(world, "site/swap");
    output("dd", &["if=/dev/zero", &format!("of={swap}"), "bs=64k", "count=64", "status=none"]);
    fs::set_permissions(&swap, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    output("mkswap", &[&swap]);
    if Command::new("swapon").arg(&swap).status().is_ok_and(|status| status.success()) {
        world.om("web stop").ends(1).says(&format!("{swap} is a swap file in use"));
        output("swapoff", &[&swap]);
    }
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_mount_point_may_be_a_link(world: &World) {
    let place = TrustedPlace::new(world);
    fs::create_dir(place.at("real")).unwrap();
    symlink(place.at("real"), place.at("cur")).unwrap();
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {}\n", place.at("cur")));
    world.om("web start").ok();
    assert!(is_mounted(&place.at("real")));
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    assert!(!is_mounted(&place.at("real")));
    world.om("web delete --force").ok();
}
