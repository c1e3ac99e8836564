//! What the host knows that resources hold: a stop is done when that is gone, whatever keywords, names and paths say by then.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::daemon::Daemon;
use crate::world::World;

crate::trials!(
    a_device_whose_file_was_moved_is_told_and_detached,
    a_device_whose_keyword_was_edited_is_detached,
    a_device_that_something_else_attached_is_left_alone_and_taken_on_if_asked,
    a_mount_that_is_left_in_another_namespace_fails_the_stop_by_name,
    a_mount_whose_driver_looks_elsewhere_is_not_down,
    a_damaged_record_is_never_down_and_an_operator_who_knows_goes_on,
    what_another_object_holds_is_not_taken_on,
    a_device_that_was_attached_anew_is_a_stranger,
    an_explanation_names_what_is_in_the_way_who_holds_it_and_what_to_type,
);

const DISK: &str = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n";

fn with_fs() -> String {
    format!("{DISK}[fs#1]\ntype = ext4\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {{w}}/site\n")
}

/// The devices that show a file in the world's directory.
pub(crate) fn devices(world: &World) -> String {
    let output = Command::new("losetup").args(["--noheadings", "--output", "NAME,BACK-FILE"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let directory = world.directory().to_str().unwrap().to_owned();
    text.lines().filter(|line| line.contains(&directory)).collect::<Vec<_>>().join("\n")
}

fn a_device_whose_file_was_moved_is_told_and_detached(world: &World) {
    world.create("web", DISK);
    world.om("web provision").ok();
    fs::rename(world.path("web.img"), world.path("moved.img")).unwrap();
    world.om("web print status --refresh").ok().says("moved.img, where the file was moved");
    world.om("web stop").ok().says("detached /dev/loop").says("instance status is now down");
    assert_eq!(devices(world), "");
    fs::rename(world.path("moved.img"), world.path("web.img")).unwrap();
    world.om("web unprovision --confirm").ok();
}

fn a_device_whose_keyword_was_edited_is_detached(world: &World) {
    world.create("web", DISK);
    world.om("web provision").ok();
    let file = world.path("web.img");
    world.om(&format!("web set --kw disk#1.file={}.new", file.display())).ok();
    world.om("web print status --refresh").ok().says("file applies at the next start");
    world.om("web stop").ok().says("instance status is now down");
    assert_eq!(devices(world), "");
}

fn a_device_that_something_else_attached_is_left_alone_and_taken_on_if_asked(world: &World) {
    world.create("web", DISK);
    let file = world.path("web.img");
    fs::File::create(&file).unwrap().set_len(32 << 20).unwrap();
    assert!(Command::new("losetup").args(["--find"]).arg(&file).status().unwrap().success());
    assert_eq!(world.states("web"), "disk#1 down");
    world.om("web start").ends(1).says("but not by this resource: start --local --adopt takes it on");
    world.om("web stop").ok();
    assert_ne!(devices(world), "", "a stranger was detached");
    world.om("web start --local --adopt").ok().says("took on /dev/loop");
    assert_eq!(world.states("web"), "disk#1 up");
    world.om("web stop").ok().says("detached");
    assert_eq!(devices(world), "");
}

/// A process in a mount namespace of its own, a copy of ours as it is now, but for the mounts of other worlds: their stops would fail
/// because of it.
pub(crate) fn in_another_namespace(world: &World) -> Child {
    let own = world.directory().display();
    let script = format!(
        "while read -r _ _ _ _ place _; do case $place in {own}/*) ;; */hostler-e2e-*) echo $place ;; esac; \
         done </proc/self/mountinfo | tac | while read -r place; do umount -l $place; done 2>/dev/null; exec sleep 600"
    );
    let mut sleeper = Command::new("unshare");
    sleeper.args(["--mount", "--propagation", "private", "sh", "-c", &script]).stdout(Stdio::null());
    let child = sleeper.arg0("unshare").spawn().unwrap();
    let own = fs::read_link("/proc/self/ns/mnt").unwrap();
    let namespace = format!("/proc/{}/ns/mnt", child.id());
    crate::world::until("the namespace", || fs::read_link(&namespace).is_ok_and(|namespace| namespace != own));
    crate::world::until("the program", || {
        fs::read_to_string(format!("/proc/{}/comm", child.id())).is_ok_and(|name| name.trim() == "sleep")
    });
    child
}

fn a_mount_that_is_left_in_another_namespace_fails_the_stop_by_name(world: &World) {
    world.create("web", &with_fs());
    world.om("web provision").ok();
    let mut other = in_another_namespace(world);
    let place = format!("in the mount namespace of sleep (pid {})", other.id());
    world.om("web stop").ends(1).says("it still holds ext4 of /dev/loop").says(&place);
    assert!(!world.states("web").contains("fs#1 down"), "{}", world.states("web"));
    other.kill().unwrap();
    other.wait().unwrap();
    world.om("web stop").ok().says("instance status is now down");
    assert_eq!(devices(world), "");
}

fn a_mount_whose_driver_looks_elsewhere_is_not_down(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/site\n");
    world.om("web start").ok();
    world.om(&format!("web set --kw fs#1.mnt={}", world.path("other").display())).ok();
    assert_eq!(world.states("web"), "fs#1 warn");
    let mounted = fs::read_to_string("/proc/self/mounts").unwrap().contains(world.path("site").to_str().unwrap());
    assert!(mounted);
    // Whether the driver knows it again or not: an exit of 0 means that nothing is left.
    let stopped = world.om("web stop");
    let left = fs::read_to_string("/proc/self/mounts").unwrap().contains(world.path("site").to_str().unwrap());
    match left {
        true => stopped.ends(1).says("it still holds tmpfs on"),
        false => stopped.ok(),
    };
    if left {
        world.om(&format!("web set --kw fs#1.mnt={}", world.path("site").display())).ok();
        world.om("web stop").ok();
    }
}

fn a_damaged_record_is_never_down_and_an_operator_who_knows_goes_on(world: &World) {
    world.create("web", DISK);
    world.om("web provision").ok();
    let ledger = world.path("root/run/holdings/svc/web");
    let whole = fs::read(&ledger).unwrap();
    fs::write(&ledger, &whole[..whole.len() - 5]).unwrap();
    let device = devices(world).split_whitespace().next().unwrap().to_owned();
    assert!(Command::new("losetup").args(["--detach", &device]).status().unwrap().success());
    assert_eq!(world.states("web"), "disk#1 warn");
    world.om("web print status --refresh").ok().says("unverified").says("is cut off");
    world.om("web stop").ends(1).says("it still holds what is not known");
    world.om("web stop --force").ends(1);
    world.om("web stop --i-know").ends(1).says("--force");
    world.om("web stop --force --i-know").ok().says("given up").says("instance status is now down");
    assert!(!ledger.exists());
    world.om("driver audit --object web").ok().says("holdings = give up");
    world.om("web unprovision --confirm").ok();
}

fn an_explanation_names_what_is_in_the_way_who_holds_it_and_what_to_type(world: &World) {
    world.create("web", &with_fs());
    world.om("web provision").ok();
    let daemon = Daemon::start(world);
    let mut other = in_another_namespace(world);
    let place = format!("in the mount namespace of sleep (pid {})", other.id());
    world.om("web stop --local").ends(1);
    let explained = world.om("web explain").ok();
    explained.says("fs#1 still holds ext4 of /dev/loop").says(&place).says("end what uses it").says("om web stop");
    other.kill().unwrap();
    other.wait().unwrap();
    world.om("web stop --local").ok();
    world.om("web explain").ok().does_not_say("still holds");
    // A stranger: another program has attached the file.
    assert!(Command::new("losetup").arg("--find").arg(world.path("web.img")).status().unwrap().success());
    world.om("web start --local").ends(1);
    world.om("web explain").ok().says("but not by this resource").says("om web start --local --adopt");
    world.om("web start --local --adopt").ok();
    world.om("web explain").ok().does_not_say("but not by this resource");
    world.om("web stop --local").ok();
    drop(daemon);
    assert_eq!(devices(world), "");
}

fn what_another_object_holds_is_not_taken_on(world: &World) {
    for (config, thing) in [
        ("[fs#1]\ntype = tmpfs\nmnt = {w}/site\n", "tmpfs on"),
        ("[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 16m\n", "/dev/loop"),
    ] {
        for name in ["a", "b"] {
            world.create(name, &format!("[DEFAULT]\nnodes = n1\n{config}"));
        }
        world.om("a provision").ok();
        world.om("b start").ends(1);
        world.om("b start --local --adopt").ends(1).says(thing).says("1 of a: stop that one first");
        world.om("b stop").ok();
        world.is("a", "up");
        world.om("a stop").ok();
        world.om("a,b delete --force").ok();
    }
}

fn a_device_that_was_attached_anew_is_a_stranger(world: &World) {
    world.create("web", DISK);
    world.om("web provision").ok();
    let device = devices(world).split_whitespace().next().unwrap().to_owned();
    let losetup = |words: &[&str]| Command::new("losetup").args(words).status().unwrap().success();
    assert!(losetup(&["--detach", &device]));
    let image = world.path("web.img").display().to_string();
    // Another test may have got the number meanwhile, and then there is nothing to tell apart.
    if !losetup(&["--offset", "4096", &device, &image]) {
        return;
    }
    assert_eq!(world.states("web"), "disk#1 down");
    world.om("web stop").ok();
    assert!(devices(world).contains(&device), "a stranger was detached");
    assert!(losetup(&["--detach", &device]));
    world.om("web unprovision --confirm").ok();
}
