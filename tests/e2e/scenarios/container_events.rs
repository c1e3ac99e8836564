//! Containers under the daemon: what happens to them is noticed by the events of their engine, and not at the next look.

use std::time::{Duration, Instant};

use hostler_tests::podman;

use crate::containers::{create, node_engine, sleeping};
use crate::daemon::Daemon;
use crate::podman::engine;
use crate::world::{World, until};

crate::trials!(
    a_killed_container_of_docker_is_noticed_at_once,
    a_killed_container_of_podman_is_noticed_at_once,
    an_engine_that_comes_back_is_followed_again,
);

/// The daemon looks every 10 s at what it restarts. So many ends in a row, each noticed at its next look, would take 50 s, and
/// less than this only with great luck.
const ROUNDS: usize = 5;
const BY_EVENTS: Duration = Duration::from_secs(20);

/// Ends a container again and again, each time until it runs anew.
fn kill_again_and_again(kill: impl Fn(), process: impl Fn() -> Option<String>) {
    let began = Instant::now();
    for _ in 0..ROUNDS {
        let before = process().expect("the container runs");
        kill();
        until("the container runs again", || process().is_some_and(|process| process != before));
    }
    assert!(began.elapsed() < BY_EVENTS, "{ROUNDS} ends were noticed in {:?}", began.elapsed());
}

/// The process of the container, which is another one when the same container was started again. None: it does not run.
fn process(pid: Option<String>) -> Option<String> {
    pid.map(|pid| pid.trim().to_owned()).filter(|pid| !["", "0"].contains(&pid.as_str()))
}

fn a_killed_container_of_docker_is_noticed_at_once(world: &World) {
    let Some(docker) = node_engine(world) else { return };
    create(world, &sleeping("1", "restart = 20\nrestart_delay = 0\n"));
    world.om("web provision --local").ok();
    let daemon = Daemon::start(world);
    let process = || process(docker.docker("inspect -f {{.State.Pid}} web.container.1").ok());
    kill_again_and_again(|| drop(docker.docker("kill web.container.1").unwrap()), process);
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
    drop(daemon);
}

fn a_killed_container_of_podman_is_noticed_at_once(world: &World) {
    let Some(podman) = engine(world) else { return };
    // Podman raises limits higher than allowed if the tests run in a container.
    let more = format!(
        "run_args = --ulimit nofile=100 --ulimit nproc=1000\ntype = podman\nsocket = {}\nrestart = 20\nrestart_delay = 0\n",
        podman.socket().display()
    );
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{}", sleeping("1", &more)).replace("{image}", podman::IMAGE));
    world.om("web provision --local").ok();
    let daemon = Daemon::start(world);
    let process = || process(podman.podman("inspect -f {{.State.Pid}} web.container.1").ok());
    kill_again_and_again(|| drop(podman.podman("kill web.container.1").unwrap()), process);
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
    drop(daemon);
}

fn an_engine_that_comes_back_is_followed_again(world: &World) {
    let Some(mut docker) = node_engine(world) else { return };
    // Without a delay, an engine that is not ready yet uses up many restarts.
    create(world, &sleeping("1", "restart = 1000\nrestart_delay = 0\n"));
    world.om("web provision --local").ok();
    let daemon = Daemon::start(world);
    docker.kill().unwrap();
    world.is("web", "warn");
    docker.revive().unwrap();
    until("the engine answers", || world.states("web") == "container#1 up");
    docker.docker("kill web.container.1").unwrap();
    let pid = || process(docker.docker("inspect -f {{.State.Pid}} web.container.1").ok());
    until("the container runs again", || pid().is_some());
    // By now the engine is followed again.
    kill_again_and_again(|| drop(docker.docker("kill web.container.1").unwrap()), pid);
    world.om("web stop --wait").ok();
    world.om("daemon stop").ok();
    drop(daemon);
}
