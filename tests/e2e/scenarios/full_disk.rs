//! A full or read-only disk: actions that change something are refused before they act, but a stop works.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::world::{World, until};

crate::trials!(
    on_a_full_disk_nothing_begins_and_a_stop_works,
    on_a_read_only_disk_nothing_begins_and_a_stop_works,
    where_everything_is_read_only_a_stop_works_one_at_a_time,
    a_full_run_directory_does_not_forbid_what_the_disk_has_room_for,
    a_full_log_disk_fails_no_action,
    a_configuration_is_not_lost_on_a_full_disk,
);

/// A small file system on a directory of the agent.
struct Small<'w>(&'w World, &'static str);

impl<'w> Small<'w> {
    fn on(world: &'w World, directory: &'static str) -> Small<'w> {
        let path = world.path(directory);
        fs::create_dir_all(&path).unwrap();
        mount(Some("small"), &path, Some("tmpfs"), MsFlags::empty(), Some("size=1m")).unwrap();
        Small(world, directory)
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.path(self.1).join("ballast")
    }

    fn read_only(&self, yes: bool) {
        let flags = if yes { MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY } else { MsFlags::MS_REMOUNT };
        mount(None::<&str>, &self.0.path(self.1), None::<&str>, flags, None::<&str>).unwrap();
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let path: &Path = &self.0.path(self.1);
        let _ = umount2(path, MntFlags::MNT_DETACH);
    }
}

/// The same story for every fault of the disk.
fn story(world: &World, break_it: impl Fn(&Small<'_>), mend_it: impl Fn(&Small<'_>), reason: &str) {
    let var = Small::on(world, "root/var");
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    world.create("new", "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/new.img\nsize = 1m\n");
    world.om("web start").ok();
    break_it(&var);
    world.om("web print status").ok();
    world.om("new provision").ends(1).says("refused before anything was touched").says(reason);
    assert!(!world.exists("new.img"));
    // Its journal has had its room since the first start.
    for action in ["restart", "start --force"] {
        world.om("web stop --local").ok();
        world.take_marks();
        world.om(&format!("web {action}")).ends(1).says("refused before anything was touched").says(reason);
        assert_eq!(world.take_marks(), "", "{action} has acted");
    }
    for edit in ["set --kw app=shop", "unset --kw app", "disable --rid app#1"] {
        world.om(&format!("web {edit}")).ends(if edit.starts_with("unset") { 0 } else { 1 });
    }
    world.om("other create --kw fs#1.type=flag").ends(1).says(reason);
    assert!(!world.exists("root/etc/other.conf"));
    world.om("node set --kw node.env=TST").ends(1).says(reason);
    mend_it(&var);
    world.om("web start").ok();
    break_it(&var);
    world.om("web stop").ok().says("not frozen").says(reason);
    assert_eq!(world.take_marks(), "+1 -1");
    world.is("web", "down");
    mend_it(&var);
    world.om("new provision").ok();
    world.om("new unprovision --confirm").ok();
    world.om("web start").ok();
    world.om("web stop").ok();
}

fn on_a_full_disk_nothing_begins_and_a_stop_works(world: &World) {
    story(world, |small| small.fill(), |small| small.free(), "No space left");
}

fn on_a_read_only_disk_nothing_begins_and_a_stop_works(world: &World) {
    story(world, |var| var.read_only(true), |var| var.read_only(false), "Read-only file system");
}

fn where_everything_is_read_only_a_stop_works_one_at_a_time(world: &World) {
    let root = Small::on(world, "root");
    let slow = "[app#1]\ntype = forking\nstart = {w}/act start 1\nstop = {w}/act slow 1\ncheck = {w}/act check 1\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("2", "")));
    world.create("slow", &format!("[DEFAULT]\nnodes = n1\n{}", world.fill(slow)));
    for object in ["web", "slow"] {
        world.om(&format!("{object} start")).ok();
    }
    root.read_only(true);
    world.om("web start").ends(1).says("Read-only file system");
    world.om("web stop").ok().says("not frozen").says("Read-only file system");
    assert!(world.states("web").contains("app#2 down"));
    let mut stopping = world.spawn("slow stop");
    until("the slow one is at it", || world.marks().contains("~1"));
    world.om("slow stop").ends(5).says("busy");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(stopping.id() as i32), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    stopping.wait().unwrap();
    root.read_only(false);
    fs::remove_file(world.path("up.1")).unwrap();
    world.om("slow stop").ok();
}

fn a_full_run_directory_does_not_forbid_what_the_disk_has_room_for(world: &World) {
    let journals = Small::on(world, "root/run/journal");
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", world.app("1", "")));
    journals.fill();
    world.om("web start").ok().does_not_say("without a journal");
    assert!(world.exists("root/var/svc/web/journal"));
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "+1 -1");
}

fn a_full_log_disk_fails_no_action(world: &World) {
    let log = Small::on(world, "root/log");
    world.create(
        "web",
        "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sh -c 'sleep 600; : {w}'\n[fs#1]\ntype = flag\n",
    );
    log.fill();
    world.om("web start").ok();
    world.is("web", "up");
    world.om("web stop").ok();
}

fn a_configuration_is_not_lost_on_a_full_disk(world: &World) {
    let etc = Small::on(world, "root/etc");
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let before = world.read("root/etc/web.conf");
    etc.fill();
    let long = "x".repeat(5000);
    world.om(&format!("web set --kw comment={long}")).ends(1).says("No space left");
    assert_eq!(world.read("root/etc/web.conf"), before);
    world.om(&format!("db create --kw comment={long}")).ends(1).says("No space left");
    assert!(!world.exists("root/etc/db.conf"));
    let left = fs::read_dir(world.path("root/etc")).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name != "web.conf" && name != "ballast").collect();
    assert!(left.is_empty(), "half-written files: {left:?}");
    world.om("web start").ok();
    world.om("web stop").ok();
    etc.free();
    world.om(&format!("web set --kw comment={long}")).ok();
}
