//! Runs of tasks: beside other actions, one at a time, ended by a stop, and found again by the next daemon.

use std::fs;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::daemon::Daemon;
use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    a_run_keeps_no_other_action_waiting_and_no_second_run_begins,
    a_stop_ends_the_run_first_and_the_record_of_the_run_stays,
    a_run_goes_on_when_the_daemon_is_killed_and_the_next_one_finds_it,
    what_a_killed_run_left_behind_is_ended_and_its_record_says_so,
    a_killed_run_of_several_tasks_is_recorded_for_each,
    the_log_of_a_run_is_told_apart_from_what_goes_on_beside_it,
    a_snoozed_schedule_starts_nothing_and_says_so,
    a_task_runs_as_often_at_once_as_it_may,
    what_a_run_leaves_running_is_held_until_a_stop_ends_it,
    what_was_killed_with_a_run_is_not_left_running,
);

/// A service with a task that goes on until the file `go` is there.
fn service(world: &World, more: &str) {
    let task = "command = /bin/sh -c 'echo begun >> {w}/marks; while [ ! -e {w}/go ]; do sleep 0.05; done; \
                echo ended >> {w}/marks'";
    world
        .create("web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[task#1]\ntype = host\n{task}\n{more}\n"));
}

fn marks(world: &World) -> String {
    fs::read_to_string(world.path("marks")).unwrap_or_default()
}

