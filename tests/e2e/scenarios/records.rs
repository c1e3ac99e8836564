//! Records whose thing is gone, things whose record is gone, and looks from another namespace: none of them makes a stop say that a
//! service is down while something of it is there.

use std::fs::{self, File};
use std::process::{Child, Command};

use crate::devices::{HandLoop, output};
use crate::holdings::in_another_namespace;
use crate::mounts::{TrustedPlace, at, ext4, is_mounted, on, overlay_base};
use crate::network::ip;
use crate::separate;
use crate::world::World;

crate::trials!(
    a_record_of_what_is_gone_excuses_no_mount_that_got_its_number,
    a_record_of_what_is_gone_excuses_no_use_by_the_kernel,
    a_btrfs_that_only_a_program_still_uses_is_not_down,
    an_overlay_that_only_a_program_still_uses_is_not_mounted_again,
    an_overlay_of_another_namespace_keeps_its_upper_directory,
    a_bind_whose_source_and_mount_point_were_renamed_is_unmounted,
    a_subvolume_that_was_renamed_is_unmounted,
    what_is_left_elsewhere_is_not_down_in_the_status,
    a_record_that_was_removed_is_found_again,
    a_record_in_whose_place_another_was_put_is_unverified,
    a_record_that_was_cut_short_is_unverified,
    a_stop_from_another_namespace_proves_nothing,
    a_btrfs_whose_device_was_replaced_is_looked_for_everywhere,
    a_bind_that_shows_another_directory_by_now_is_a_warning,
    a_stop_that_got_half_way_is_not_up_in_silence,
    a_mount_that_was_only_intended_is_known_again_and_another_on_its_place_is_not,
    what_is_held_is_left_behind_by_a_delete_only_knowingly,
    a_record_that_was_emptied_is_no_reason_to_forget,
    what_is_held_for_a_section_that_is_gone_is_given_up_by_name,
);

