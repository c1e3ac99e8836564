//! The keeper beside the real daemon: a daemon that hangs, dies, crashes in a loop or is upgraded, and what becomes of a service that
//! another node could run. Scenario 27 of the cluster's design, on one node.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::daemon::{Daemon, known};
use crate::network::{add_link, address, addresses, link};
use crate::world::{World, until};

crate::trials!(
    what_a_hung_daemon_runs_is_cut_before_its_deadline,
    an_address_goes_by_itself_when_every_process_is_frozen,
    a_daemon_that_crashes_in_a_loop_extends_nothing,
    a_daemon_that_comes_back_in_time_costs_nothing,
    a_killed_keeper_is_replaced_and_an_upgrade_brings_another,
    no_slot_is_taken_without_the_watchdog_that_is_required,
    the_keeper_ends_with_a_daemon_that_leaves_nothing,
);

/// The validity of a beat: T of the profile `lan`.
const VALIDITY: Duration = Duration::from_secs(6);

/// These scenarios take as long as deadlines do, in lockstep: the tmpfs that one begins would get the device number of the one that
/// another ends at that moment, and be taken for it.
static TURN: Mutex<()> = Mutex::new(());

/// A service that another node could run, with an address, a mount and a process. The daemon starts it. To be kept for as long as
/// the scenario goes on.
fn service(world: &World) -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    add_link(world);
    world.write("root/etc/node.conf", "[node]\nwatchdog = use\n");
    let config = format!(
        "[DEFAULT]\nnodes = n1 n2\norchestrate = ha\n[ip#1]\ntype = host\nname = {}\nnetmask = 24\ndev = {}\n\
         [fs#1]\ntype = tmpfs\nmnt = {{w}}/memory\n[app#1]\ntype = simple\nstart = {{w}}/act slow 1\n",
        address(world),
        link(world)
    );
    world.create("web", &config);
    turn
}

/// The pid of the keeper of this world, by its lock.
fn keeper(world: &World) -> Option<i32> {
    let pid: i32 = world.read("root/run/keeper/lock").trim().parse().ok()?;
    let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.contains(&*world.directory().to_string_lossy()).then_some(pid)
}

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

fn pid_of(daemon: &Daemon) -> i32 {
    i32::try_from(daemon.pid()).unwrap()
}

fn is_mounted(world: &World) -> bool {
    let target = world.path("memory");
    fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&*target.to_string_lossy())
}

fn runs(world: &World) -> bool {
    let home = agent::Directories::under(&world.path("root"));
    let group = kernel::cgroup::root().unwrap().join(agent::node::paths::slice_of(&home));
    fs::read_to_string(group.join("cgroup.events")).is_ok_and(|events| events.contains("populated 1"))
}

/// Starts a daemon, and waits until the service is up with a slot that is guarded.
fn started(world: &World) -> Daemon {
    let daemon = Daemon::start(world);
    until("the service is up", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    until("its slot is guarded", || thread(world, "keeper").1.ends_with(", 1 slots"));
    daemon
}

/// The state and the words of a part of the daemon.
fn thread(world: &World, id: &str) -> (String, String) {
    let status = known(world);
    let threads = status["daemon"]["threads"].as_array().cloned().unwrap_or_default();
    let found = threads.into_iter().find(|thread| thread["id"] == id).unwrap_or_default();
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("detail"))
}

/// Ends the service and the daemon: nothing may be left.
fn end(world: &World, daemon: Daemon) {
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
    drop(daemon);
    until("the keeper has ended", || keeper(world).is_none());
}

fn all_is_gone(world: &World) -> bool {
    addresses(world).is_empty() && !is_mounted(world) && !runs(world)
}

fn what_a_hung_daemon_runs_is_cut_before_its_deadline(world: &World) {
    let _turn = service(world);
    let daemon = started(world);
    assert_eq!(world.take_marks(), "~1");
    let (hung, at) = (pid_of(&daemon), Instant::now());
    send(hung, Signal::SIGSTOP);
    assert!(runs(world) && is_mounted(world) && addresses(world).len() == 1);
    until("all of it is gone", || all_is_gone(world));
    assert!(at.elapsed() < VALIDITY, "it came after another node may have started it: {:?}", at.elapsed());
    assert_eq!(world.take_marks(), "");
    send(hung, Signal::SIGCONT);
    // Once the cut is proven the daemon starts it again, and once only.
    until("it is up again", || world.marks() == "~1" && known(world)["cluster"]["object"]["web"]["avail"] == "up");
    let log = world.read("root/log/web.log");
    assert!(log.contains("cut at its deadline, in ") && log.contains("nothing is left"), "{log}");
    let events = world.om("events --after 0 --limit 200 --duration 1s").stdout;
    assert!(events.contains("instance.cut"), "{events}");
    assert_eq!(world.marks(), "~1");
    end(world, daemon);
}