/// A run in a process of its own, which has begun.
fn run(world: &World, times: usize) -> Child {
    let mut command = world.command();
    let run = command.args(["web", "run", "--local"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the task has begun", || marks(world).matches("begun").count() == times);
    run
}

fn end(run: Child) -> Ran {
    Ran::new("web run --local", run.wait_with_output().unwrap())
}

fn let_go(world: &World) {
    fs::write(world.path("go"), "").unwrap();
}

/// The shells that carry the task out.
fn shells(world: &World) -> usize {
    let directory = world.directory().display().to_string();
    let is_ours = |entry: &fs::DirEntry| {
        let argv = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let argv = String::from_utf8_lossy(&argv).replace('\0', " ");
        argv.contains("while [ ! -e") && argv.contains(&directory)
    };
    fs::read_dir("/proc").unwrap().flatten().filter(is_ours).count()
}

/// The schedule of the task, and why it does not run now.
fn schedule(world: &World) -> Value {
    let printed = world.om("web print schedule --format json").ok();
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    document["entries"].as_array().unwrap().iter().find(|entry| entry["rid"] == "task#1").unwrap().clone()
}

fn a_run_keeps_no_other_action_waiting_and_no_second_run_begins(world: &World) {
    service(world, "schedule = @1s");
    world.om("web start").ok();
    assert_eq!(schedule(world)["wait"], "no_daemon");
    let first = run(world, 1);
    world.om("web run --local").ends(5).says("has been running task#1 since");
    until("its interval is over", || schedule(world)["wait"] != "interval");
    assert_eq!(schedule(world)["wait"], "running");
    world.om("web stop --rid fs#1").ok();
    world.om("web start --rid fs#1").ok();
    world.om("web print status --refresh").ok();
    assert_eq!(marks(world), "begun\n", "an action of another resource ended the run, or a second one began");
    let_go(world);
    end(first).ok();
    assert_eq!(marks(world), "begun\nended\n");
    world.om("web run --local").ok();
    world.om("web stop").ok();
}

fn a_stop_ends_the_run_first_and_the_record_of_the_run_stays(world: &World) {
    service(world, "schedule = @1h");
    world.om("web start").ok();
    let run = run(world, 1);
    let stopped = world.om("web stop").ok();
    stopped.says("is to end").says("its run has ended").says("instance status is now down");
    assert_eq!((marks(world).as_str(), shells(world)), ("begun\n", 0));
    assert!(!end(run).is_ok(), "a run that was cut short is no success");
    assert!(schedule(world)["last_run_at"].is_i64());
    world.om("web print holdings").ok().does_not_say("task#1");
    let_go(world);
    world.om("web start").ok();
    world.om("web run --local").ok();
    world.om("web stop").ok().does_not_say("is to end");
}

fn a_run_goes_on_when_the_daemon_is_killed_and_the_next_one_finds_it(world: &World) {
    service(world, "schedule = @1h");
    world.om("web start").ok();
    let daemon = Daemon::start(world);
    until("the task has begun", || marks(world) == "begun\n");
    world.om("daemon ps").ok().says("task#1");
    daemon.kill();
    let daemon = Daemon::start(world);
    until("the run is found", || world.om("daemon ps").ok().stdout.contains("task#1"));
    assert_eq!((marks(world).as_str(), shells(world)), ("begun\n", 1), "it went on, alone");
    let_go(world);
    until("the task has ended", || marks(world) == "begun\nended\n");
    until("the daemon knows", || !world.om("daemon ps").ok().stdout.contains("task#1"));
    assert_eq!(schedule(world)["wait"], "interval");
    world.om("web logs").ok().says("origin scheduler").says("<<< done run");
    // A stop by order ends one, too.
    fs::remove_file(world.path("go")).unwrap();
    let run = run(world, 2);
    world.om("web stop --wait").ok();
    assert!(!end(run).is_ok());
    assert_eq!(shells(world), 0);
    drop(daemon);
}

fn what_a_killed_run_left_behind_is_ended_and_its_record_says_so(world: &World) {
    service(world, "");
    world.om("web start").ok();
    let mut first = run(world, 1);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(shells(world), 1, "the command goes on without its run");
    world.om("web stop").ok().says("an earlier run").says("was interrupted").says("stopped what it left running");
    assert_eq!(shells(world), 0);
    // The same for the next run.
    world.om("web start").ok();
    let mut second = run(world, 2);
    second.kill().unwrap();
    second.wait().unwrap();
    let third = run(world, 3);
    assert_eq!(shells(world), 1, "beside what was left behind");
    let_go(world);
    end(third).ok().says("stopped what it left running");
    world.om("web stop").ok();
}

fn a_killed_run_of_several_tasks_is_recorded_for_each(world: &World) {
    let command = "command = /bin/sh -c 'echo {name} >> {w}/marks{then}'";
    let task = |name: &str, then: &str| {
        let command = command.replace("{name}", name).replace("{then}", then);
        format!("[task#{name}]\ntype = host\n{command}\n")
    };
    let tasks = [task("1", ""), task("2", "; while [ ! -e {w}/go ]; do sleep 0.05; done"), task("3", "")];
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n{}", tasks.concat()));
    world.om("web start").ok();
    let mut run = world.spawn("web run --local");
    until("the second task has begun", || marks(world).contains('2') && marks(world).contains('1'));
    // The first one has ended: its end is in the journal before the next one begins.
    run.kill().unwrap();
    run.wait().unwrap();
    world.om("web stop").ok().says("stopped what it left running");
    assert_eq!(shells(world), 0);
    let record = |number: u8| world.read(&format!("root/var/svc/web/ran/task#{number}.run"));
    assert!(record(1).contains("\"succeeded\":true"), "{}", record(1));
    assert!(record(2).contains("\"succeeded\":false"), "{}", record(2));
    assert!(record(3).contains("\"succeeded\":false"), "{}", record(3));
}

fn the_log_of_a_run_is_told_apart_from_what_goes_on_beside_it(world: &World) {
    service(world, "");
    world.om("web start").ok();
    let run = run(world, 1);
    world.om("web stop --rid fs#1").ok();
    let_go(world);
    end(run).ok();
    let all = world.om("web logs --lines 0").ok().stdout;
    let opening = all.lines().find(|line| line.contains(">>> do run")).unwrap();
    assert!(opening.contains(" INF web: >>> do run"), "the id is shown once: {opening}");
    let sid = opening.rsplit_once("sid ").unwrap().1.trim_end_matches(')');
    for sid in [sid, &sid[..4]] {
        let own = world.om(&format!("web logs --lines 0 --sid {sid}")).ok().stdout;
        assert!(own.contains("do run") && own.contains("<<< done run"), "{own}");
        assert!(!own.contains("stop") && !own.contains("fs#1"), "{own}");
    }
    world.om("web stop").ok();
}

fn a_snoozed_schedule_starts_nothing_and_says_so(world: &World) {
    let task = "[task#1]\ntype = host\nschedule = @1s\ncommand = /bin/sh -c 'echo x >> {w}/marks'\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n{task}"));
    world.om("web snooze").ends(1).says("--for");
    world.om("web snooze --until 2001-01-01").ends(1).says("has passed already");
    world.om("web unsnooze").ok().says("web: not snoozed");
    world.om("web snooze --for 1h").ok().says("web: no schedule starts anything on this node before ");
    world.om("web start").ok();
    let daemon = Daemon::start(world);
    let entry = schedule(world);
    assert_eq!(entry["wait"], "snoozed", "{entry}");
    assert!(entry["reason"].as_str().unwrap().starts_with("it is snoozed until "), "{entry}");
    let next = jiff::Timestamp::from_second(entry["next_run_at"].as_i64().unwrap()).unwrap();
    assert!(next > jiff::Timestamp::now() + jiff::SignedDuration::from_mins(50), "{entry}");
    world.om("web print schedule").ok().says("web: snoozed until ");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(marks(world), "");
    // By hand it runs all the same.
    world.om("web run --local").ok();
    assert_eq!(marks(world), "x\n");
    world.om("web unsnooze").ok().says("web: its schedules hold again");
    until("the daemon follows", || marks(world).lines().count() >= 2);
    world.om("web snooze --for 2s").ok();
    until("the run that was under way is over", || !world.om("daemon ps").ok().stdout.contains("task#1"));
    let before = marks(world);
    until("the snooze is over", || marks(world).len() > before.len());
    world.om("web stop --wait").ok();
    drop(daemon);
}

