//! Faults around the real daemon: kills at any moment, a stopped process, a full disk, many hands. After each of them a service
//! is as the last acknowledged order wants it, and nothing has been started twice.

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::daemon::{Daemon, known, service};
use crate::mounts::{at, is_mounted};
use crate::world::{World, until};

crate::trials!(
    what_one_operator_knows_of_one_node_is_no_order,
    a_daemon_that_is_killed_at_any_moment_loses_no_order_and_starts_nothing_twice,
    a_daemon_that_was_stopped_for_a_while_restarts_what_died_once,
    on_a_full_disk_orders_are_refused_and_services_can_be_stopped,
    many_hands_at_once_end_with_the_last_acknowledged_order,
    a_task_is_not_run_again_by_the_next_daemon,
    a_driver_that_hangs_keeps_no_other_service_waiting,
);

/// The services of a storm.
const SERVICES: [&str; 3] = ["a", "b", "c"];

/// Each start is followed by a stop, and each stop by a start: `+1 +1` is a service that was started twice.
fn alternates(world: &World, number: usize) {
    let marks = world.marks();
    let own = [format!("+{number}"), format!("-{number}")];
    let mut last = own[1].as_str();
    for mark in marks.split(' ').filter(|mark| own.iter().any(|own| own == mark)) {
        assert_ne!(mark, last, "{number} twice in {marks}");
        last = if mark == own[0] { &own[0] } else { &own[1] };
    }
}

fn a_daemon_that_is_killed_at_any_moment_loses_no_order_and_starts_nothing_twice(world: &World) {
    for (number, name) in SERVICES.iter().enumerate() {
        world.create(name, &format!("[DEFAULT]\nnodes = n1\n{}", world.app(&number.to_string(), "")));
    }
    let mut daemon = Daemon::start(world);
    for round in 0..12 {
        let verb = if round % 2 == 0 { "start" } else { "stop" };
        let acknowledged: Vec<bool> = SERVICES.iter().map(|name| world.om(&format!("{name} {verb}")).is_ok()).collect();
        // Somewhere between the acceptance of the orders and their end.
        std::thread::sleep(Duration::from_millis(round * 13 % 90));
        daemon.kill();
        daemon = Daemon::start(world);
        let wanted = if verb == "start" { "up" } else { "down" };
        for (name, _) in SERVICES.iter().zip(acknowledged).filter(|(_, acknowledged)| *acknowledged) {
            until(&format!("{name} is {wanted} in round {round}"), || {
                known(world)["cluster"]["object"][*name]["avail"] == wanted
            });
        }
    }
    (0..SERVICES.len()).for_each(|number| alternates(world, number));
    drop(daemon);
    // An action that has nothing to do still removes a control group that a kill left empty.
    SERVICES.iter().for_each(|name| {
        world.om(&format!("{name} stop --local")).ok();
    });
}

fn a_daemon_that_was_stopped_for_a_while_restarts_what_died_once(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nrestart = 5\nrestart_delay = 0\n";
    world.create("web", config);
    let daemon = Daemon::start(world);
    world.om("web start --wait").ok();
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    let flag = world.path("root/run/svc/web/fs#1.flag");
    fs::remove_file(&flag).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    kill(pid, Signal::SIGCONT).unwrap();
    world.om("daemon status").ok();
    until("it is restarted", || {
        world.om("web print status --refresh").ok();
        flag.exists()
    });
    let explained = world.om("web explain --format json").ok();
    let explained: Value = serde_json::from_str(&explained.stdout).unwrap();
    assert_eq!(explained["restarts"][0]["left"], 4, "{explained}");
    world.om("web stop --wait").ok();
    drop(daemon);
}

fn on_a_full_disk_orders_are_refused_and_services_can_be_stopped(world: &World) {
    let var = world.path("root/var");
    fs::create_dir_all(&var).unwrap();
    mount(Some("small"), &var, Some("tmpfs"), MsFlags::empty(), Some("size=8m")).unwrap();
    service(world, "web", "");
    service(world, "db", "");
    let daemon = Daemon::start(world);
    world.om("web start --wait").ok();
    let ballast = var.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    // The daemon goes on to answer, and an action that only takes down is done here.
    assert_eq!(known(world)["cluster"]["object"]["web"]["avail"], "up");
    world.om("web stop --local").ok();
    world.is("web", "down");
    fs::remove_file(&ballast).unwrap();
    // It recovers without a restart.
    until("orders are taken again", || world.om("web start --wait").is_ok());
    world.is("web", "up");
    world.om("web stop --wait").ok();
    drop(daemon);
    umount2(&var, MntFlags::MNT_DETACH).unwrap();
}

fn many_hands_at_once_end_with_the_last_acknowledged_order(world: &World) {
    service(world, "web", "");
    let daemon = Daemon::start(world);
    let verbs = ["start", "stop", "freeze", "thaw", "restart", "abort", "clear"];
    let hands: Vec<_> = (0..30).map(|number| world.spawn(&format!("web {}", verbs[number % verbs.len()]))).collect();
    for hand in hands {
        let code = hand.wait_with_output().unwrap().status.code();
        // Done, failed, or busy: nobody is left without an answer.
        assert!(matches!(code, Some(0 | 1 | 5)), "{code:?}");
    }
    until("the last order is taken", || world.om("web start --wait").is_ok());
    world.is("web", "up");
    until("the next one too", || world.om("web stop --wait").is_ok());
    world.is("web", "down");
    alternates(world, 1);
    drop(daemon);
}

fn a_task_is_not_run_again_by_the_next_daemon(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\nschedule = @1h\n\
                  command = sh -c 'echo x >> {w}/ran; sleep 0.5'\n";
    world.create("jobs", config);
    let daemon = Daemon::start(world);
    until("the task runs", || world.exists("ran"));
    daemon.kill();
    let daemon = Daemon::start(world);
    // The run of the killed daemon goes on to its end.
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(world.read("ran"), "x\n");
    world.om("jobs stop --local").ok();
    drop(daemon);
}

fn a_driver_that_hangs_keeps_no_other_service_waiting(world: &World) {
    let hangs = "[DEFAULT]\nnodes = n1\nstatus_timeout = 30s\n[app#1]\ntype = forking\nstart = /bin/true\n\
                 stop = /bin/true\ncheck = /bin/sleep 20\n";
    service(world, "web", "");
    let daemon = Daemon::start(world);
    world.create("hangs", hangs);
    until("the daemon knows it", || known(world)["cluster"]["node"]["n1"]["instance"]["hangs"].is_object());
    world.om("web start --wait --time 10s").ok();
    world.om("web stop --wait --time 10s").ok();
    drop(daemon);
}

fn what_one_operator_knows_of_one_node_is_no_order(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/cache\n");
    let daemon = Daemon::start(world);
    world.om("web start --wait").ok();
    for delete in ["delete --force --i-know", "delete --unprovision --confirm --force --i-know"] {
        world.om(&format!("web {delete}")).ends(1).says("--i-know has no effect on an order").says("--local");
    }
    world.om("web delete --force --local").ends(1).says("it still holds").says("--i-know");
    assert!(is_mounted(&at(world, "cache")));
    world.om("web stop --wait").ok();
    world.om("web delete --wait --time 20s").ok();
    drop(daemon);
}
