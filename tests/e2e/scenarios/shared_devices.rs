//! File systems that something else shows besides the resource that mounted them: another resource of the object, another object, and
//! a mount that reached a bind from its source. And devices that are found by what another object has written on its own.

use std::fs;

use crate::devices::{HandLoop, output};
use crate::escapes::{OWN_VOLUMES, policy};
use crate::holdings::devices;
use crate::mounts::{TrustedPlace, at, ext4, is_mounted, on};
use crate::world::World;

crate::trials!(
    what_a_sibling_used_on_is_looked_for_until_the_device_is_free,
    a_device_that_another_object_shows_is_not_down,
    a_device_that_an_optional_sibling_keeps_is_not_down,
    what_was_mounted_in_the_source_of_a_bind_keeps_no_stop_from_succeeding,
    a_label_leads_to_no_device_of_another_namespace,
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
    // What it holds is not to be taken on.
    world.create("twin", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/data/web\nmnt = {w}/www\n");
    world.om("twin start").ends(1).says("is held by fs#1 of web: stop that one first").does_not_say("--adopt");
    world.om("twin delete --force").ok();
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

/// The object of a namespace attaches an image, on which it may write any label.
fn labelled(world: &World, namespace: &str, name: &str, label: &str) -> String {
    let object = if namespace == "root" { name.to_owned() } else { format!("{namespace}/svc/{name}") };
    let file = format!("srv/{namespace}/{name}.img");
    fs::create_dir_all(world.path(&format!("srv/{namespace}"))).unwrap();
    fs::File::create(world.path(&file)).unwrap().set_len(16 << 20).unwrap();
    output("mkfs.ext4", &["-q", "-F", "-L", label, &at(world, &file)]);
    world.create(&object, &format!("[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {{w}}/{file}\n"));
    world.om(&format!("{object} start")).ok();
    let list = devices(world);
    let line = list.lines().find(|line| line.ends_with(&file)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

fn a_label_leads_to_no_device_of_another_namespace(world: &World) {
    let label = format!("lure{}x{}", std::process::id(), world.number());
    for namespace in ["ns1", "ns2"] {
        let found = "allow mount = ext4 LABEL=* on {w}/srv/{namespace}/**\nallow block.read = LABEL=*\n";
        policy(world, namespace, &format!("{OWN_VOLUMES}{found}"));
    }
    let lure = labelled(world, "ns1", "lure", &label);
    let config = |namespace: &str| {
        format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = LABEL={label}\nmnt = {{w}}/srv/{namespace}/mnt\n")
    };
    // Neither is mounted what ns1 has labelled, nor does anyone learn of it.
    for (object, namespace) in [("web", "root"), ("ns2/svc/web", "ns2")] {
        world.create(object, &config(namespace));
        world.om(&format!("{object} start")).ends(1).says(&format!("LABEL={label}")).does_not_say(&lure);
        world.om(&format!("{object} print status --refresh")).ok().does_not_say(&lure);
        assert!(!is_mounted(&lure), "{object}");
    }
    // Nor by the link that udev makes of it.
    let link = std::path::Path::new("/dev/disk/by-label").join(&label);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(&lure, &link).unwrap();
    world.om(&format!("web set --kw fs#1.dev={}", link.display())).ok();
    let linked = world.om("web start");
    fs::remove_file(&link).unwrap();
    linked.ends(1).says("does not exist").does_not_say(&lure);
    world.om(&format!("web set --kw fs#1.dev=LABEL={label}")).ok();
    // Nor is it in the way of the device that is meant.
    let meant = HandLoop::new(world, "meant.img", 16);
    output("mkfs.ext4", &["-q", "-L", &label, &meant.0]);
    world.om("web start").ok();
    assert!(is_mounted(&meant.0));
    world.om("web stop").ok();
    // Two that the object may know of are named, and no third.
    let twin = labelled(world, "root", "twin", &label);
    world.om("web start").ends(1).says("is on 2 devices").says(&meant.0).says(&twin).does_not_say(&format!("{lure},"));
    for object in ["ns1/svc/lure", "twin"] {
        world.om(&format!("{object} stop")).ok();
        world.om(&format!("{object} delete --force")).ok();
    }
    world.om("web,ns2/svc/web delete --force").ok();
}
