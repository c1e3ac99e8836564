//! An object's own dockerd: while it is needed, after it was killed, and when no resource needs it any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hostler_tests::dockerd::{self, Dockerd, IMAGE};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::containers::{is_possible, sleeping};
use crate::world::{World, until};

crate::trials!(
    it_runs_while_it_is_needed,
    an_engine_that_was_killed_comes_back,
    it_is_stopped_by_one_of_many_that_leave_at_once,
    an_engine_that_waits_for_its_turn_is_stopped_too,
    it_releases_its_file_system,
    a_number_that_another_process_has_now_keeps_none_from_starting,
    a_run_that_was_killed_leaves_no_engine,
);

/// An object that runs its own engine, on data that hold the image.
pub(crate) fn own_engine(world: &World, containers: &str) -> bool {
    if !is_possible() {
        return false;
    }
    drop(Dockerd::start(&world.path("before"), &world.path("data")).unwrap());
    let head = world.fill("[DEFAULT]\nnodes = n1\ndocker_data_dir = {w}/data\n");
    world.create("web", &(head + &containers.replace("{image}", IMAGE)));
    true
}

pub(crate) fn own_socket(world: &World) -> PathBuf {
    let rundir = world.path("root/run");
    let found = find(&rundir, "docker.sock");
    found.unwrap_or_else(|| panic!("no socket below {}", rundir.display()))
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    let mut below = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    below.find_map(|path| match path.is_dir() && !path.is_symlink() {
        true => find(&path, name),
        false => (path.file_name()? == name).then_some(path),
    })
}

/// The pids of the engines of this world.
fn engines(world: &World) -> Vec<i32> {
    let processes = crate::leaks::processes(world.directory());
    processes.into_iter().filter(|(_, line)| line.starts_with("dockerd ")).map(|(pid, _)| pid).collect()
}

fn side_by_side() -> String {
    let containers = (1..=3).map(|id| sleeping(&id.to_string(), "subset = a")).collect::<String>();
    containers + "[subset#container:a]\nparallel = true\n"
}

fn it_runs_while_it_is_needed(world: &World) {
    if !own_engine(world, &side_by_side()) {
        return;
    }
    assert_eq!(world.states("web"), "container#1 down, container#2 down, container#3 down");
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "container#1 up, container#2 up, container#3 up");
    assert_eq!(engines(world).len(), 1);
    world.om("web stop --rid container#1,container#2").ok();
    assert_eq!(engines(world).len(), 1, "container#3 needs it");
    world.om("web stop").ok().says("stopped the engine");
    assert_eq!(engines(world), [0; 0]);
    world.om("web stop").ok().says("nothing to do");
    world.om("web start").ok();
    assert_eq!(dockerd::containers(&own_socket(world)).unwrap().len(), 3);
    world.om("web unprovision --confirm").ok();
    assert_eq!(engines(world), [0; 0]);
    drop(
        Dockerd::start(&world.path("after"), &world.path("data"))
            .map(|engine| assert_eq!(engine.containers().unwrap(), [""; 0])),
    );
}

fn it_is_stopped_by_one_of_many_that_leave_at_once(world: &World) {
    let containers = (1..=12).map(|id| sleeping(&id.to_string(), "subset = a")).collect::<String>();
    if !own_engine(world, &(containers + "[subset#container:a]\nparallel = true\n")) {
        return;
    }
    world.om("web provision").ok();
    world.om("web stop").ok();
    world.om("web unprovision --confirm").ok();
    assert_eq!(engines(world), [0; 0]);
}

/// Two callers at the same time both spawn an engine. The second may still wait for its turn when all callers have left.
fn an_engine_that_waits_for_its_turn_is_stopped_too(world: &World) {
    if !own_engine(world, &sleeping("1", "")) {
        return;
    }
    world.om("web provision").ok();
    let starter = |(_, line): &(i32, String)| line.starts_with("/usr/bin/flock ");
    let all = crate::leaks::processes(world.directory());
    let line = &all.iter().find(|process| starter(process)).unwrap().1;
    let words: Vec<&str> = line.split_whitespace().map(|word| if word == "1" { "60" } else { word }).collect();
    let mut late = Command::new(words[0]).args(&words[1..]).spawn().unwrap();
    world.om("web stop").ok().says("stopped the engine");
    assert_eq!(engines(world), [0; 0]);
    late.wait().unwrap();
    assert_eq!(world.states("web"), "container#1 down");
}

