//! The real daemon: what its commands show and order, and what its coming and going does to services.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    the_daemon_is_started_once_and_stopped,
    an_order_is_waited_for_and_shown,
    a_failed_order_says_why_and_stays_until_it_is_cleared,
    an_order_outlives_the_command_that_waits,
    services_run_on_while_the_daemon_comes_and_goes,
    a_killed_daemon_is_replaced_and_finds_its_services,
    events_are_filtered_waited_for_and_survive_a_restart,
    what_acts_here_acts_beside_the_daemon,
    mon_shows_what_the_daemon_knows,
    an_object_is_deleted_by_order,
    systemd_is_told_when_it_is_ready_alive_and_ending,
    an_action_is_cancelled_by_its_number,
    a_drain_stops_the_services_first,
    a_daemon_that_cannot_start_says_why,
    a_daemon_that_hangs_is_killed_by_force,
    a_signal_stops_the_daemon_and_not_the_services,
);

/// A daemon in the foreground, killed at the end of the test if it was not stopped.
pub(crate) struct Daemon {
    process: Child,
}

impl Daemon {
    /// Starts it, and waits until it is ready.
    pub(crate) fn start(world: &World) -> Daemon {
        let mut command = world.command();
        command.args(["daemon", "run"]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        until("the daemon is ready", || {
            let status = world.om("daemon status --format json");
            let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
            status["cluster"]["node"]["n1"]["daemon"]["state"] == "running"
        });
        Daemon { process }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After a failure: what it runs is found by its marks.
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// A service that leaves a mark for each start and stop. Nothing starts it but an order.
pub(crate) fn service(world: &World, name: &str, more: &str) {
    world.create(name, &format!("[DEFAULT]\nnodes = n1\n{more}\n{}", world.app("1", "")));
}

pub(crate) fn known(world: &World) -> Value {
    serde_json::from_str(&world.om("daemon status --format json").ok().stdout).unwrap()
}

fn end(line: &str, om: Child) -> Ran {
    Ran::new(line, om.wait_with_output().unwrap())
}

/// Waits until a command follows the events. The kernel lists the socket that listens, and one for each connection.
fn until_followed(world: &World) {
    let socket = world.path("root/run/daemon.sock").display().to_string();
    let sockets = || std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    until("it follows", || sockets().matches(&socket).count() >= 2);
}

fn the_daemon_is_started_once_and_stopped(world: &World) {
    world.om("daemon stop").ok().says("nothing to stop");
    world.om("daemon start").ok().says("the daemon has started: process ");
    let pid = known(world)["daemon"]["pid"].to_string();
    world.om("daemon start").ok().says(&format!("the daemon runs already: process {pid}"));
    world.om("daemon run").ends(5).says(&format!("a daemon runs already: process {pid}"));
    let session = Command::new("ps").args(["-o", "sid=", "-p", &pid]).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&session).trim(), pid, "it is not in a session of its own");
    world.om("daemon ps").ok();
    world.om("daemon kill 7").ends(2).says("nothing of number 7 runs");
    world.om("daemon restart").ok().says(&format!("the daemon has stopped: process {pid}"));
    assert!(world.om("daemon log").ok().stdout.contains("the daemon has ended"));
    world.om("daemon stop").ok().says("the daemon has stopped");
    world.om("daemon status").ends(1).says("no daemon runs on this node: om daemon start");
}

fn an_order_is_waited_for_and_shown(world: &World) {
    service(world, "web", "");
    let daemon = Daemon::start(world);
    let ran = world.om("web start --wait").ok();
    assert_eq!(ran.stdout, "web@n1: start done\n");
    assert_eq!(world.take_marks(), "+1");
    world.is("web", "up");
    let ran = world.om("web start --wait --format json").ok();
    let order: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&order["state"], &order["target"]), (&Value::from("done"), &Value::from("started")), "{ran}");
    world.om("web stop --wait").ok();
    assert_eq!(world.take_marks(), "-1");
    assert_eq!(world.status("web")["frozen"], true, "an ordered stop freezes");
    let receipt = world.om("web thaw").ok();
    assert!(receipt.stdout.starts_with("web: thaw done, order "), "{receipt}");
    assert_eq!(world.status("web")["frozen"], false);
    let options = world.om("web start --parallel 2").ends(1);
    options.says("--parallel has no effect on an order to the daemon: add --local");
    for option in ["--force", "--adopt"] {
        let refused = world.om(&format!("web stop {option}")).ends(1);
        refused.says(&format!("{option} has no effect on an order to the daemon: add --local"));
    }
    world.om("nothing start --wait").ends(2);
    world.create("db", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let both = world.om("web,db start --wait").ok();
    assert!(["web@n1: start done\n", "db@n1: start done\n"].iter().all(|line| both.stdout.contains(line)), "{both}");
    world.om("web,db stop --wait").ok();
    let deleted = world.om("db delete --unprovision --confirm").ok();
    assert!(deleted.stdout.starts_with("db: delete "), "as it was typed: {deleted}");
    drop(daemon);
}

