//! Actions whose process dies: the next action finishes the story, and nothing is started twice.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use exec::failpoint::Failpoint;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    a_start_that_died_anywhere_is_finished,
    a_stop_that_died_anywhere_is_finished,
    a_rollback_that_died_anywhere_is_finished,
    a_provision_that_died_anywhere_is_finished,
    an_unprovision_that_died_anywhere_is_finished,
    a_task_is_not_run_twice,
    a_killed_start_gives_its_lock_back_and_is_undone,
    an_interrupted_start_is_rolled_back,
    a_signal_ends_the_command_and_not_only_the_object_at_work,
    after_a_kill_the_previous_status_is_not_shown,
    an_application_outlives_the_process_that_started_it,
);

const N1: &str = "[DEFAULT]\nnodes = n1\n";

/// Dies at a point of an action, if the action reaches it. Read-only commands afterwards only show the interrupted action.
fn die_at(world: &World, action: &str, point: Failpoint, pass: u8) -> Ran {
    let ran = world.om_with(action, &[("HOSTLER_FAILPOINT", &format!("{}:{pass}", point.as_str()))]);
    let before = world.read("marks");
    world.om("web print status").ok();
    assert_eq!(world.read("marks"), before, "looking has done something, after {ran}");
    ran
}

/// Every start is followed by a stop before the next one, and a stop by a start.
#[track_caller]
fn nothing_twice(world: &World, context: &str) {
    let marks = world.marks();
    let mut up: BTreeMap<&str, bool> = BTreeMap::new();
    for mark in marks.split(' ').filter(|mark| mark.starts_with(['+', '-'])) {
        let (sign, id) = mark.split_at(1);
        let before = up.insert(id, sign == "+").unwrap_or(false);
        assert_ne!(before, sign == "+", "{id} twice in {marks:?}, {context}");
    }
}

fn two_apps(world: &World) {
    world.create("web", &format!("{N1}[fs#1]\ntype = flag\n{}{}", world.app("1", ""), world.app("2", "")));
}

/// The points that an action must reach. At the others it finishes normally.
const LIFE: [Failpoint; 8] = [
    Failpoint::BeforeHeader,
    Failpoint::AfterHeader,
    Failpoint::BeforeBegin,
    Failpoint::AfterBegin,
    Failpoint::AfterDriver,
    Failpoint::AfterEnd,
    Failpoint::BetweenSteps,
    Failpoint::BeforeDone,
];

fn a_start_that_died_anywhere_is_finished(world: &World) {
    two_apps(world);
    for point in LIFE {
        let context = format!("a start died at {}", point.as_str());
        die_at(world, "web start", point, if point == Failpoint::AfterDriver { 2 } else { 1 }).dies();
        world.om("web start").ok();
        world.is("web", "up");
        nothing_twice(world, &context);
        // Nothing is left to do.
        world.om("web start").ok().says("nothing to do").does_not_say("interrupted");
        world.om("web stop").ok();
        world.is("web", "down");
        nothing_twice(world, &context);
    }
    // The other way on: the operator changes their mind.
    for point in LIFE {
        die_at(world, "web start", point, 1).dies();
        world.om("web stop").ok();
        world.is("web", "down");
        nothing_twice(world, &format!("a start died at {}, and then a stop", point.as_str()));
    }
}

fn a_stop_that_died_anywhere_is_finished(world: &World) {
    two_apps(world);
    for point in LIFE {
        world.om("web start").ok();
        die_at(world, "web stop", point, 1).dies();
        world.om("web stop").ok();
        world.is("web", "down");
        nothing_twice(world, &format!("a stop died at {}", point.as_str()));
    }
    for point in LIFE {
        world.om("web start").ok();
        die_at(world, "web stop", point, 1).dies();
        world.om("web start").ok();
        world.is("web", "up");
        nothing_twice(world, &format!("a stop died at {}, and then a start", point.as_str()));
        world.om("web stop").ok();
    }
}

fn a_rollback_that_died_anywhere_is_finished(world: &World) {
    two_apps(world);
    for point in [Failpoint::BeforeUndo, Failpoint::AfterUndo, Failpoint::BeforeDone] {
        for pass in [1, 2] {
            let context = format!("a rollback died at {}:{pass}", point.as_str());
            world.write("broken.2", "");
            let ran = die_at(world, "web start", point, pass);
            if point != Failpoint::BeforeDone || pass == 1 {
                ran.dies();
            }
            nothing_twice(world, &context);
            fs::remove_file(world.path("broken.2")).unwrap();
            world.om("web start").ok();
            world.is("web", "up");
            nothing_twice(world, &context);
            world.om("web stop").ok();
        }
    }
}

fn disk(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
    world.create("web", &format!("{config}{}", world.app("1", "")));
}

fn a_provision_that_died_anywhere_is_finished(world: &World) {
    disk(world);
    for (number, point) in LIFE.into_iter().enumerate() {
        // A little later each time.
        let pass = if matches!(point, Failpoint::AfterBegin | Failpoint::AfterDriver) { 3 } else { 1 };
        die_at(world, "web provision", point, pass).dies();
        world.om("web provision").ok();
        assert_eq!(world.states("web"), "app#1 up, disk#1 up, fs#1 up", "{}", point.as_str());
        nothing_twice(world, point.as_str());
        if number + 1 < LIFE.len() {
            world.om("web unprovision --confirm").ok();
            assert!(!world.exists("web.img"));
        }
    }
    fs::write(world.path("site/data"), "kept").unwrap();
    die_at(world, "web provision", Failpoint::AfterHeader, 1).dies();
    world.om("web start").ok();
    assert_eq!(world.read("site/data"), "kept", "data was destroyed by a recovery");
    world.om("web unprovision --confirm").ok();
}

