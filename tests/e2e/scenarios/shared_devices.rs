//! File systems that something else shows besides the resource that mounted them: another resource of the object, another object, and
//! a mount that reached a bind from its source.

use std::fs;

use crate::devices::output;
use crate::mounts::{TrustedPlace, at, ext4, is_mounted, on};
use crate::world::World;

crate::trials!(
    what_a_sibling_used_on_is_looked_for_until_the_device_is_free,
    a_device_that_another_object_shows_is_not_down,
    a_device_that_an_optional_sibling_keeps_is_not_down,
    what_was_mounted_in_the_source_of_a_bind_keeps_no_stop_from_succeeding,
);

fn what_a_sibling_used_on_is_looked_for_until_the_device_is_free(world: &World) {
    let device = ext4(world);
    let bind = "[fs#2]\ntype = bind\ndev = {w}/data/web\nmnt = {w}/www\n";
    world.create("web", &(on(&device, "{w}/data") + bind));
    for stops in [&["stop --rid fs#1", "stop"][..], &["stop --rid fs#1", "stop --rid fs#2"]] {
        world.om("web start --rid fs#1").ok();
        for directory in ["data/web", "other"] {
            fs::create_dir_all(world.path(directory)).unwrap();
        }
        world.om("web start").ok();
        // It shows the same directory as fs#2 does.
        output("mount", &["--bind", &at(world, "data/web"), &at(world, "other")]);
        let (last, first) = stops.split_last().unwrap();
        for stop in first {
            world.om(&format!("web {stop}")).ok();
        }
        world.om(&format!("web {last}")).ends(1).says(&format!("mounted on {}", at(world, "other")));
        assert!(world.states("web").contains("warn"), "{}", world.states("web"));
        output("umount", &[&at(world, "other")]);
        world.om("web stop").ok().says("instance status is now down");
        assert!(!is_mounted(&device.0));
    }
    world.om("web delete --force").ok();
}

fn a_device_that_another_object_shows_is_not_down(world: &World) {
    let device = ext4(world);
    world.create("data", &on(&device, "{w}/data"));
    world.om("data start").ok();
    fs::create_dir(world.path("data/web")).unwrap();
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/data/web\nmnt = {w}/www\n");
    world.om("web start").ok();
    world.om("data stop").ends(1).says(&format!("mounted on {}, by fs#1 of web", at(world, "www")));
    assert_eq!(world.states("data"), "fs#1 warn");
    world.om("web stop").ok();
    world.om("data stop").ok().says("instance status is now down");
    world.om("web,data delete --force").ok();
}

fn a_device_that_an_optional_sibling_keeps_is_not_down(world: &World) {
    let device = ext4(world);
    let bind = "[fs#2]\ntype = bind\ndev = {w}/data/web\nmnt = {w}/www\noptional = true\n";
    world.create("web", &(on(&device, "{w}/data") + bind));
    world.om("web start --rid fs#1").ok();
    fs::create_dir(world.path("data/web")).unwrap();
    world.om("web start").ok();
    let open = fs::File::create(world.path("www/file")).unwrap();
    world.om("web stop").ends(1).says("its file system is in use by fs#2");
    assert!(is_mounted(&at(world, "www")));
    drop(open);
    world.om("web stop").ok().says("instance status is now down");
    assert!(!is_mounted(&device.0));
    world.om("web delete --force").ok();
}

fn what_was_mounted_in_the_source_of_a_bind_keeps_no_stop_from_succeeding(world: &World) {
    let place = TrustedPlace::new(world);
    output("mount", &["-t", "tmpfs", "tree", &place.at("")]);
    output("mount", &["--make-shared", &place.at("")]);
    let (source, copy) = (place.at("src/late"), place.at("dst/late"));
    fs::create_dir_all(&source).unwrap();
    fs::create_dir(place.at("dst")).unwrap();
    for option in ["", "mnt_opt = rbind\n"] {
        let (dev, mnt) = (place.at("src"), place.at("dst"));
        let config = format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {dev}\nmnt = {mnt}\n{option}");
        world.create("web", &config);
        world.om("web start").ok();
        output("mount", &["-t", "tmpfs", "late", &source]);
        assert!(is_mounted(&copy), "the kernel makes the mount in the copy too");
        world.om("web stop").ok().says("instance status is now down");
        assert!(is_mounted(&source) && !is_mounted(&copy));
        output("umount", &[&source]);
        // What was mounted in the copy itself stays, and is named.
        world.om("web start").ok();
        output("mount", &["-t", "tmpfs", "own", &copy]);
        assert!(!is_mounted(&source), "a mount in the copy reaches its source");
        world.om("web stop").ends(1).says(&copy);
        output("umount", &[&copy]);
        world.om("web stop").ok();
        world.om("web delete --force").ok();
    }
}
