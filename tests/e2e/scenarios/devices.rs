//! Which device is meant: labels that two have, copies, file systems of several devices, devices that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::holdings::{devices, in_another_namespace};
use crate::storage::kernel_has;
use crate::world::World;

crate::trials!(
    a_label_that_two_devices_have_is_refused_and_neither_is_touched,
    a_btrfs_of_two_disks_is_mounted_by_either_and_names_what_is_missing,
    a_copy_of_a_mounted_xfs_says_whose_copy_it_is,
    a_read_only_device_is_mounted_unchecked,
    a_label_that_is_too_long_is_a_problem_of_the_configuration,
    a_device_that_is_mounted_elsewhere_is_not_checked,
    what_the_kernel_itself_uses_a_device_for_is_named,
    options_for_other_programs_do_no_harm_and_those_for_a_disk_say_so,
);

/// A loop device on an image, attached by hand and detached at the end.
pub(crate) struct HandLoop(pub(crate) String);

impl HandLoop {
    pub(crate) fn on(image: &Path) -> HandLoop {
        HandLoop(output("losetup", &["-f", "--show", &image.display().to_string()]))
    }

    /// The device of a new image.
    pub(crate) fn new(world: &World, image: &str, mebibytes: u64) -> HandLoop {
        fs::File::create(world.path(image)).unwrap().set_len(mebibytes << 20).unwrap();
        HandLoop::on(&world.path(image))
    }
}

impl Drop for HandLoop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.0]).status();
    }
}

/// Runs a program of the system that must succeed.
#[track_caller]
pub(crate) fn output(program: &str, args: &[&str]) -> String {
    let run = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(run.status.success(), "{program} {args:?}: {} {}", text(&run.stdout), text(&run.stderr));
    text(&run.stdout)
}

/// The state that the superblock of an ext4 notes.
fn noted_state(device: &str) -> String {
    let header = output("dumpe2fs", &["-h", device]);
    let line = header.lines().find_map(|line| line.strip_prefix("Filesystem state:")).unwrap_or_default();
    line.trim().to_owned()
}

