//! The kinds of file systems and disks, each from nothing to nothing, with data that outlives a stop.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::world::{World, until};

crate::trials!(
    ext4_is_made_and_keeps_data,
    xfs_is_made_and_keeps_data,
    btrfs_is_made_and_keeps_data,
    a_device_that_holds_data_is_not_formatted_again,
    a_label_is_given_to_the_disk_beside_and_found_again,
    a_mount_is_unmounted_even_if_dev_has_changed,
    a_device_that_appears_late_is_waited_for,
    a_busy_file_system_names_the_processes_that_hold_it,
    a_tmpfs_forgets,
    directories_binds_and_overlays_stand_on_each_other,
    a_raw_disk_is_what_is_there_already,
    resources_on_a_device_are_seen_and_stopped_whatever_happens_to_the_disk,
    a_file_system_stands_on_a_disk_that_stands_on_two_others,
);

fn on_a_disk(world: &World, kind: &str, size: &str) {
    if !crate::storage::kernel_has(kind) {
        return;
    }
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {{w}}/web.img\nsize = {size}\n\
         [fs#1]\ntype = {kind}\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {{w}}/site\n"
    );
    world.create("web", &config);
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "disk#1 up, fs#1 up");
    fs::write(world.path("site/data"), "kept").unwrap();
    world.om("web stop").ok();
    assert!(!world.exists("site/data"), "still mounted");
    world.om("web start").ok();
    assert_eq!(world.read("site/data"), "kept");
    world.om("web provision").ok();
    assert_eq!(world.read("site/data"), "kept", "provisioned twice");
    world.om("web unprovision --confirm").ok();
    assert!(!world.exists("web.img"));
}

/// Whether the kernel knows this kind of file system, perhaps after loading a module.
pub(crate) fn kernel_has(kind: &str) -> bool {
    let _ = Command::new("modprobe").args(["-q", kind]).status();
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let has = known.lines().any(|line| line.split_whitespace().last() == Some(kind));
    if !has {
        println!("storage: skipped: the kernel has no {kind}");
    }
    has
}

fn ext4_is_made_and_keeps_data(world: &World) {
    on_a_disk(world, "ext4", "32m");
}

fn xfs_is_made_and_keeps_data(world: &World) {
    on_a_disk(world, "xfs", "320m");
}

fn btrfs_is_made_and_keeps_data(world: &World) {
    on_a_disk(world, "btrfs", "160m");
}

fn a_device_that_holds_data_is_not_formatted_again(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    fs::File::create(world.path("web.img")).unwrap().set_len(32 << 20).unwrap();
    let made = Command::new("mkswap").arg(world.path("web.img")).output().unwrap();
    assert!(made.status.success());
    let before = fs::read(world.path("web.img")).unwrap();
    world.create("web", config);
    world.om("web provision").ends(1).says("fs#1").says("swap");
    assert!(fs::read(world.path("web.img")).unwrap() == before, "the device was written on");
}

fn a_label_is_given_to_the_disk_beside_and_found_again(world: &World) {
    for (kind, size) in [("ext4", "32m"), ("xfs", "320m"), ("btrfs", "160m")] {
        if !kernel_has(kind) {
            continue;
        }
        let label = format!("e2e{}{kind}", world.number());
        let config = "[DEFAULT]\nnodes = n1\n[disk#00]\ntype = loop\nfile = {w}/web.img\nsize = {size}\n\
                      [fs#00]\ntype = {kind}\ndev = LABEL={label}\nmnt = {w}/site\nmnt_opt = defaults,rw\n";
        world.create("web", &config.replace("{size}", size).replace("{kind}", kind).replace("{label}", &label));
        world.om("web start --rid fs#00").ends(1).says(&format!("LABEL={label} does not exist"));
        world.om("web provision").ok();
        assert_eq!(world.states("web"), "disk#00 up, fs#00 up");
        let shown = format!("LABEL={label}@{}/site", world.directory().display());
        assert_eq!(world.status("web")["resources"]["fs#00"]["label"], shown);
        fs::write(world.path("site/data"), kind).unwrap();
        world.om("web stop").ok();
        world.om("web start").ok();
        assert_eq!(world.read("site/data"), kind);
        world.om("web provision").ok();
        assert_eq!(world.read("site/data"), kind, "provisioned twice");
        world.om("web unprovision --confirm").ok();
        world.om("web delete").ok();
    }
}

/// While the file system is mounted, its label may change, or another device may get it.
fn a_mount_is_unmounted_even_if_dev_has_changed(world: &World) {
    let label = format!("e2e{}", world.number());
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = LABEL={label}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{label}", &label));
    world.om("web provision").ok();
    let relabelled = Command::new("e2label").arg(attached(world)).arg("other").status().unwrap();
    assert!(relabelled.success());
    assert_eq!(world.states("web"), "disk#1 up, fs#1 up");
    world.om("web stop").ok().says(&format!("fs#1: unmounted ext4 LABEL={label}"));
    assert_eq!(world.states("web"), "disk#1 down, fs#1 down");
    world.om("web unprovision --confirm").ok();
}

/// The loop device of `web.img`.
fn attached(world: &World) -> String {
    let mut look = Command::new("losetup");
    let found =
        look.args(["--noheadings", "--output", "NAME", "--associated"]).arg(world.path("web.img")).output().unwrap();
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}