fn an_address_goes_by_itself_when_every_process_is_frozen(world: &World) {
    let _turn = service(world);
    let daemon = started(world);
    let frozen = [pid_of(&daemon), keeper(world).unwrap()];
    let at = Instant::now();
    frozen.into_iter().for_each(|pid| send(pid, Signal::SIGSTOP));
    assert_eq!(addresses(world).len(), 1);
    until("the kernel has removed the address", || addresses(world).is_empty());
    assert!(at.elapsed() < VALIDITY, "after {:?}", at.elapsed());
    assert!(is_mounted(world) && runs(world), "nobody could cut");
    // Resumed, the keeper cuts at once, and the daemon does nothing before.
    frozen.into_iter().rev().for_each(|pid| send(pid, Signal::SIGCONT));
    until("it was cut and is up again", || world.marks() == "~1 ~1" && addresses(world).len() == 1);
    until("it is up", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    assert!(world.read("root/log/web.log").contains("cut at its deadline, in "));
    end(world, daemon);
}

fn a_daemon_that_crashes_in_a_loop_extends_nothing(world: &World) {
    let _turn = service(world);
    started(world).kill();
    let at = Instant::now();
    while !all_is_gone(world) {
        assert!(at.elapsed() < VALIDITY, "a daemon that lives for 100 ms has kept it");
        let mut daemon: Child = world.command().args(["daemon", "run"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
    assert_eq!(world.marks(), "~1", "it was started meanwhile");
    let daemon = started(world);
    assert_eq!(world.marks(), "~1 ~1");
    end(world, daemon);
}

fn a_daemon_that_comes_back_in_time_costs_nothing(world: &World) {
    let _turn = service(world);
    let daemon = started(world);
    let first = keeper(world);
    daemon.kill();
    let daemon = started(world);
    assert_eq!(keeper(world), first, "the keeper was not adopted");
    // One that was stopped may be away for longer than a deadline: the address stays without a lifetime.
    world.om("daemon stop").ok();
    drop(daemon);
    assert_eq!(keeper(world), first);
    let lifetime = crate::network::ip(&format!("address show dev {}", link(world)));
    assert!(lifetime.contains("valid_lft forever"), "{lifetime}");
    std::thread::sleep(VALIDITY);
    assert!(runs(world) && is_mounted(world) && addresses(world).len() == 1);
    let daemon = started(world);
    until("the address has a lifetime again", || {
        let shown = crate::network::ip(&format!("-4 address show dev {}", link(world)));
        shown.contains("valid_lft 5sec") || shown.contains("valid_lft 4sec")
    });
    world.is("web", "up");
    assert_eq!(world.marks(), "~1", "the service was touched");
    end(world, daemon);
}

fn a_killed_keeper_is_replaced_and_an_upgrade_brings_another(world: &World) {
    let _turn = service(world);
    let daemon = started(world);
    let first = keeper(world).unwrap();
    send(first, Signal::SIGKILL);
    until("another keeper guards", || {
        keeper(world).is_some_and(|pid| pid != first) && thread(world, "keeper").0 == "running"
    });
    let second = keeper(world);
    world.om("daemon stop").ok();
    drop(daemon);
    let new = world.path("om");
    fs::copy(crate::world::OM, &new).unwrap();
    let run = |om: &Path| world.command_of(om).args(["daemon", "run"]).stderr(Stdio::null()).spawn().unwrap();
    let mut upgraded = run(&new);
    until("the keeper is of the new program", || keeper(world).is_some_and(|pid| Some(pid) != second));
    until("its slot is guarded", || thread(world, "keeper").1.ends_with(", 1 slots"));
    assert_eq!(world.marks(), "~1", "the service was touched");
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
    upgraded.wait().unwrap();
    until("the keeper has ended", || keeper(world).is_none());
}

fn no_slot_is_taken_without_the_watchdog_that_is_required(world: &World) {
    let _turn = service(world);
    world.write("root/etc/node.conf", "[node]\nwatchdog = required\nwatchdog_device = /dev/nothing\n");
    let daemon = Daemon::start(world);
    let reason = "watchdog = required: /dev/nothing: there is no such device";
    until("it says why", || world.om("web explain").stdout.contains(reason));
    assert_eq!(thread(world, "watchdog"), ("missing".to_owned(), "/dev/nothing: there is no such device".to_owned()));
    assert!(world.om("mon --sections threads").ok().stdout.contains("watchdog    missing"));
    assert_eq!(world.marks(), "");
    // Without the requirement it is started.
    world.write("root/etc/node.conf", "[node]\nwatchdog = use\n");
    until("it is started", || world.marks() == "~1");
    until("it is up", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    end(world, daemon);
}

fn the_keeper_ends_with_a_daemon_that_leaves_nothing(world: &World) {
    world.write("root/etc/node.conf", "[node]\nwatchdog = use\n");
    let daemon = Daemon::start(world);
    until("it guards", || thread(world, "keeper").0 == "running");
    // A second one is refused.
    let directory = world.path("root/run/keeper").display().to_string();
    let pid = keeper(world).unwrap();
    world.om(&format!("daemon keeper {directory}")).ends(5).says(&format!("a keeper runs already: process {pid}"));
    // Switched off, it ends; switched on, there is another one.
    world.write("root/etc/node.conf", "[node]\nwatchdog = off\n");
    until("it has ended", || keeper(world).is_none());
    assert_eq!(thread(world, "keeper"), (String::new(), String::new()));
    world.write("root/etc/node.conf", "[node]\nwatchdog = use\n");
    until("another one guards", || keeper(world).is_some() && thread(world, "keeper").0 == "running");
    let status: Value = known(world);
    assert!(status["daemon"]["threads"].to_string().contains("watchdog_device names none"), "{status:#}");
    world.om("daemon stop").ok();
    drop(daemon);
    until("the keeper has ended", || keeper(world).is_none());
}