fn kill_engine(world: &World, signal: Signal) {
    // A starter that waits for its turn, up to a second, would start the next engine.
    let count = |program: &str| {
        crate::leaks::processes(world.directory()).iter().filter(|(_, line)| line.starts_with(program)).count()
    };
    until("no process waits to start another engine", || count("/usr/bin/flock ") <= 1);
    let [pid] = engines(world)[..] else { panic!("{:?}", engines(world)) };
    kill(Pid::from_raw(pid), signal).unwrap();
    // The next engine would wait a quarter of a minute for a containerd that is left.
    until("the engine is gone", || engines(world).is_empty() && count("containerd ") == 0);
}

fn an_engine_that_was_killed_comes_back(world: &World) {
    if !own_engine(world, &side_by_side()) {
        return;
    }
    // An engine that gets SIGTERM removes its socket. The containers run on in either case.
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        world.om("web provision").ok();
        kill_engine(world, signal);
        assert_eq!(world.states("web"), "container#1 warn, container#2 warn, container#3 warn", "{signal}");
        world.om("web start").ok();
        assert_eq!(world.states("web"), "container#1 up, container#2 up, container#3 up", "{signal}");
        assert_eq!(engines(world).len(), 1, "{signal}");
        kill_engine(world, signal);
        world.om("web stop").ok().says("container#1: stopped");
        assert_eq!(engines(world), [0; 0], "{signal}");
        assert_eq!(world.states("web"), "container#1 down, container#2 down, container#3 down", "{signal}");
    }
}

/// A killed engine leaves its data directory mounted on itself.
fn it_releases_its_file_system(world: &World) {
    if !is_possible() {
        return;
    }
    for data in ["site/docker", "site"] {
        let config = "[DEFAULT]\nnodes = n1\ncontainer_data_dir = {w}/{data}\n\
                      [disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 128m\n\
                      [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n";
        let config = config.replace("{data}", data) + &sleeping("1", "").replace("{image}", IMAGE);
        world.create("web", &config);
        world.om("web provision --rid disk#1,fs#1").ok();
        drop(Dockerd::start(&world.path("before"), &world.path(data)).unwrap());
        world.om("web provision").ok();
        assert_eq!(world.states("web"), "container#1 up, disk#1 up, fs#1 up");
        kill_engine(world, Signal::SIGKILL);
        world.om("web start").ok();
        world.om("web stop").ok();
        assert_eq!(world.states("web"), "container#1 down, disk#1 down, fs#1 down");
        world.om("web unprovision --confirm").ok();
        assert_eq!(fs::read_dir(world.path("site")).unwrap().count(), 0, "nothing is made where nothing is mounted");
        world.om("web delete").ok();
    }
}

/// A dockerd that was killed leaves its number in a file. After a boot, or on a machine with few numbers, another process has it.
fn a_number_that_another_process_has_now_keeps_none_from_starting(world: &World) {
    if !own_engine(world, &sleeping("1", "")) {
        return;
    }
    world.om("web provision").ok();
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    for line in ["web start", "web stop"] {
        kill_engine(world, Signal::SIGKILL);
        for name in ["docker.pid", "containerd.pid"] {
            fs::write(find(&world.path("root/run"), name).unwrap(), other.id().to_string()).unwrap();
        }
        world.om(line).ok();
    }
    assert_eq!(engines(world), [0; 0]);
    assert_eq!(other.try_wait().unwrap(), None, "it is not the engine");
    other.kill().unwrap();
    other.wait().unwrap();
    world.om("web start").ok();
    world.om("web unprovision --confirm").ok();
}

fn a_run_that_was_killed_leaves_no_engine(world: &World) {
    let task = sleeping("1", "type = docker").replace("[container#1]", "[task#1]");
    if !own_engine(world, &format!("[fs#1]\ntype = flag\n{task}")) {
        return;
    }
    world.om("web start").ok();
    let mut run = world.spawn("web run --local");
    let rundir = world.path("root/run");
    let is_running = || {
        let socket = find(&rundir, "docker.sock");
        socket.is_some_and(|socket| dockerd::containers(&socket).is_ok_and(|found| !found.is_empty()))
    };
    until("the container runs", is_running);
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(engines(world).len(), 1, "it serves the container");
    world.om("web stop").ok().says("stopped the engine");
    assert_eq!(engines(world), [0; 0]);
    world.om("web print holdings").ok().does_not_say("task#1");
    // The engine of a run that ends is no process of the run.
    let short = world.read("web.conf").replace("sleep 1000", "sleep 0");
    world.om("web delete").ok();
    world.create("web", &short);
    world.om("web run --local").ok().does_not_say("left running").does_not_say("pidfile not valid");
    assert_eq!(engines(world), [0; 0]);
    world.om("web delete").ok();
}