fn an_unprovision_that_died_anywhere_is_finished(world: &World) {
    disk(world);
    for point in LIFE {
        world.om("web provision").ok();
        let pass = if matches!(point, Failpoint::AfterBegin | Failpoint::AfterDriver) { 4 } else { 1 };
        die_at(world, "web unprovision --confirm", point, pass).dies();
        world.om("web unprovision --confirm").ok();
        assert!(!world.exists("web.img"), "{}", point.as_str());
        assert_eq!(world.status("web")["provisioned"], "false", "{}", point.as_str());
        nothing_twice(world, point.as_str());
    }
}

fn a_task_is_not_run_twice(world: &World) {
    world.create(
        "web",
        "[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = {w}/act mark ran\n[fs#1]\ntype = flag\n",
    );
    let done = "had finished, only its last record was missing";
    for (point, marks, message) in [
        (Failpoint::AfterBegin, "", "interrupted"),
        (Failpoint::AfterDriver, "ran", "interrupted"),
        (Failpoint::AfterEnd, "ran", done),
    ] {
        die_at(world, "web run", point, 1).dies();
        world.om("web start").ok().says(message);
        world.om("web stop").ok();
        assert_eq!(world.take_marks(), marks, "{}", point.as_str());
    }
}

/// A service whose application never finishes its start. The start is under way when this returns.
fn slow_start(world: &World) -> std::process::Child {
    slow_start_of(world, "web start")
}

/// The same by another command line.
fn slow_start_of(world: &World, line: &str) -> std::process::Child {
    let slow = "[app#2]\ntype = forking\nstart = {w}/act slow 2\nstop = {w}/act stop 2\ncheck = {w}/act check 2\n";
    world.create("web", &format!("{N1}{}{}", world.app("1", ""), world.fill(slow)));
    let om = world.spawn(line);
    until("app#2 is about to start", || world.marks().contains("~2"));
    om
}

fn a_killed_start_gives_its_lock_back_and_is_undone(world: &World) {
    let mut om = slow_start(world);
    world.om("web stop").ends(5).says(&om.id().to_string());
    om.kill().unwrap();
    om.wait().unwrap();
    let killed = Instant::now();
    world.om("web print status").ok().says("interrupted");
    let ran = world.om("web stop --waitlock 1s").ok().says("interrupted");
    assert!(killed.elapsed() < Duration::from_secs(5), "{ran}");
    assert_eq!(world.take_marks(), "+1 ~2 -1");
    world.is("web", "down");
}

fn an_interrupted_start_is_rolled_back(world: &World) {
    let om = slow_start(world);
    kill(Pid::from_raw(i32::try_from(om.id()).unwrap()), Signal::SIGINT).unwrap();
    let asked = Instant::now();
    let ran = Ran::new("om web start, interrupted", om.wait_with_output().unwrap()).ends(6);
    assert!(asked.elapsed() < Duration::from_secs(5), "{ran}");
    ran.says("interrupted").says("rolled back");
    assert_eq!(world.take_marks(), "+1 ~2 -1");
    world.is("web", "down");
    world.om("web stop").ok().does_not_say("an earlier");
}

fn a_signal_ends_the_command_and_not_only_the_object_at_work(world: &World) {
    world.create("zoo", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    let om = slow_start_of(world, "web,zoo start");
    kill(Pid::from_raw(i32::try_from(om.id()).unwrap()), Signal::SIGTERM).unwrap();
    let ran = Ran::new("om web,zoo start, interrupted", om.wait_with_output().unwrap()).ends(6);
    ran.says("rolled back").says("1 of 2 objects were left as they were, from zoo on");
    assert_eq!(world.take_marks(), "+1 ~2 -1");
    world.is("zoo", "down");
}

fn after_a_kill_the_previous_status_is_not_shown(world: &World) {
    two_apps(world);
    world.is("web", "down");
    die_at(world, "web start", Failpoint::AfterEnd, 2).dies();
    world.om("web print status").ok().says("interrupted").says("app#1").does_not_say("avail              down");
    let plan = world.om("web start --dry-run").ok().says("interrupted");
    let digest = plan.stdout.lines().last().and_then(|line| line.rsplit(' ').next()).unwrap().to_owned();
    let marks = world.marks();
    world.om(&format!("web start --if-plan {digest}")).ends(1).says("without --if-plan");
    assert_eq!(world.marks(), marks, "a refused action has done something");
    world.om("web stop").ok();
}

fn an_application_outlives_the_process_that_started_it(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = {w}/act slow 1\n");
    for point in [Failpoint::AfterDriver, Failpoint::AfterEnd, Failpoint::BeforeDone] {
        die_at(world, "web start", point, 1).dies();
        world.is("web", "up");
        world.om("web start").ok();
        world.is("web", "up");
        world.om("web stop").ok();
        world.is("web", "down");
    }
}