fn a_failed_order_says_why_and_stays_until_it_is_cleared(world: &World) {
    service(world, "web", "");
    world.write("broken.1", "");
    let daemon = Daemon::start(world);
    let failed = world.om("web start --wait").ends(1);
    assert!(failed.stdout.contains("web@n1: start failed: "), "{failed}");
    failed.says("om web logs says more; om web clear tries again").does_not_say("abort gives up");
    assert!(world.om("web explain").ok().stdout.contains("failed"));
    assert!(world.om("mon --sections services").ok().stdout.contains("start failed"));
    std::fs::remove_file(world.path("broken.1")).unwrap();
    world.om("web clear --wait").ok();
    world.om("web start --wait").ok();
    world.is("web", "up");
    world.om("web stop --wait").ok();
    drop(daemon);
}

/// A service whose start waits for the file `gate`.
fn gated(world: &World) {
    let text = "#!/bin/sh\ncd {w}\n: >begun\nwhile ! test -e gate; do sleep 0.02; done\n: >up.1\n";
    let script = world.write("wait", &world.fill(text));
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[app#1]\ntype = forking\nstart = /bin/sh {}\nstop = {{w}}/act stop 1\n\
         check = {{w}}/act check 1\n",
        script.display()
    );
    world.create("web", &config);
}

fn an_order_outlives_the_command_that_waits(world: &World) {
    gated(world);
    let daemon = Daemon::start(world);
    world.om("web start --wait --time 300ms").ends(7).says("goes on (om web abort gives it up)");
    assert!(world.om("daemon ps").ok().stdout.contains("web"));
    world.om("web stop --wait").ends(5);
    world.write("gate", "");
    until("the order is carried out", || known(world)["cluster"]["object"]["web"]["order"]["state"] == "done");
    world.is("web", "up");
    world.om("web stop --wait").ok();
    drop(daemon);
}

