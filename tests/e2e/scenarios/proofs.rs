//! After a stop the host itself looks: what is left is named, and what hangs is freed. And what an operator is told who changes the
//! configuration of something that is up.

use std::fs;
use std::os::unix::fs::symlink;

use crate::daemon::Daemon;
use crate::devices::output;
use crate::holdings::{devices, in_another_namespace};
use crate::mounts::{TrustedPlace, at, ext4, is_mounted, on};
use crate::world::{World, until};

crate::trials!(
    a_bind_mount_of_somebody_else_fails_the_stop_by_name,
    a_copy_in_another_namespace_fails_the_stop_by_name_without_a_disk,
    a_mount_point_whose_link_was_turned_keeps_no_disk_busy,
    a_frozen_file_system_is_thawed_and_its_device_is_free,
    a_bind_of_a_directory_below_the_root_of_its_file_system_is_adopted,
    an_editor_is_told_what_is_up,
    a_section_of_what_is_up_is_neither_renamed_nor_replaced_in_silence,
    what_is_disabled_while_it_is_up_is_not_down,
    an_object_that_has_no_instance_here_any_more_is_stopped_where_it_holds_something,
    a_device_that_only_the_kernel_still_uses_is_not_down,
);

fn a_bind_mount_of_somebody_else_fails_the_stop_by_name(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    world.om("web start").ok();
    for directory in ["data/web", "other"] {
        fs::create_dir(world.path(directory)).unwrap();
    }
    output("mount", &["--bind", &at(world, "data/web"), &at(world, "other")]);
    let place = format!("mounted on {}", at(world, "other"));
    world.om("web stop").ends(1).says(&format!("it still holds ext4 of {}", device.0)).says(&place);
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status").says("is unmounted, and its file system is in use elsewhere: a stop says where");
    world.om("web start").ends(1).says("in use elsewhere");
    world.om("web stop").ends(1).says(&place).does_not_say("unmounted ext4");
    output("umount", &[&at(world, "other")]);
    world.om("web stop").ok().says("instance status is now down");
    assert!(!is_mounted(&device.0));
    world.om("web delete --force").ok();
}

fn a_copy_in_another_namespace_fails_the_stop_by_name_without_a_disk(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    world.om("web start").ok();
    let mut other = in_another_namespace(world);
    let place = format!("in the mount namespace of sleep (pid {})", other.id());
    world.om("web stop").ends(1).says(&place);
    assert!(!world.states("web").contains("down"));
    other.kill().unwrap();
    other.wait().unwrap();
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_mount_point_whose_link_was_turned_keeps_no_disk_busy(world: &World) {
    let place = TrustedPlace::new(world);
    for name in ["v1", "v2"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    symlink(place.at("v1"), place.at("cur")).unwrap();
    let disk = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n";
    let fs = format!("[fs#1]\ntype = ext4\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {}\n", place.at("cur/data"));
    world.create("web", &format!("{disk}{fs}"));
    world.om("web provision").ok();
    fs::remove_file(place.at("cur")).unwrap();
    symlink(place.at("v2"), place.at("cur")).unwrap();
    world.om("web stop").ok().says("detached /dev/loop").says("instance status is now down");
    assert!(!is_mounted(&place.at("v1/data")));
    assert_eq!(devices(world), "");
    world.om("web unprovision --confirm").ok();
}

fn a_frozen_file_system_is_thawed_and_its_device_is_free(world: &World) {
    world.create("web", &format!("{}[fs#1]\ntype = ext4\ndev = {{disk#1.exposed_devs[0]}}\nmnt = {{w}}/data\n", DISK));
    world.om("web provision").ok();
    output("fsfreeze", &["--freeze", &at(world, "data")]);
    world.om("web stop").ok().says("which was frozen: what froze it, such as a backup, is not complete");
    assert_eq!((world.states("web").as_str(), devices(world)), ("disk#1 down, fs#1 down", String::new()));
    world.om("web start").ok().does_not_say("frozen");
    world.om("web stop").ok().does_not_say("frozen");
    world.om("web unprovision --confirm").ok();
}

const DISK: &str = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n";

fn a_bind_of_a_directory_below_the_root_of_its_file_system_is_adopted(world: &World) {
    let device = ext4(world);
    fs::create_dir(world.path("data")).unwrap();
    output("mount", &[&device.0, &at(world, "data")]);
    for directory in ["data/web", "data/other", "www"] {
        fs::create_dir(world.path(directory)).unwrap();
    }
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/data/web\nmnt = {w}/www\n");
    // The mount of another directory is not the one that the keywords ask for.
    output("mount", &["--bind", &at(world, "data/other"), &at(world, "www")]);
    world.om("web start").ends(1).says("cannot be taken on").does_not_say("--adopt");
    world.om("web start --local --adopt").ends(1).says("it shows another directory than").does_not_say("fault");
    output("umount", &[&at(world, "www")]);
    output("mount", &["--bind", &at(world, "data/web"), &at(world, "www")]);
    world.om("web start").ends(1).says("--adopt");
    world.om("web start --local --adopt").ok().says("took on bind of");
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "www")));
    output("umount", &[&at(world, "data")]);
    world.om("web delete").ok();
}