fn a_task_runs_as_often_at_once_as_it_may(world: &World) {
    service(world, "max_parallel = 2");
    world.om("web start").ok();
    let (first, second) = (run(world, 1), run(world, 2));
    world.om("web run --local").ends(5).says("has been running task#1 since");
    let_go(world);
    end(first).ok();
    end(second).ok();
    assert_eq!(marks(world).matches("ended").count(), 2);
    world.om("web stop").ok();
}

fn what_a_run_leaves_running_is_held_until_a_stop_ends_it(world: &World) {
    let task = "command = /bin/sh -c 'setsid sleep 987 >/dev/null 2>&1 & echo $! > {w}/pid'";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[task#1]\ntype = host\n{task}\n"));
    world.om("web start --local").ok();
    world.om("web run --local").ok().says("WRN web: task#1: left running: ").says("a stop of the instance ends it");
    let command = format!("/proc/{}/cmdline", world.read("pid").trim());
    world.om("web print holdings").ok().says("task#1  process-group  present");
    world.om("web print status").ok().says("its driver says n/a, but it still holds processes in");
    world.om("web delete --local").ends(1).says("task#1");
    world.om("web stop --local").ok().says("task#1: ended 1 process that a run had left running");
    // One that has exited and was not waited for yet has none.
    assert_eq!(fs::read_to_string(command).unwrap_or_default(), "");
    world.om("web print holdings").ok().does_not_say("task#1");
    world.om("web stop --local").ok().does_not_say("left running");
}

fn what_was_killed_with_a_run_is_not_left_running(world: &World) {
    let task = "[task#1]\ntype = host\ncommand = /bin/sh -c 'sleep 986 & sleep 986'\ntimeout = 1s\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{task}"));
    world.om("web run --local").ends(7).says("took too long").does_not_say("left running");
    world.om("web print holdings").ok().does_not_say("task#1");
}