fn services_run_on_while_the_daemon_comes_and_goes(world: &World) {
    service(world, "web", "orchestrate = ha");
    world.om("daemon start").ok();
    until("the daemon starts the service", || world.marks() == "+1");
    world.om("daemon restart").ok();
    world.om("daemon stop").ok();
    world.is("web", "up");
    world.om("daemon start").ok();
    until("the daemon knows the service", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    assert_eq!(world.marks(), "+1", "the service was touched");
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
}

fn a_killed_daemon_is_replaced_and_finds_its_services(world: &World) {
    service(world, "web", "orchestrate = ha");
    let first = Daemon::start(world);
    until("the daemon starts the service", || world.marks() == "+1");
    until("the start is over", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    first.kill();
    assert!(world.exists("root/run/daemon.sock"), "a kill leaves the socket behind");
    world.om("daemon status").ends(1).says("no daemon runs on this node");
    world.om("daemon start").ok();
    assert_eq!(known(world)["cluster"]["object"]["web"]["avail"], "up");
    assert_eq!(world.marks(), "+1", "the service was touched");
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
}

fn events_are_filtered_waited_for_and_survive_a_restart(world: &World) {
    service(world, "web", "");
    world.om("daemon start").ok();
    world.om("events --filter order.end --wait --duration 100ms").ends(7).says("not seen in time: order.end");
    let replayed = world.om("events --replay --limit 1 --format json").ok();
    let event: Value = serde_json::from_str(&replayed.stdout).unwrap();
    assert_eq!((&event["kind"], &event["path"]), (&Value::from("object.status"), &Value::from("web")));
    // It follows from before the restart to behind it.
    let after = known(world)["daemon"]["last_event"].clone();
    let line = format!("events --after {after} --filter order.end,path=web,.data.state=done --wait --duration 30s");
    let waiting = world.spawn(&line);
    until_followed(world);
    world.om("daemon restart").ok();
    world.om("web start --wait").ok();
    assert!(end(&line, waiting).ok().stdout.contains("order.end"));
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
}

fn what_acts_here_acts_beside_the_daemon(world: &World) {
    service(world, "web", "");
    let daemon = Daemon::start(world);
    assert!(world.om("web start --local").ok().stdout.is_empty(), "an order was given");
    until("the daemon notices", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    world.om("web instance stop").ok();
    until("the daemon notices", || known(world)["cluster"]["object"]["web"]["avail"] == "down");
    world.om("web start --rid app#1").ok();
    world.om("web stop --rid app#1").ok();
    assert!(world.om("web start --dry-run").ok().stdout.contains("app#1"), "an order was given");
    assert_eq!(world.take_marks(), "+1 -1 +1 -1");
    world.om("svc2 create --kw fs#1.type=flag").ok();
    world.om("svc2 start --wait").ok();
    world.om("svc2 stop --wait").ok();
    drop(daemon);
}

fn mon_shows_what_the_daemon_knows(world: &World) {
    service(world, "web", "");
    world.create("ns1/svc/db", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let daemon = Daemon::start(world);
    world.om("web start --wait").ok();
    let mon = world.om("mon").ok().stdout;
    for section in ["Threads", "Nodes", "Services"] {
        assert!(mon.lines().any(|line| line.starts_with(section) && line.ends_with("n1")), "{mon}");
    }
    assert!(
        mon.lines().any(|line| line.starts_with(" web ") && line.contains("up") && line.ends_with("| O^")),
        "{mon}"
    );
    assert!(mon.lines().any(|line| line.starts_with(" ns1/svc/db ") && line.contains("down")), "{mon}");
    let some = world.om("mon -s ns1/** --sections services").ok().stdout;
    assert!(some.starts_with("Services ~ ns1/**") && some.lines().count() == 2, "{some}");
    assert!(world.om("mon --stats").ok().stdout.contains(&format!("pid {}", daemon.pid())));
    world.om("node freeze").ok().says("the node is frozen");
    let nodes = world.om("mon --sections nodes").ok().stdout;
    assert!(nodes.lines().any(|line| line.starts_with(" state") && line.ends_with("| *")), "{nodes}");
    world.om("node thaw").ok().says("the node is thawed");
    world.om("mon --watch").ends(1).says("--watch needs a terminal");
    world.om("web stop --wait").ok();
    drop(daemon);
}

fn an_object_is_deleted_by_order(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    service(world, "db", "");
    let daemon = Daemon::start(world);
    world.om("web delete --wait --time 20s").ok();
    world.om("web print status").ends(2);
    world.om("db start --wait").ok();
    world.om("db purge --confirm --wait --time 20s").ok();
    assert_eq!(world.take_marks(), "+1 -1");
    until("the daemon forgets both", || known(world)["cluster"]["object"].as_object().unwrap().is_empty());
    service(world, "db", "");
    world.om("db start --wait").ok();
    world.om("db stop --wait").ok();
    drop(daemon);
}

fn an_action_is_cancelled_by_its_number(world: &World) {
    gated(world);
    let daemon = Daemon::start(world);
    let waiting = world.spawn("web start --wait");
    until("the start is under way", || world.exists("begun"));
    let processes: Value = serde_json::from_str(&world.om("daemon ps --format json").ok().stdout).unwrap();
    assert_eq!((&processes[0]["action"], &processes[0]["path"]), (&Value::from("start"), &Value::from("web")));
    world.om(&format!("daemon kill {}", processes[0]["id"])).ok().says("cancelled");
    // Its action is undone, and the order fails: another try would be killed as well.
    let ran = end("web start --wait", waiting).ends(1);
    assert!(ran.stdout.contains("web@n1: start failed: an operator has ended it"), "{ran}");
    world.write("gate", "");
    world.om("web clear --wait").ok();
    until("it is started", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    world.om("web stop --wait").ok();
    drop(daemon);
}

fn a_drain_stops_the_services_first(world: &World) {
    service(world, "web", "orchestrate = ha");
    world.om("daemon start").ok();
    until("the daemon starts the service", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    world.om("daemon stop --drain --time 20s").ok().says("the daemon has stopped");
    world.is("web", "down");
    assert_eq!(world.status("web")["frozen"], false, "a drain does not freeze");
}

fn a_daemon_that_cannot_start_says_why(world: &World) {
    service(world, "web", "");
    world.write("root/var/daemon", "a file where its directory should be");
    let ran = world.om("daemon start").ends(1).says("the daemon ended while it started (exit code 1)");
    ran.says("cannot start the daemon");
    world.om("daemon status").ends(1).says("no daemon runs");
    assert!(!world.exists("root/run/daemon.sock"));
}

fn a_daemon_that_hangs_is_killed_by_force(world: &World) {
    use nix::sys::signal::{Signal, kill};
    service(world, "web", "orchestrate = ha");
    let mut daemon = Daemon::start(world);
    until("the daemon starts the service", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    kill(nix::unistd::Pid::from_raw(i32::try_from(daemon.pid()).unwrap()), Signal::SIGSTOP).unwrap();
    world.om("daemon stop --time 300ms").ends(7).says("--force kills it");
    world.om("daemon stop --time 300ms --force").ok().says("the daemon was killed");
    daemon.process.wait().unwrap();
    world.om("daemon start").ok();
    assert_eq!(world.marks(), "+1", "the service was touched");
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
}

fn a_signal_stops_the_daemon_and_not_the_services(world: &World) {
    use nix::sys::signal::{Signal, kill};
    service(world, "web", "orchestrate = ha");
    let mut daemon = Daemon::start(world);
    until("the daemon starts the service", || known(world)["cluster"]["object"]["web"]["avail"] == "up");
    let after = known(world)["daemon"]["last_event"].clone();
    let events = world.spawn(&format!("events --after {after} --filter daemon.end --wait"));
    let pid = nix::unistd::Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    kill(pid, Signal::SIGHUP).unwrap();
    until_followed(world);
    kill(pid, Signal::SIGTERM).unwrap();
    assert!(daemon.process.wait().unwrap().success());
    assert!(!world.exists("root/run/daemon.sock"));
    end("events", events).ok();
    world.is("web", "up");
    world.om("web stop --local").ok();
}

fn systemd_is_told_when_it_is_ready_alive_and_ending(world: &World) {
    service(world, "web", "");
    let path = world.path("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let mut command = world.command();
    command.args(["daemon", "run"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let daemon = Daemon { process: command.spawn().unwrap() };
    let mut told = String::new();
    let mut hear = |word: &str| {
        let mut buffer = [0; 256];
        while !told.contains(word) {
            let count = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {word}: {error}"));
            told.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        told.clear();
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(daemon.pid() as i32), nix::sys::signal::Signal::SIGTERM).unwrap();
    hear("STOPPING=1");
    until("it has ended", || world.om("daemon status").code == Some(1));
    drop(daemon);
}