fn an_editor_is_told_what_is_up(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/a\nsize = 1m\n");
    world.om("web start").ok();
    let note = format!("fs#1 applies at the next start: it is up now with tmpfs on {}", at(world, "a"));
    world.om_with("web edit", &[("EDITOR", "sed -i s/1m/2m/")]).ok().says(&note);
    world.om("web set --kw fs#1.size=3m").ok().says(&note);
    world.om_with("web edit", &[("EDITOR", "sed -i s/fs#1/fs#2/")]).ends(1).says("is needed to stop what is held");
    world.om_with("web edit --discard", &[("EDITOR", "true")]).ok();
    world.om("web stop").ok();
    world.om("web delete").ok();
}

fn a_section_of_what_is_up_is_neither_renamed_nor_replaced_in_silence(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#2]\ntype = simple\nstart = /bin/sleep 1000\n");
    world.om("web start").ok();
    world.om("web unset --section app#2").ends(1).says("the section app#2 is needed to stop what is held");
    world.om("web delete").ends(1);
    // --force keeps what runs, and says where to find it.
    let other = world.write("other.conf", "[DEFAULT]\nnodes = n1\n[app#3]\ntype = simple\nstart = /bin/sleep 1000\n");
    let force = format!("web create --config {} --force", other.display());
    world.om(&force).ok().says("app#2 is gone").says("om node print holdings --orphans");
    world.om("node print holdings --orphans").ok().says("app#2");
    // It is not down: neither to people nor to programs, and not to a daemon.
    let note = "held for app#2, a section that is gone";
    for options in ["", " --refresh", ""] {
        world.om(&format!("web print status{options}")).ok().says("warn").says(note);
    }
    let status = world.status("web");
    assert_eq!((&status["avail"], &status["overall"]), (&"warn".into(), &"warn".into()));
    assert_eq!(status["orphans"][0]["rid"], "app#2");
    assert!(status["notes"][0].as_str().unwrap().contains(note));
    let daemon = Daemon::start(world);
    until("the daemon has looked", || {
        let mon = world.om("mon");
        mon.stdout.contains(note) && mon.stdout.contains("web") && mon.stdout.contains("!!")
    });
    world.om("web print status").ok().says(note);
    drop(daemon);
    // Another name is no reason to run it twice, or to call it down.
    world.om("web start").ends(1).says("refused before anything was touched").says("app#2");
    world.om("web stop").ends(1).says("web is not down").says("app#2");
    let first = world.write("first.conf", "[DEFAULT]\nnodes = n1\n[app#2]\ntype = simple\nstart = /bin/sleep 1000\n");
    world.om(&format!("web create --config {} --force", first.display())).ok();
    world.om("web stop").ok();
    world.om("web delete").ok();
}

fn what_is_disabled_while_it_is_up_is_not_down(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/a\n[fs#2]\ntype = flag\n");
    world.om("web start").ok();
    for (keyword, reason) in [("disable", "which is disabled"), ("encap", "inside its container only")] {
        world.om(&format!("web set --kw fs#1.{keyword}=true")).ok();
        // What is disabled is left alone, and what is up is up all the same.
        world.om("web print status").ok().says(reason);
        assert_eq!(
            (world.status("web")["avail"].as_str(), world.status("web")["overall"].as_str()),
            (Some("up"), Some("warn"))
        );
        world.om("web stop").ends(1).says("web is not down").says("fs#1").says(keyword);
        assert_eq!(world.status("web")["avail"], "warn");
        world.om("web start").ok();
        world.om(&format!("web unset --kw fs#1.{keyword}")).ok();
        assert_eq!(world.states("web"), "fs#1 up, fs#2 up");
    }
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "a")));
    world.om("web set --kw fs#1.disable=true").ok();
    world.om("web print status").ok().does_not_say("which is disabled");
    world.om("web delete").ok();
}

fn an_object_that_has_no_instance_here_any_more_is_stopped_where_it_holds_something(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/a\n");
    world.om("web start").ok();
    world.om("web set --kw nodes=n2").ok();
    world.om("web print status").ok().says("fs#1").says(" up ");
    world.om("web stop").ends(1).says("om web instance stop");
    world.om("web instance start").ends(3).says("it runs on n2");
    world.om("web instance stop").ok();
    assert!(!is_mounted(&at(world, "a")));
    world.om("web print status").ok().says("it runs on n2");
    world.om("web stop").ends(3).says("it runs on n2");
    world.om("web delete").ok();
}

fn a_device_that_only_the_kernel_still_uses_is_not_down(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    // An administrator has unmounted it although a program has a file open: the kernel writes to it for as long.
    world.om("web start").ok();
    let open = fs::File::create(world.path("data/file")).unwrap();
    output("umount", &["-l", &at(world, "data")]);
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web stop").ends(1).says(&format!("the kernel still uses {}", device.0));
    drop(open);
    world.om("web stop").ok().says("instance status is now down");
    world.om("web delete --force").ok();
}