fn a_record_of_what_is_gone_excuses_no_mount_that_got_its_number(world: &World) {
    let device = ext4(world);
    let place = TrustedPlace::new(world);
    for name in ["scratch", "copy"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    world.create("old", &on(&device, "{w}/old"));
    world.create("new", &on(&device, "{w}/new"));
    // The kernel gives the number of a mount that is gone to the next one.
    world.om("old start").ok();
    output("umount", &[&at(world, "old")]);
    output("mount", &["-t", "tmpfs", "x", &place.at("scratch")]);
    world.om("new start").ok();
    output("umount", &[&place.at("scratch")]);
    output("mount", &["--bind", &at(world, "new"), &place.at("copy")]);
    for object in ["new", "old"] {
        world.om(&format!("{object} stop")).ends(1).says(&format!("mounted on {}", place.at("copy")));
    }
    assert_eq!(world.states("new"), "fs#1 warn");
    output("umount", &[&place.at("copy")]);
    world.om("new,old stop").ok();
    world.om("new,old delete --force").ok();
}

fn a_record_of_what_is_gone_excuses_no_use_by_the_kernel(world: &World) {
    let device = ext4(world);
    world.create("old", &on(&device, "{w}/old"));
    world.create("new", &on(&device, "{w}/new"));
    world.om("old start").ok();
    output("umount", &[&at(world, "old")]);
    world.om("new start").ok();
    let open = File::create(world.path("new/file")).unwrap();
    output("umount", &["-l", &at(world, "new")]);
    world.om("new stop").ends(1).says(&format!("the kernel still uses {}", device.0));
    drop(open);
    world.om("new,old stop").ok();
    world.om("new,old delete --force").ok();
}

/// A btrfs with the subvolumes `web` and `old`, and where all of it can be mounted.
fn btrfs(world: &World) -> Option<(HandLoop, String)> {
    if !crate::storage::kernel_has("btrfs") {
        return None;
    }
    let device = HandLoop::new(world, "b.img", 160);
    output("mkfs.btrfs", &["-q", &device.0]);
    let all = at(world, "all");
    fs::create_dir(&all).unwrap();
    output("mount", &[&device.0, &all]);
    for name in ["web", "old"] {
        output("btrfs", &["subvolume", "create", &format!("{all}/{name}")]);
    }
    output("umount", &[&all]);
    Some((device, all))
}

fn on_btrfs(device: &HandLoop) -> String {
    format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = btrfs\ndev = {}\nsubvol = web\nmnt = {{w}}/site\n", device.0)
}

fn a_btrfs_that_only_a_program_still_uses_is_not_down(world: &World) {
    let Some((device, _)) = btrfs(world) else { return };
    world.create("web", &on_btrfs(&device));
    world.om("web start").ok();
    let open = File::create(world.path("site/file")).unwrap();
    output("umount", &["-l", &at(world, "site")]);
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web stop").ends(1).says(&format!("the kernel still uses {}", device.0));
    drop(open);
    world.om("web stop").ok().says("instance status is now down");
    world.om("web delete --force").ok();
}

const OVERLAY: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = overlay\nlower = {w}/base/l1\nupper = {w}/base/up\n\
                       work = {w}/base/wk\nmnt = {w}/site\n";

fn an_overlay_that_only_a_program_still_uses_is_not_mounted_again(world: &World) {
    let base = overlay_base(world);
    world.create("web", OVERLAY);
    world.om("web start").ok();
    let open = File::create(world.path("site/file")).unwrap();
    output("umount", &["-l", &at(world, "site")]);
    assert_eq!(world.states("web"), "fs#1 warn");
    let user = format!("(pid {})", std::process::id());
    world.om("web stop").ends(1).says(&user);
    world.om("web start").ends(1);
    assert!(!is_mounted(&at(world, "site")));
    drop(open);
    // A shell that works in it is enough.
    world.om("web stop").ok();
    world.om("web start").ok();
    let mut shell = Command::new("sleep").arg("600").current_dir(world.path("site")).spawn().unwrap();
    output("umount", &["-l", &at(world, "site")]);
    world.om("web stop").ends(1).says(&format!("used by sleep (pid {})", shell.id()));
    end(&mut shell);
    world.om("web stop").ok();
    world.om("web delete --force").ok();
    output("umount", &[&base]);
}

fn an_overlay_of_another_namespace_keeps_its_upper_directory(world: &World) {
    let base = overlay_base(world);
    world.create("web", OVERLAY);
    world.create("other", &OVERLAY.replace("/site", "/other"));
    world.om("web start").ok();
    let mut other = in_another_namespace(world);
    let place = format!("in the mount namespace of sleep (pid {})", other.id());
    output("umount", &[&at(world, "site")]);
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web start").ends(1);
    world.om("other start").ends(1).says(&place).says("uses upperdir");
    world.om("web stop").ends(1).says(&place);
    end(&mut other);
    world.om("web stop").ok();
    world.om("other start").ok();
    world.om("other stop").ok();
    world.om("web,other delete --force").ok();
    output("umount", &[&base]);
}

fn a_bind_whose_source_and_mount_point_were_renamed_is_unmounted(world: &World) {
    let place = TrustedPlace::new(world);
    for name in ["for", "for/web", "app", "app/www"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {for}/web\nmnt = {app}/www\n";
    world.create("web", &config.replace("{for}", &place.at("for")).replace("{app}", &place.at("app")));
    world.om("web start").ok();
    fs::rename(place.at("for/web"), place.at("for/x")).unwrap();
    fs::rename(place.at("app"), place.at("moved")).unwrap();
    assert!(!world.states("web").contains("down"), "{}", world.states("web"));
    world.om("web stop").ok().says("instance status is now down");
    assert!(!is_mounted(&place.at("moved/www")));
    world.om("web delete --force").ok();
}

fn a_subvolume_that_was_renamed_is_unmounted(world: &World) {
    let Some((device, all)) = btrfs(world) else { return };
    world.create("web", &on_btrfs(&device));
    world.om("web start").ok();
    output("mount", &[&device.0, &all]);
    fs::rename(format!("{all}/web"), format!("{all}/web.old")).unwrap();
    output("umount", &[&all]);
    assert!(!world.states("web").contains("down"), "{}", world.states("web"));
    world.om("web stop").ok().says("instance status is now down");
    assert!(!is_mounted(&at(world, "site")));
    world.om("web delete --force").ok();
}

fn what_is_left_elsewhere_is_not_down_in_the_status(world: &World) {
    let device = ext4(world);
    let place = TrustedPlace::new(world);
    fs::create_dir(place.at("copy")).unwrap();
    world.create("web", &on(&device, "{w}/data"));
    world.om("web start").ok();
    output("mount", &["--bind", &at(world, "data"), &place.at("copy")]);
    output("umount", &[&at(world, "data")]);
    let where_it_is = format!("mounted on {}", place.at("copy"));
    assert_eq!(world.states("web"), "fs#1 warn");
    assert!(world.om("web print holdings --format json").ok().stdout.contains("\"left\""));
    world.om("web stop").ends(1).says(&where_it_is);
    output("umount", &[&place.at("copy")]);
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_record_that_was_removed_is_found_again(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    world.om("web start").ok();
    fs::remove_file(world.path("root/run/holdings/svc/web")).unwrap();
    assert_eq!(world.states("web"), "fs#1 up");
    fs::remove_file(world.path("root/run/holdings/svc/web")).unwrap();
    world.om("web stop").ok().says("unmounted");
    assert!(!is_mounted(&device.0));
    for directory in ["holdings", "holdings.links"] {
        assert!(
            !world.path(&format!("root/run/{directory}/svc/web")).exists(),
            "an empty record is left in {directory}"
        );
    }
    world.om("web delete --force").ok();
}

fn a_record_in_whose_place_another_was_put_is_unverified(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    world.om("web start").ok();
    let record = world.path("root/run/holdings/svc/web");
    let whole = fs::read_to_string(&record).unwrap();
    // An editor writes a new file.
    fs::remove_file(&record).unwrap();
    fs::write(&record, whole.lines().next().unwrap().to_owned() + "\n").unwrap();
    world.om("web stop").ends(1).says("another file was put in its place");
    assert_eq!(world.states("web"), "fs#1 warn");
    assert!(is_mounted(&device.0));
    // The one that was written is put back.
    fs::remove_file(&record).unwrap();
    world.om("web stop").ok();
    assert!(!is_mounted(&device.0));
    world.om("web delete --force").ok();
}

fn a_record_that_was_cut_short_is_unverified(world: &World) {
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    world.om("web start").ok();
    let record = world.path("root/run/holdings/svc/web");
    let whole = fs::read_to_string(&record).unwrap();
    let header = whole.find('\n').unwrap() + 1;
    // In place, at the end of a line: each line that is left can be read.
    File::options().write(true).open(&record).unwrap().set_len(header as u64).unwrap();
    output("umount", &[&at(world, "data")]);
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status --refresh").ok().says("unverified").says("lines are missing at its end");
    world.om("web stop").ends(1).says("lines are missing at its end");
    // What is appended does not make up for them.
    world.om("web start").ok();
    world.om("web stop").ends(1).says("it still holds what is not known");
    world.om("web stop --force --i-know").ok().says("given up");
    assert!(!is_mounted(&device.0) && !record.exists());
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_stop_from_another_namespace_proves_nothing(world: &World) {
    separate::run(|| {
        ip("link add d0 type veth peer name d1");
        ip("link set d0 up");
        ip("link set d1 up");
        let ip_config = "[DEFAULT]\nnodes = n1\n[ip#1]\ntype = host\nname = 10.0.0.51\nnetmask = 24\ndev = d0\n";
        world.create("address", ip_config);
        world.create("program", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 600\n");
        world.om("address,program start").ok();
        // What other scenarios unmount is unmounted in the new mount namespace, too.
        let process = ["--pid", "--fork", "--mount-proc", "--propagation", "slave"];
        for (object, words, how) in [("address", &["--net"][..], "network"), ("program", &process, "process")] {
            let stop = world.om_through("unshare", words, &format!("{object} stop"));
            stop.ends(1).says(&format!("another {how} namespace"));
        }
        assert_eq!((world.states("address"), world.states("program")), ("ip#1 up".to_owned(), "app#1 up".to_owned()));
        world.om("address,program stop").ok();
        assert!(!ip("addr show dev d0").contains("10.0.0.51"));
    });
    world.om("address,program delete --force").ok();
}

fn a_btrfs_whose_device_was_replaced_is_looked_for_everywhere(world: &World) {
    let Some((device, _)) = btrfs(world) else { return };
    let other_device = HandLoop::new(world, "c.img", 160);
    world.create("web", &on_btrfs(&device));
    world.om("web start").ok();
    output("btrfs", &["replace", "start", "-B", "-f", &device.0, &other_device.0, &at(world, "site")]);
    let mut other = in_another_namespace(world);
    let place = format!("in the mount namespace of sleep (pid {})", other.id());
    world.om("web stop").ends(1).says(&place);
    assert_eq!(world.states("web"), "fs#1 warn");
    end(&mut other);
    world.om("web stop").ok();
    // A program that works in it is enough.
    output("mount", &["-o", "subvol=web", &other_device.0, &at(world, "site")]);
    output("btrfs", &["replace", "start", "-B", "-f", &other_device.0, &device.0, &at(world, "site")]);
    output("umount", &[&at(world, "site")]);
    world.om("web start").ok();
    output("btrfs", &["replace", "start", "-B", "-f", &device.0, &other_device.0, &at(world, "site")]);
    let open = File::create(world.path("site/file")).unwrap();
    output("umount", &["-l", &at(world, "site")]);
    world.om("web stop").ends(1).says("the kernel still uses");
    drop(open);
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

const BIND: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/from/web\nmnt = {w}/site\n";

fn a_bind_that_shows_another_directory_by_now_is_a_warning(world: &World) {
    fs::create_dir_all(world.path("from/web")).unwrap();
    world.create("web", BIND);
    world.om("web start").ok();
    fs::rename(world.path("from/web"), world.path("from/web.old")).unwrap();
    fs::create_dir(world.path("from/web")).unwrap();
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status").ok().says("was renamed").says("another directory than");
    world.om("web restart").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_stop_that_got_half_way_is_not_up_in_silence(world: &World) {
    let place = TrustedPlace::new(world);
    fs::create_dir_all(place.at("from/inner")).unwrap();
    output("mount", &["-t", "tmpfs", "x", &place.at("from/inner")]);
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {from}\nmnt = {w}/site\nmnt_opt = rbind\n";
    world.create("web", &config.replace("{from}", &place.at("from")));
    world.om("web start").ok();
    assert!(is_mounted(&at(world, "site/inner")));
    let open = File::create(world.path("site/file")).unwrap();
    world.om("web stop").ends(1);
    assert!(!is_mounted(&at(world, "site/inner")) && is_mounted(&at(world, "site")));
    let inner = "and then failed: it is up without that";
    assert_eq!(world.states("web"), "fs#1 warn");
    world.om("web print status").ok().says(inner);
    world.om("web start").ends(1).says(inner);
    drop(open);
    world.om("web restart").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    assert!(is_mounted(&at(world, "site/inner")));
    world.om("web stop").ok();
    world.om("web delete --force").ok();
    output("umount", &[&place.at("from/inner")]);
}

/// Takes the ends of the calls out of a record, as if the agent had been killed before it wrote them.
pub(crate) fn forget_ends(world: &World) {
    let record = world.path("root/run/holdings/svc/web");
    let lines = fs::read_to_string(&record).unwrap();
    let intended: Vec<&str> = lines.lines().filter(|line| !line.contains(r#""event":"held""#)).collect();
    assert!(intended.len() < lines.lines().count());
    // In its place, as another file there is not the record that was written, and as long as the note beside its second name says.
    fs::remove_file(world.path("root/run/holdings.links/svc/.length.web")).unwrap();
    fs::write(&record, intended.join("\n") + "\n").unwrap();
}

fn a_mount_that_was_only_intended_is_known_again_and_another_on_its_place_is_not(world: &World) {
    let (site, device) = (at(world, "site"), ext4(world));
    let place = TrustedPlace::new(world);
    fs::create_dir(place.at("for")).unwrap();
    let tmpfs = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/site\n".to_owned();
    let bind = format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {}\nmnt = {{w}}/site\n", place.at("for"));
    for config in [tmpfs, bind, on(&device, "{w}/site")] {
        world.create("web", &config);
        // Killed after the mount.
        world.om("web start").ok();
        forget_ends(world);
        assert_eq!(world.states("web"), "fs#1 up", "{config}");
        let mut other = in_another_namespace(world);
        let stop = world.om("web stop");
        if config.contains("ext4") {
            // Its copies are looked for, too.
            stop.ends(1).says(&format!("in the mount namespace of sleep (pid {})", other.id()));
        } else {
            stop.says("unmounted");
        }
        end(&mut other);
        world.om("web stop").ok();
        assert!(!is_mounted(&site), "{config}");
        // Killed before it. Another program then mounts its own on the same place.
        world.om("web start").ok();
        forget_ends(world);
        output("umount", &[&site]);
        output("mount", &["-t", "tmpfs", "otherapp", &site]);
        world.write("site/precious", "data");
        assert_ne!(world.states("web"), "fs#1 up", "{config}");
        world.om("web start").ends(1).says("this resource did not mount it");
        world.om("web stop").ok();
        assert_eq!(world.read("site/precious"), "data", "{config}");
        output("umount", &[&site]);
        world.om("web delete --force").ok();
    }
}

const TWO: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/a\n[fs#2]\ntype = tmpfs\nmnt = {w}/b\n[task#1]\ntype = host\ncommand = /bin/true\n";

fn a_record_that_was_emptied_is_no_reason_to_forget(world: &World) {
    world.create("web", TWO);
    world.om("web start").ok();
    fs::write(world.path("root/run/holdings/svc/web"), "").unwrap();
    let why = "what is not known, because of";
    world.om("web unset --section fs#1").ends(1).says(why);
    world.om("web delete").ends(1).says(why);
    world.om("web delete --rid fs#2").ends(1).says(why);
    for section in ["fs#1", "fs#2"] {
        world.om(&format!("web unset --section {section} --force")).ok().says(why);
    }
    // Not even of an instance whose resources never are down.
    world.om("web print status").ok().says("not down: it may hold what is not known");
    world.om("web stop").ends(1).says("web is not down").says(why);
    for mount in ["a", "b"] {
        assert!(is_mounted(&at(world, mount)));
        output("umount", &[&at(world, mount)]);
    }
    world.om("web stop --force --i-know").ok().says("given up").says(why);
    world.om("web stop").ok();
    world.om("web delete").ok();
}

fn what_is_held_is_left_behind_by_a_delete_only_knowingly(world: &World) {
    world.create("web", TWO);
    world.om("web start").ok();
    let held = format!("tmpfs on {}", at(world, "a"));
    world.om("web delete").ends(1).says("fs#1 is up");
    world.om("web delete --force").ends(1).says("it still holds").says(&held).says("--i-know");
    world.om("web delete --force --i-know").ok().says("left behind").says(&held);
    world.om("driver audit --object web").ok().says("holdings = leave behind");
    world.om("node print holdings --orphans").ok().says(&held);
    world.create("web", TWO);
    // The object that comes after it finds it.
    world.om("web stop").ok();
    assert!(!is_mounted(&at(world, "a")));
    world.om("web delete").ok();
    // What unprovision leaves as it is, such as a file system on a device of the operator, does not count.
    let device = ext4(world);
    world.create("web", &on(&device, "{w}/data"));
    world.om("web provision").ok();
    world.om("web delete").ends(1).says("fs#1");
    world.om("web delete --unprovision --confirm").ok();
}

fn what_is_held_for_a_section_that_is_gone_is_given_up_by_name(world: &World) {
    world.create("web", TWO);
    world.om("web start").ok();
    world.om("web unset --section fs#2 --force").ok();
    let held = format!("tmpfs on {}", at(world, "b"));
    world.om("web stop").ends(1).says(&held).says("--force --i-know");
    world.om("web stop --force").ends(1).says(&held);
    world
        .om("web stop --force --i-know")
        .ok()
        .says(&format!("given up, because the operator knows better (--i-know): {held}"));
    world.om("driver audit --object web").ok().says(&format!("holdings = give up {held}"));
    world.om("web stop").ok().says("now down");
    assert!(is_mounted(&at(world, "b")));
    output("umount", &[&at(world, "b")]);
    world.om("web delete").ok();
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