fn a_device_that_appears_late_is_waited_for(world: &World) {
    fs::File::create(world.path("web.img")).unwrap().set_len(32 << 20).unwrap();
    let attached = Command::new("losetup").args(["-f", "--show"]).arg(world.path("web.img")).output().unwrap();
    let device = String::from_utf8_lossy(&attached.stdout).trim().to_owned();
    assert!(attached.status.success() && !device.is_empty());
    let link = PathBuf::from(format!("/dev/hostler-e2e-{}-{}", std::process::id(), world.number()));
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {dev}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{dev}", &link.display().to_string()));
    for action in ["provision", "start"] {
        let waiting = world.spawn(&format!("web {action}"));
        until("the action has begun", || world.read("root/log/web.log").contains(&format!(">>> do {action}")));
        std::os::unix::fs::symlink(&device, &link).unwrap();
        let ended = waiting.wait_with_output().unwrap();
        assert!(ended.status.success(), "{action}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(world.states("web"), "fs#1 up");
        world.om("web stop").ok();
        fs::remove_file(&link).unwrap();
    }
    assert!(Command::new("losetup").args(["-d", &device]).status().unwrap().success());
}

fn a_busy_file_system_names_the_processes_that_hold_it(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", config);
    world.om("web provision").ok();
    let mut holder = Command::new("sleep").arg("600").current_dir(world.path("site")).spawn().unwrap();
    let held = format!("held by sleep (pid {}, cwd)", holder.id());
    world.om("web stop").ends(1).says(&held);
    holder.kill().unwrap();
    holder.wait().unwrap();
    let nested = world.path("site/nested");
    fs::create_dir(&nested).unwrap();
    assert!(Command::new("mount").args(["-t", "tmpfs", "inside"]).arg(&nested).status().unwrap().success());
    world.om("web stop").ends(1).says(&format!("inside is mounted on {}", nested.display()));
    assert!(Command::new("umount").arg(&nested).status().unwrap().success());
    world.om("web stop").ok();
    world.om("web unprovision --confirm").ok();
}

fn resources_on_a_device_are_seen_and_stopped_whatever_happens_to_the_disk(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", config);
    world.om("web provision").ok();
    world.om("driver deny disk.loop").ok();
    assert_eq!(world.states("web"), "disk#1 warn, fs#1 up");
    world.om("web print status --refresh").says("its driver cannot tell, but it still holds");
    world.om("driver allow disk.loop --yes").ok();
    let file = world.path("web.img");
    world.om(&format!("web set --kw disk#1.file={}.new", file.display())).ok();
    assert_eq!(world.states("web"), "disk#1 warn, fs#1 up");
    world.om("web stop").ok().says("unmounted").says("detached");
    assert_eq!(world.states("web"), "disk#1 down, fs#1 down");
    world.om(&format!("web set --kw disk#1.file={}", file.display())).ok();
    world.om("web stop").ok();
    world.om("web unprovision --confirm").ok();
}

fn a_tmpfs_forgets(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/site\nsize = 1m\n");
    world.om("web start").ok();
    fs::write(world.path("site/data"), "gone").unwrap();
    assert!(fs::write(world.path("site/more"), vec![0; 2 << 20]).is_err(), "the size is not enforced");
    world.om("web restart").ok();
    assert!(!world.exists("site/data"));
    world.om("web stop").ok();
}

fn directories_binds_and_overlays_stand_on_each_other(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = directory\npath = {w}/base\nperm = 750\n\
                  [fs#2]\ntype = bind\ndev = {w}/base\nmnt = {w}/bound\n\
                  [fs#3]\ntype = overlay\nlower = {w}/bound\nupper = {w}/over/upper\nwork = {w}/over/work\nmnt = {w}/merged\n";
    world.create("web", config);
    fs::create_dir(world.path("over")).unwrap();
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 n/a, fs#2 up, fs#3 up");
    fs::write(world.path("base/a"), "below").unwrap();
    assert_eq!((world.read("bound/a"), world.read("merged/a")), ("below".to_owned(), "below".to_owned()));
    fs::write(world.path("merged/a"), "above").unwrap();
    assert_eq!((world.read("base/a"), world.read("over/upper/a")), ("below".to_owned(), "above".to_owned()));
    world.om("web stop").ok();
    assert_eq!(world.read("base/a"), "below", "a directory is data");
}

fn a_raw_disk_is_what_is_there_already(world: &World) {
    fs::File::create(world.path("web.img")).unwrap().set_len(32 << 20).unwrap();
    let attached = Command::new("losetup").args(["-f", "--show"]).arg(world.path("web.img")).output().unwrap();
    let device = String::from_utf8_lossy(&attached.stdout).trim().to_owned();
    assert!(attached.status.success() && !device.is_empty());
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = raw\ndevs = {dev}\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{dev}", &device));
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "disk#1 n/a, fs#1 up");
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "disk#1 n/a, fs#1 down", "a raw disk is there, whatever the service does");
    world.om("web unprovision --confirm").ok();
    assert!(Command::new("losetup").args(["-d", &device]).status().unwrap().success());
}

fn a_file_system_stands_on_a_disk_that_stands_on_two_others(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/one.img\nsize = 32m\n\
                  [disk#2]\ntype = loop\nfile = {w}/two.img\nsize = 32m\n\
                  [disk#3]\ntype = raw\ndevs = {disk#1.exposed_devs[0]} {disk#2.exposed_devs[0]}\n\
                  [fs#1]\ntype = ext4\ndev = {disk#3.exposed_devs[1]}\nmnt = {w}/site\n";
    world.create("web", config);
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "disk#1 up, disk#2 up, disk#3 n/a, fs#1 up");
    world.om("web stop").ok();
    world.om("web start").ok();
    world.is("web", "up");
    world.om("web unprovision --confirm").ok();
}