fn a_label_that_two_devices_have_is_refused_and_neither_is_touched(world: &World) {
    let label = format!("twin{}x{}", std::process::id(), world.number());
    let one = HandLoop::new(world, "a.img", 32);
    output("mkfs.ext4", &["-q", "-L", &label, &one.0]);
    // Flagged "with errors": whichever is checked would be repaired.
    output("debugfs", &["-w", "-R", "ssv state 2", &one.0]);
    fs::copy(world.path("a.img"), world.path("b.img")).unwrap();
    let two = HandLoop::on(&world.path("b.img"));
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = LABEL={label}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{label}", &label));
    let said = format!("LABEL={label} is on 2 devices: ");
    world.om("web start").ends(1).says(&said).says(&one.0).says(&two.0);
    assert_eq!([noted_state(&one.0), noted_state(&two.0)].map(|state| state.contains("with errors")), [true; 2]);
    world.om("web print status --refresh").ok().says(&said);
    drop(two);
    // The device that is checked is the one that is mounted.
    world.om("web start").ok().says(&format!("e2fsck -p -- {}", one.0));
    let mounted = output("findmnt", &["-n", "-o", "SOURCE", &world.path("site").display().to_string()]);
    assert_eq!(mounted, one.0);
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_btrfs_of_two_disks_is_mounted_by_either_and_names_what_is_missing(world: &World) {
    if !kernel_has("btrfs") {
        return;
    }
    let (one, two) = (HandLoop::new(world, "one.img", 128), HandLoop::new(world, "two.img", 128));
    output("mkfs.btrfs", &["-q", "-d", "raid1", "-m", "raid1", &one.0, &two.0]);
    drop((one, two));
    output("btrfs", &["device", "scan", "--forget"]);
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/one.img\n[disk#2]\ntype = loop\nfile = \
                  {w}/two.img\n[fs#1]\ntype = btrfs\ndev = {disk#2.exposed_devs[0]}\nmnt = {w}/pool\n";
    world.create("web", config);
    world.om("web start --rid disk#2").ok();
    world.om("web start --rid fs#1").ends(1).says("it is one of 2 devices of a btrfs, and only 1 of them are here");
    // mountinfo names the first device, whichever was mounted.
    world.om("web start").ok();
    assert_eq!(world.states("web"), "disk#1 up, disk#2 up, fs#1 up");
    world.om("web start").ok();
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "disk#1 down, disk#2 down, fs#1 down");
    world.om("web delete --force").ok();
}

fn a_copy_of_a_mounted_xfs_says_whose_copy_it_is(world: &World) {
    if !kernel_has("xfs") {
        return;
    }
    let one = HandLoop::new(world, "one.img", 320);
    output("mkfs.xfs", &["-q", &one.0]);
    fs::copy(world.path("one.img"), world.path("two.img")).unwrap();
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = xfs\ndev = {one}\nmnt = {w}/one\n\
                  [disk#2]\ntype = loop\nfile = {w}/two.img\n[fs#2]\ntype = xfs\ndev = {disk#2.exposed_devs[0]}\n\
                  mnt = {w}/two\n";
    world.create("web", &config.replace("{one}", &one.0));
    let said = format!("it has the UUID of {}, which is mounted on {}/one", one.0, world.directory().display());
    world.om("web start").ends(1).says(&said).says("nouuid");
    world.om("web set --kw fs#2.mnt_opt=nouuid").ok();
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn a_read_only_device_is_mounted_unchecked(world: &World) {
    let device = HandLoop::new(world, "a.img", 32);
    output("mkfs.ext4", &["-q", &device.0]);
    output("blockdev", &["--setro", &device.0]);
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {dev}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{dev}", &device.0));
    world.om("web start").ends(1).says("is read-only: with mnt_opt = ro it can be mounted all the same");
    world.om("web set --kw fs#1.mnt_opt=ro").ok();
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web stop").ok();
    // The kernel keeps the flag for the next file behind this device.
    output("blockdev", &["--setrw", &device.0]);
    world.om("web delete --force").ok();
}

fn a_label_that_is_too_long_is_a_problem_of_the_configuration(world: &World) {
    for (kind, longest) in [("ext4", 16), ("xfs", 12), ("btrfs", 255)] {
        let label = "l".repeat(longest + 1);
        let config = format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = {kind}\ndev = LABEL={label}\nmnt = {{w}}/site\n");
        let file = world.write("long.conf", &world.fill(&config));
        let said = format!("has {} bytes: {kind} stores {longest} at most", longest + 1);
        world.om(&format!("web create --config {}", file.display())).says(&said);
        world.om("web delete --force");
    }
}

fn a_device_that_is_mounted_elsewhere_is_not_checked(world: &World) {
    let device = HandLoop::new(world, "a.img", 32);
    output("mkfs.ext4", &["-q", &device.0]);
    let elsewhere = world.path("elsewhere").display().to_string();
    fs::create_dir(&elsewhere).unwrap();
    output("mount", &[&device.0, &elsewhere]);
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {dev}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{dev}", &device.0));
    let refused = world.om("web start").ends(1);
    refused.says(&format!("{} is in use and cannot be checked: it is mounted on {elsewhere}", device.0));
    output("umount", &[&elsewhere]);
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn what_the_kernel_itself_uses_a_device_for_is_named(world: &World) {
    let unseen = "no process that can be seen here";
    let device = HandLoop::new(world, "a.img", 32);
    output("mkfs.ext4", &["-q", &device.0]);
    let elsewhere = world.path("elsewhere").display().to_string();
    fs::create_dir(&elsewhere).unwrap();
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {dev}\nmnt = {w}/site\n";
    world.create("web", &config.replace("{dev}", &device.0));
    // It stays mounted in a namespace where a process is.
    output("mount", &[&device.0, &elsewhere]);
    let mut other = in_another_namespace(world);
    output("umount", &[&elsewhere]);
    let place = format!("it is mounted on {elsewhere} in the mount namespace of sleep (pid {})", other.id());
    world.om("web start").ends(1).says(&place).does_not_say(unseen);
    other.kill().unwrap();
    other.wait().unwrap();
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("web delete --force").ok();
    // Another loop device, and swap.
    world.create("disk", "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/b.img\nsize = 32m\n");
    world.om("disk provision").ok();
    let list = devices(world);
    let line = list.lines().find(|line| line.ends_with("b.img")).unwrap();
    let own = line.split_whitespace().next().unwrap();
    let above = HandLoop::on(Path::new(own));
    world.om("disk stop").ends(1).says(&format!("{} stands on it", above.0)).does_not_say(unseen);
    drop(above);
    output("mkswap", &[own]);
    if Command::new("swapon").arg(own).status().is_ok_and(|status| status.success()) {
        world.om("disk stop").ends(1).says(&format!("it is swap in use (swapoff {own})")).does_not_say(unseen);
        output("swapoff", &[own]);
    }
    world.om("disk stop").ok();
    world.om("disk delete --force").ok();
}

fn options_for_other_programs_do_no_harm_and_those_for_a_disk_say_so(world: &World) {
    let device = HandLoop::new(world, "a.img", 32);
    output("mkfs.ext4", &["-q", &device.0]);
    let options =
        "rw,suid,dev,exec,auto,nouser,async,silent,loud,iversion,X-mount.mkdir,x-systemd.requires=a,_netdev,ro,rw";
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {dev}\nmnt = {w}/site\nmnt_opt = {options}\n";
    world.create("web", &config.replace("{dev}", &device.0).replace("{options}", options));
    world.om("web start").ok();
    assert_eq!(world.states("web"), "fs#1 up");
    fs::write(world.path("site/file"), "the last word was rw").unwrap();
    world.om("web stop").ok();
    world
        .om("web set --kw fs#1.mnt_opt=loop,rw")
        .says("loop is not supported: attach the image with a resource disk.loop");
    world.om("web set --kw fs#1.mnt_opt=bind").says("bind is not supported: a directory is shown at a second place");
    world
        .om("web set --kw fs#1.mnt_opt=X-mount.owner=www")
        .says("X-mount.owner=www is not supported: mount(8) would do it");
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}
