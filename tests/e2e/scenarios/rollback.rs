//! A failed start restores the previous state, unless rollback is turned off.

use std::fs;

use crate::world::World;

crate::trials!(
    a_failed_start_undoes_what_it_did_and_nothing_else,
    a_mount_over_files_is_refused_and_rolled_back,
    a_rollback_goes_on_past_what_cannot_be_undone,
    a_rollback_can_be_turned_off,
    a_failed_provision_destroys_nothing,
    a_stop_goes_on_past_failures,
);

const N1: &str = "[DEFAULT]\nnodes = n1\n";

fn three(world: &World, default: &str, more: &str) {
    let config = format!("{N1}{default}{}{}{}{more}", world.app("1", ""), world.app("2", ""), world.app("3", ""));
    world.create("web", &config);
}

fn a_failed_start_undoes_what_it_did_and_nothing_else(world: &World) {
    three(world, "", "[fs#1]\ntype = flag\n");
    world.om("web start --rid app#1").ok();
    world.take_marks();
    world.write("broken.3", "");
    let ran = world.om("web start").ends(1).says("failed at app#3, rolled back").says("rollback: app#2");
    assert!(ran.stderr.contains("rollback: app#1: left as it was before this action"), "{ran}");
    assert_eq!(world.take_marks(), "+2 -2");
    assert_eq!(world.states("web"), "app#1 up, app#2 down, app#3 down, fs#1 down");
    world.om("web stop").ok();
}

fn a_mount_over_files_is_refused_and_rolled_back(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", config);
    world.om("web provision").ok();
    world.om("web stop").ok();
    world.write("site/precious", "seen");
    world.om("web start").ends(1).says("failed at fs#1, rolled back").says("overmount");
    assert_eq!(world.states("web"), "disk#1 down, fs#1 down");
    assert_eq!(world.read("site/precious"), "seen");
    fs::remove_file(world.path("site/precious")).unwrap();
    world.om("web start").ok();
    world.om("web stop").ok();
}

fn a_rollback_goes_on_past_what_cannot_be_undone(world: &World) {
    let stuck = "[app#2]\ntype = forking\nstart = {w}/act start 2\nstop = /bin/false\ncheck = {w}/act check 2\n";
    let config = format!("{N1}{}{}{}", world.app("1", ""), world.fill(stuck), world.app("3", ""));
    world.create("web", &config);
    world.write("broken.3", "");
    world.om("web start").ends(1).says("rolled back all but app#2");
    assert_eq!(world.states("web"), "app#1 down, app#2 up, app#3 down");
    assert_eq!(world.take_marks(), "+1 +2 -1");
}

fn a_rollback_can_be_turned_off(world: &World) {
    three(world, "", "");
    world.write("broken.2", "");
    world.om("web start --disable-rollback").ends(1).says("--disable-rollback");
    assert_eq!(world.states("web"), "app#1 up, app#2 down, app#3 down");
    world.om("web stop").ok();
    world.om("web set --kw rollback=false").ok();
    world.om("web start").ends(1).says("rollback = false");
    assert_eq!(world.states("web"), "app#1 up, app#2 down, app#3 down");
    world.om("web stop").ok();
    assert_eq!(world.take_marks(), "+1 -1 +1 -1");
}

fn a_failed_provision_destroys_nothing(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", &format!("{config}{}", world.app("1", "")));
    world.write("broken.1", "");
    world.om("web provision").ends(1).says("rolled back");
    assert_eq!(world.states("web"), "app#1 down, disk#1 down, fs#1 down");
    assert!(world.exists("web.img"), "the storage is gone");
    fs::remove_file(world.path("broken.1")).unwrap();
    world.om("web provision").ok().does_not_say("mkfs");
    world.om("web unprovision --confirm").ok();
}

fn a_stop_goes_on_past_failures(world: &World) {
    let stuck = "[app#2]\ntype = forking\nstart = {w}/act start 2\nstop = /bin/false\ncheck = {w}/act check 2\n";
    world.create("web", &format!("{N1}{}{}{}", world.app("1", ""), world.fill(stuck), world.app("3", "")));
    world.om("web start").ok();
    world.take_marks();
    world.om("web stop").ends(1).says("failed at app#2");
    assert_eq!(world.take_marks(), "-3 -1");
    assert_eq!(world.states("web"), "app#1 down, app#2 up, app#3 down");
    assert_eq!(world.status("web")["frozen"], false, "a failed stop does not count as a stop");
}
