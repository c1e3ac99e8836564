//! The whole life of a service: it is created, provisioned, started, shown, stopped and destroyed.

use std::fs;
use std::process::Command;

use crate::network::{add_link, address, addresses};
use crate::ran::Ran;
use crate::world::{OM, World};

crate::trials!(
    a_service_lives_from_nothing_to_nothing,
    an_application_that_was_killed_is_seen_and_started_again,
    a_restart_brings_down_and_up,
    a_task_runs_on_request_and_reports_its_result,
    a_copy_follows_its_source_and_an_empty_source_empties_nothing,
    a_status_says_how_old_it_is_and_ends_with_its_boot,
);

/// An address, a disk, a file system on it, a page in that, and two marks.
fn site(world: &World) -> String {
    let dev = add_link(world);
    let address = address(world);
    let config = "[DEFAULT]\nnodes = n1\n[ip#1]\nname = {ip}\nnetmask = 24\ndev = {dev}\n\
                  [disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n\
                  [fs#2]\ntype = flag\n\
                  [app#1]\ntype = simple\nstart = {om} demo --serve {ip}:80 {w}/site\n";
    format!("{}{}", config.replace("{ip}", &address).replace("{dev}", &dev), world.app("2", ""))
}

fn fetch(world: &World) -> Ran {
    let output = Command::new(OM).args(["demo", "--fetch", &format!("{}:80", address(world))]).output().unwrap();
    Ran::new("om demo --fetch", output)
}

fn a_service_lives_from_nothing_to_nothing(world: &World) {
    let config = site(world);
    let file = world.write("web.conf", &world.fill(&config));
    world.om(&format!("config validate {}", file.display())).ok();
    world.om(&format!("web create --config {}", file.display())).ok();
    world.om("web start --local").ends(1).says("not provisioned");
    assert!(!world.exists("web.img"), "a refused start has made something");

    world.om("web provision").ok().says("instance status is now up");
    assert_eq!(addresses(world), [format!("{}/24", address(world))]);
    let up = "app#1 up, app#2 up, disk#1 up, fs#1 up, fs#2 up, ip#1 up";
    assert_eq!(world.states("web"), up);
    fs::write(world.path("site/index.html"), "the page").unwrap();
    assert_eq!(fetch(world).ok().stdout, "the page");
    world.om("web print status").ok().says("'- avail").says("|- disk#1").says("/dev/loop").says("'- app#2");

    world.om("web start").ok().says("nothing to do");
    assert_eq!(world.take_marks(), "+2", "started twice");

    world.om("web stop").ok().says("instance status is now down");
    assert_eq!(addresses(world), [""; 0]);
    assert!(!world.exists("site/index.html"), "still mounted");
    world.om("web stop").ok().says("nothing to do");
    assert_eq!(world.take_marks(), "-2", "stopped twice");

    world.om("web start").ok();
    assert_eq!(fetch(world).ok().stdout, "the page");
    world.om("web unprovision --confirm").ok();
    assert!(!world.exists("web.img"), "the disk is left");
    assert_eq!(world.status("web")["provisioned"], "false");
    world.om("web delete").ok();
    assert_eq!(world.om("** ls").ok().stdout, "");
}

fn an_application_that_was_killed_is_seen_and_started_again(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 600\nenvironment = W={w}\n[fs#1]\ntype = flag\n");
    world.om("web start").ok();
    world.is("web", "up");
    let sleeps = || -> Vec<i32> {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let ours = world.directory().display().to_string();
        pids.filter(|pid| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|env| String::from_utf8_lossy(&env).contains(&format!("W={ours}\0")))
        })
        .collect()
    };
    let [pid] = sleeps()[..] else { panic!("not one process: {:?}", sleeps()) };
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    crate::world::until("app#1 is seen to be down", || world.states("web").contains("app#1 down"));
    world.is("web", "warn");
    world.om("web start").ok();
    world.is("web", "up");
    assert_eq!(sleeps().len(), 1);
    world.om("web stop").ok();
    assert_eq!(sleeps(), [0; 0]);
}

fn a_restart_brings_down_and_up(world: &World) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}{}", world.app("1", ""), world.app("2", "")));
    world.om("web start").ok();
    assert_eq!(world.take_marks(), "+1 +2");
    world.om("web restart").ok().says("instance status is now up");
    assert_eq!(world.take_marks(), "-2 -1 +1 +2");
    world.om("web shutdown").ok().says("instance status is now down");
    assert_eq!(world.take_marks(), "-2 -1");
}

fn a_task_runs_on_request_and_reports_its_result(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[task#good]\ntype = host\ncommand = {w}/act mark good\n\
                  [task#bad]\ntype = host\ncommand = {w}/act check bad\non_error = {w}/act mark sorry\n\
                  [task#ask]\ntype = host\nconfirmation = true\ncommand = {w}/act mark asked\n";
    world.create("web", config);
    world.om("web start").ok();
    assert_eq!(world.take_marks(), "", "a task is not started");
    world.om("web run --rid task#good").ok();
    assert_eq!(world.take_marks(), "good");
    world.om("web run --rid task#bad").ends(1).says("task#bad").says("status 1");
    assert_eq!(world.take_marks(), "sorry");
    world.om("web run --rid task#ask").ends(1).says("--confirm");
    assert_eq!(world.take_marks(), "");
    world.om("web run --rid task#ask --confirm").ok();
    assert_eq!(world.take_marks(), "asked");
    world.is("web", "up");
    world.om("web stop").ok();
}

fn a_copy_follows_its_source_and_an_empty_source_empties_nothing(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[sync#1]\ntype = rsync\nsrc = {w}/from/\ndst = {w}/to\n\
                  target = local\n";
    world.create("web", config);
    world.write("from/a", "one");
    fs::create_dir(world.path("to")).unwrap();
    world.om("web start").ok();
    world.om("web sync all").ok();
    assert_eq!(world.read("to/a"), "one");
    world.write("from/a", "two, longer");
    world.om("web update").ok();
    assert_eq!(world.read("to/a"), "two, longer");
    fs::remove_file(world.path("from/a")).unwrap();
    world.om("web sync all").ends(1);
    assert_eq!(world.read("to/a"), "two, longer");
    world.om("web stop").ok();
}

fn a_status_says_how_old_it_is_and_ends_with_its_boot(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("web start").ok();
    world.om("web print status").ok().does_not_say("seen");
    let cached = world.path("root/var/svc/web/status.json");
    let text = fs::read_to_string(&cached).unwrap();
    let at = |text: &str| {
        let digits = text.split("\"updated_at\":").nth(1).unwrap().trim_start();
        digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().to_owned()
    };
    // Seen 70 s ago, of a configuration that is older still.
    let seen: u64 = at(&text).parse().unwrap();
    let aged = text.replace(&at(&text), &(seen - 70).to_string());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::options().append(true).open(world.path("root/etc/web.conf")).unwrap().set_modified(old).unwrap();
    fs::write(&cached, &aged).unwrap();
    let flag = fs::read_dir(world.path("root/run/svc/web"))
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with(".flag"));
    fs::remove_file(flag.unwrap().path()).unwrap();
    let ran = world.om("web print status").ok();
    ran.says("up").says("seen 1m1").says("ago, and no daemon runs to look again: --refresh does");
    // The same of a boot before this one says nothing of today.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(&cached, aged.replace(boot.trim(), "00000000-0000-4000-8000-000000000000")).unwrap();
    world.om("web print status").ok().says("down").does_not_say("seen");
    world.om("web stop").ok();
}
