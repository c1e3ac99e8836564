//! Containers that change behind the agent's back, and engines that are wrong about them, on a real dockerd and a real podman.

use std::fs;
use std::process::Child;
use std::time::Instant;

use anyhow::Result;
use hostler_tests::dockerd::{self, Dockerd};
use hostler_tests::podman::{self, Podman};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::containers::node_engine;
use crate::podman::engine as podman_engine;
use crate::world::{World, until};

crate::trials!(
    a_container_under_another_name_is_not_forgotten,
    containers_go_along_with_the_one_whose_network_they_share,
    a_network_that_was_lost_is_noticed_and_mended,
    a_container_of_another_owner_forbids_no_stop,
    a_short_name_is_not_the_beginning_of_an_id,
    a_source_that_is_not_there_is_refused,
    a_stop_that_was_given_up_is_not_down,
    a_container_whose_monitor_is_gone_is_made_anew,
    the_grace_is_that_of_the_container,
    a_failing_health_check_is_shown,
    a_restart_policy_of_the_operator_s_does_not_outlive_a_stop,
    a_container_is_stopped_where_it_was_started,
    a_container_whose_engine_is_away_is_not_down,
    a_section_whose_container_runs_is_kept,
    a_container_whose_process_was_moved_is_not_down,
    a_stop_ends_the_container_that_a_run_has_left,
    a_socket_that_is_not_there_keeps_no_stop_from_succeeding,
);

/// An engine of either kind, for a world.
pub(crate) enum Engine {
    Docker(Dockerd),
    Podman(Podman),
}

impl Engine {
    /// The output of docker(1) or podman(1), which must succeed.
    pub(crate) fn cli(&self, line: &str) -> Result<String> {
        match self {
            Engine::Docker(engine) => engine.docker(line),
            Engine::Podman(engine) => engine.podman(line),
        }
    }

    pub(crate) fn image(&self) -> &'static str {
        match self {
            Engine::Docker(_) => dockerd::IMAGE,
            Engine::Podman(_) => podman::IMAGE,
        }
    }

    /// A container of this engine. `options` are further words of `run_args`.
    pub(crate) fn section(&self, id: &str, command: &str, options: &str, more: &str) -> String {
        let (kind, socket, image) = match self {
            Engine::Docker(engine) => ("docker", engine.socket(), self.image()),
            Engine::Podman(engine) => ("podman", engine.socket(), self.image()),
        };
        // Podman raises limits higher than allowed if the tests run in a container.
        let limits = "--ulimit nofile=100 --ulimit nproc=1000";
        format!(
            "[container#{id}]\ntype = {kind}\nsocket = {}\nimage = {image}\nrun_args = {limits} {options}\n\
             command = {command}\n{more}\n",
            socket.display()
        )
    }

    /// One that sleeps, and exits at once when it is stopped.
    fn sleeping(&self, id: &str, more: &str) -> String {
        self.section(id, "sleep 1000", "", &format!("stop_signal = KILL\n{more}"))
    }

    /// `web.container.1 running`, sorted.
    fn containers(&self) -> Vec<String> {
        let ids = self.cli("ps -aq --no-trunc").unwrap();
        // One that the engine removes meanwhile is not listed.
        let show = |id: &str| self.cli(&format!("inspect --format {{{{.Name}}}}={{{{.State.Status}}}} {id}")).ok();
        let shown = ids.lines().filter_map(show);
        let mut found: Vec<String> = shown.map(|line| line.trim().trim_start_matches('/').replace('=', " ")).collect();
        found.sort();
        found
    }

    fn id(&self, name: &str) -> String {
        self.show(name, "{{.Id}}")
    }

    /// A value of `inspect`.
    fn show(&self, name: &str, format: &str) -> String {
        self.cli(&format!("inspect --format {format} {name}")).unwrap().trim().to_owned()
    }

    fn pid(&self, name: &str) -> i32 {
        self.show(name, "{{.State.Pid}}").parse().unwrap()
    }

    /// The network namespace of a container.
    fn network(&self, name: &str) -> String {
        fs::read_link(format!("/proc/{}/ns/net", self.pid(name))).unwrap().display().to_string()
    }

    fn run_foreign(&self, name: &str) -> String {
        let limits = "--ulimit nofile=100 --ulimit nproc=1000";
        self.cli(&format!("run -d --net none {limits} --name {name} {} sleep 1000", self.image())).unwrap();
        self.id(name)
    }
}

/// Runs a scenario on each engine that this machine has.
fn on_both(world: &World, scenario: fn(&World, &Engine)) {
    let docker = node_engine(world).map(Engine::Docker);
    for engine in docker.into_iter().chain(podman_engine(world).map(Engine::Podman)) {
        scenario(world, &engine);
        world.om("web unprovision --confirm").ok();
        world.om("web delete --local").ok();
    }
}

fn create(world: &World, sections: &str) {
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{sections}"));
}

fn a_container_under_another_name_is_not_forgotten(world: &World) {
    on_both(world, |world, engine| {
        create(world, &engine.sleeping("1", "netns = none"));
        world.om("web provision").ok();
        let id = engine.id("web.container.1");
        world.om("web set --kw container#1.name=other").ok();
        assert_eq!(world.states("web"), "container#1 up");
        world.om("web print status").says("the container is named web.container.1, not other: restart");
        world.om("web start").ok().says("nothing to do");
        assert_eq!(engine.containers(), ["web.container.1 running"]);
        world.om("web restart").ok().says("renaming");
        assert_eq!((engine.containers(), engine.id("other")), (vec!["other running".to_owned()], id));

        engine.cli("rename other third").unwrap();
        world.om("web stop").ok();
        assert_eq!(engine.containers(), ["third exited"]);
        world.om("web start").ok();
        engine.cli("rename other third").unwrap();
        world.om("web unprovision --confirm").ok();
        assert_eq!(engine.containers(), [""; 0]);
    });
}

fn containers_go_along_with_the_one_whose_network_they_share(world: &World) {
    on_both(world, |world, engine| {
        let joining = engine.sleeping("2", "netns = container#1") + &engine.sleeping("3", "netns = none");
        create(world, &(engine.sleeping("1", "netns = none") + &joining));
        world.om("web provision").ok();
        let third = engine.pid("web.container.3");
        let share = || assert_eq!(engine.network("web.container.1"), engine.network("web.container.2"));
        share();
        world.om("web restart --rid container#1").ok();
        share();
        world.om("web stop --rid container#1").ok();
        assert_eq!(world.states("web"), "container#1 down, container#2 down, container#3 up");
        // What was down before is not started along.
        world.om("web start --rid container#1").ok();
        assert_eq!(world.states("web"), "container#1 up, container#2 down, container#3 up");
        world.om("web start").ok();
        share();
        // Podman removes no container whose network another one shares.
        world.om("web set --kw container#1.environment=A=1").ok();
        world.om("web restart --rid container#1").ok().says("recreating");
        share();
        world.om("web stop").ok();
        world.om("web set --kw container#1.environment=A=2").ok();
        world.om("web start").ok().says("recreating");
        assert_eq!(world.states("web"), "container#1 up, container#2 up, container#3 up");
        share();
        assert_ne!(engine.pid("web.container.3"), third, "the stop of all stopped it");
        world.om("web unprovision --rid container#1 --confirm").ok();
        assert_eq!(engine.containers(), ["web.container.3 running"]);
    });
}

fn a_network_that_was_lost_is_noticed_and_mended(world: &World) {
    on_both(world, |world, engine| {
        create(
            world,
            &(engine.sleeping("1", "netns = none\nipcns = shareable")
                + &engine.sleeping("2", "netns = container#1")
                + &engine.section("3", "sleep 1000", "--ipc container#1", "stop_signal = KILL\nnetns = none")),
        );
        world.om("web provision").ok();
        assert_eq!(world.states("web"), "container#1 up, container#2 up, container#3 up");
        engine.cli("kill web.container.1").unwrap();
        until("its end is noticed", || world.states("web").starts_with("container#1 down"));
        assert_eq!(world.states("web"), "container#1 down, container#2 warn, container#3 warn");
        world.om("web print status").says("container#1 does not run, whose network the container shares");
        engine.cli("start web.container.1").unwrap();
        assert_eq!(world.states("web"), "container#1 up, container#2 warn, container#3 warn");
        world.om("web print status").says("container#1 has left the network that the container shares: restart both");
        engine.cli("kill web.container.1").unwrap();
        until("its end is noticed", || world.states("web").starts_with("container#1 down"));
        world.om("web start").ok();
        assert_eq!(world.states("web"), "container#1 up, container#2 up, container#3 up");
        assert_eq!(engine.network("web.container.1"), engine.network("web.container.2"));
        world.om("web start").ok().says("nothing to do");
    });
}

fn a_container_of_another_owner_forbids_no_stop(world: &World) {
    on_both(world, |world, engine| {
        let id = engine.run_foreign("web.container.1");
        create(world, &engine.sleeping("1", "netns = none"));
        let said = format!("the container web.container.1 ({}) is not this resource's", &id[..12]);
        assert_eq!(world.states("web"), "container#1 down");
        world.om("web print status").says(&said);
        world.om("web start --force").ends(1).says(&said);
        world.om("web stop").ok().says(&said);
        world.om("web unprovision --confirm").ok();
        assert_eq!(engine.containers(), ["web.container.1 running"]);
        engine.cli("rm -f web.container.1").unwrap();
    });
}

fn a_short_name_is_not_the_beginning_of_an_id(world: &World) {
    on_both(world, |world, engine| {
        let id = engine.run_foreign("bystander");
        create(world, &engine.sleeping("1", &format!("netns = none\nname = {}", &id[..3])));
        world.om("web stop").ok();
        world.om("web provision").ok().does_not_say("is not this resource's");
        assert_eq!(world.states("web"), "container#1 up");
        world.om("web unprovision --confirm").ok();
        assert_eq!(engine.containers(), ["bystander running"]);
        engine.cli("rm -f bystander").unwrap();
    });
}

fn a_source_that_is_not_there_is_refused(world: &World) {
    on_both(world, |world, engine| {
        create(world, &engine.sleeping("1", "netns = none\nvolume_mounts = {w}/mnt/data:/data"));
        let _ = fs::remove_dir_all(world.path("mnt"));
        let said = "mnt/data does not exist on this node, and the engine would make an empty directory";
        world.om("web start --force").ends(1).says(said);
        assert!(!world.exists("mnt"));
        fs::create_dir_all(world.path("mnt/data")).unwrap();
        world.om("web provision").ok();
        world.om("web stop").ok();
        // The container is there already: docker would make the directory at its start.
        fs::remove_dir_all(world.path("mnt")).unwrap();
        world.om("web start").ends(1).says(said);
        assert!(!world.exists("mnt"));
    });
}

fn interrupt(child: Child) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    child.wait_with_output().unwrap();
}

/// Docker says that such a container runs, podman that it does not.
fn a_stop_that_was_given_up_is_not_down(world: &World) {
    let Some(engine) = podman_engine(world).map(Engine::Podman) else { return };
    let engine = &engine;
    // It writes as long as it lives, and ignores the signal.
    let deaf = "sh -c 'trap \"\" TERM; while :; do echo x >>/data/lines; sleep 0.1; done'";
    let more = "rm = true\ngrace = 2s\nnetns = none\nvolume_mounts = {w}/data:/data";
    fs::create_dir(world.path("data")).unwrap();
    create(world, &engine.section("1", deaf, "", more));
    world.om("web provision").ok();
    let pid = engine.pid("web.container.1");
    let is_stopping = || engine.show("web.container.1", "{{.State.Status}}") == "stopping";
    let stop = world.spawn("web stop");
    until("the stop has begun", is_stopping);
    interrupt(stop);
    assert_eq!(engine.pid("web.container.1"), pid);
    assert_eq!(world.states("web"), "container#1 up");
    world.om("web print status").says("is stopping, and its program runs");
    world.om("web stop").ok();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the program runs on");
    world.om("web start").ok();

    // The same by the operator's own hand, and then for good.
    let mut stop = engine.given_up();
    until("the stop has begun", is_stopping);
    stop.kill().unwrap();
    stop.wait().unwrap();
    let pid = engine.pid("web.container.1");
    world.om("web start").ok();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "two programs write to the same volume");
    let mut stop = engine.given_up();
    until("the stop has begun", is_stopping);
    stop.kill().unwrap();
    stop.wait().unwrap();
    let pid = engine.pid("web.container.1");
    world.om("web unprovision --confirm").ok();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the program runs on");
}

impl Engine {
    /// A stop that waits for long.
    fn given_up(&self) -> Child {
        let Engine::Podman(engine) = self else { panic!("only podman forgets what it stops") };
        engine.spawn("stop -t 600 web.container.1").unwrap()
    }
}

fn a_container_whose_monitor_is_gone_is_made_anew(world: &World) {
    let Some(engine) = podman_engine(world).map(Engine::Podman) else { return };
    create(world, &engine.sleeping("1", "netns = none"));
    let parent = |pid: i32| -> i32 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
    };
    let is_gone = |pid: i32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
    world.om("web provision").ok();
    // The monitor alone: the program runs on, and can be stopped.
    kill(Pid::from_raw(parent(engine.pid("web.container.1"))), Signal::SIGKILL).unwrap();
    assert_eq!(world.states("web"), "container#1 up");
    let pid = engine.pid("web.container.1");
    world.om("web stop").ok();
    assert!(is_gone(pid));
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web start").ok();
    // Both: podman says that it runs, for ever.
    let pid = engine.pid("web.container.1");
    kill(Pid::from_raw(parent(pid)), Signal::SIGKILL).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    until("the process is gone", || is_gone(pid));
    assert_eq!(engine.show("web.container.1", "{{.State.Status}}"), "running");
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web print status").says(&format!("its process {pid} is gone"));
    world.om("web start").ok().says("the engine has lost track of the container: recreating");
    assert_eq!(world.states("web"), "container#1 up");
    world.om("web unprovision --confirm").ok();
}

fn the_grace_is_that_of_the_container(world: &World) {
    on_both(world, |world, engine| {
        let deaf = "sh -c 'trap \"\" TERM; sleep 1000 & wait; sleep 1000'";
        create(world, &engine.section("1", deaf, "--stop-timeout 2", "netns = none"));
        world.om("web provision").ok();
        let since = Instant::now();
        world.om("web stop").ok();
        // The default would be 10 s.
        assert!((2..9).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
        // Half a second is rounded up: 0 would kill at once.
        let willing = "sh -c 'trap \"sleep 0.2; exit 7\" TERM; while :; do sleep 0.1; done'";
        let edit = engine.section("1", willing, "", "netns = none\ngrace = 500ms");
        world.om("web unprovision --confirm").ok();
        world.om("web delete --local").ok();
        create(world, &edit);
        world.om("web start --force").ok();
        world.om("web stop").ok();
        assert_eq!(engine.show("web.container.1", "{{.State.ExitCode}}"), "7");
    });
}

fn a_failing_health_check_is_shown(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    let check = "HEALTHCHECK --interval=1s --retries=1 CMD echo no answer from the database; false";
    engine.make_image_with("ill:1", &["CMD [\"sleep\", \"1000\"]", check]).unwrap();
    let engine = Engine::Docker(engine);
    let more = "netns = none\nstop_signal = KILL";
    create(world, &engine.section("1", "sleep 1000", "", more).replace(engine.image(), "ill:1"));
    world.om("web provision").ok();
    until("it is unhealthy", || engine.show("web.container.1", "{{.State.Health.Status}}") == "unhealthy");
    assert_eq!(world.states("web"), "container#1 warn");
    world.om("web print status").says("its health check fails: no answer from the database");
    // The configuration may say how it is checked, instead of the image.
    let check = "--health-cmd 'test -e /well || { echo not well; false; }' --health-interval 1s --health-retries 1";
    world.om("web stop").ok();
    world.om("web unprovision --confirm").ok();
    world.om("web delete --local").ok();
    create(world, &engine.section("1", "sleep 1000", check, more));
    world.om("web provision").ok();
    until("it is unhealthy", || engine.show("web.container.1", "{{.State.Health.Status}}") == "unhealthy");
    world.om("web print status --refresh").says("its health check fails: not well");
    // Docker says that of each paused container.
    engine.cli("pause web.container.1").unwrap();
    world.om("web print status --refresh").says("is paused").does_not_say("health");
    engine.cli("unpause web.container.1").unwrap();
    engine.cli("exec web.container.1 touch /well").unwrap();
    until("it is healthy", || engine.show("web.container.1", "{{.State.Health.Status}}") == "healthy");
    assert_eq!(world.states("web"), "container#1 up");
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web unprovision --confirm").ok();
}

fn a_restart_policy_of_the_operator_s_does_not_outlive_a_stop(world: &World) {
    let Some(docker) = node_engine(world) else { return };
    let engine = Engine::Docker(docker);
    create(world, &engine.sleeping("1", "netns = none"));
    world.om("web provision").ok();
    engine.cli("update --restart=always web.container.1").unwrap();
    assert_eq!(world.states("web"), "container#1 up");
    world.om("web print status").says("restart policy always, which this agent did not set");
    world.om("web stop").ok();
    let Engine::Docker(mut docker) = engine else { return };
    docker.kill().unwrap();
    docker.revive().unwrap();
    let engine = Engine::Docker(docker);
    assert_eq!(engine.containers(), ["web.container.1 exited"]);
    assert_eq!(world.states("web"), "container#1 down");

    // One that is about to be started again has no process.
    engine.cli("update --restart=always web.container.1").unwrap();
    engine.cli("start web.container.1").unwrap();
    kill(Pid::from_raw(engine.pid("web.container.1")), Signal::SIGKILL).unwrap();
    world.om("web stop").ok();
    assert_eq!(engine.containers(), ["web.container.1 exited"]);
    world.om("web start").ok();
    world.om("web unprovision --confirm").ok();
}

/// The keywords name another engine by now.
fn a_container_is_stopped_where_it_was_started(world: &World) {
    let Some(docker) = node_engine(world) else { return };
    let first = Engine::Docker(docker);
    let other = Engine::Docker(Dockerd::start(&world.path("other"), &world.path("other/data")).unwrap());
    create(world, &first.sleeping("1", "netns = none"));
    world.om("web provision").ok();
    let (from, to) = (world.path("node/docker.sock"), world.path("other/docker.sock"));
    world.om(&format!("web set --kw container#1.socket={}", to.display())).ok();
    assert_eq!(world.states("web"), "container#1 warn");
    world.om("web print status").says(&format!("its engine is at {}", from.display()));
    world.om("web stop").ok();
    assert_eq!((first.containers(), other.containers()), (vec!["web.container.1 exited".to_owned()], vec![]));
    assert_eq!(world.states("web"), "container#1 down");
    // The operator starts it again, behind the back of the agent.
    first.cli("start web.container.1").unwrap();
    assert_eq!(world.states("web"), "container#1 warn");
    world.om("web start").ends(1).says("still runs at");
    world.om("web stop").ok();
    assert_eq!(first.containers(), ["web.container.1 exited"]);
    world.om("web start").ok();
    assert_eq!(other.containers(), ["web.container.1 running"]);
    world.om("web unprovision --confirm").ok().says(&format!("at {}", from.display()));
    assert_eq!((first.containers(), other.containers()), (Vec::new(), Vec::new()));
    world.om("web print holdings").ok().does_not_say("container#1");
}

/// An operator, systemd(1) or cgclassify(1) may move it.
fn a_container_whose_process_was_moved_is_not_down(world: &World) {
    on_both(world, |world, engine| {
        create(world, &engine.sleeping("1", "netns = none"));
        world.om("web provision").ok();
        let (id, pid) = (engine.id("web.container.1"), engine.pid("web.container.1"));
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        for mount in mounts.lines().filter(|line| line.split(' ').nth(2).is_some_and(|kind| kind.starts_with("cgroup")))
        {
            let top = mount.split(' ').nth(1).unwrap();
            fs::write(format!("{top}/cgroup.procs"), pid.to_string()).unwrap();
        }
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        assert!(!groups.contains(&id), "{groups}");
        assert_eq!(world.states("web"), "container#1 up");
        world.om("web print holdings").ok().says("container#1  container  present");
        world.om("web start").ok().says("nothing to do");
        assert_eq!((engine.id("web.container.1"), engine.pid("web.container.1")), (id, pid));
        world.om("web stop").ok();
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        assert_eq!(world.states("web"), "container#1 down");
    });
}

/// Whether the run goes on, was killed, or was interrupted.
fn a_stop_ends_the_container_that_a_run_has_left(world: &World) {
    on_both(world, |world, engine| {
        let task = engine.sleeping("1", "netns = none").replace("[container#1]", "[task#1]");
        create(world, &format!("[fs#1]\ntype = flag\n{}", task.replace("type = podman", "type = docker")));
        for signal in [None, Some(Signal::SIGKILL), Some(Signal::SIGINT)] {
            world.om("web start").ok();
            let mut run = world.spawn("web run --local");
            until("the container runs", || engine.containers() == ["web.task.1 running"]);
            let pid = engine.pid("web.task.1");
            assert_eq!(world.states("web"), "fs#1 up, task#1 n/a", "a run goes on");
            if let Some(signal) = signal {
                kill(Pid::from_raw(run.id().try_into().unwrap()), signal).unwrap();
                run.wait().unwrap();
                assert_eq!(engine.containers(), ["web.task.1 running"], "{signal}");
                assert_eq!(world.states("web"), "fs#1 up, task#1 warn", "{signal}");
                world.om("web delete --local").ends(1).says("web.task.1");
            }
            world.om("web stop").ok().says("task#1: ended and removed");
            run.wait().unwrap();
            assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{signal:?}");
            assert_eq!(engine.containers(), [""; 0], "{signal:?}");
            assert_eq!(world.states("web"), "fs#1 down, task#1 n/a", "{signal:?}");
            world.om("web print holdings").ok().does_not_say("task#1");
        }
    });
}

/// Where nothing was ever made, nothing runs; and what was stopped is known by its record.
fn a_socket_that_is_not_there_keeps_no_stop_from_succeeding(world: &World) {
    let Some(docker) = node_engine(world) else { return };
    let engine = Engine::Docker(docker);
    let away = world.fill("web set --kw container#1.socket={w}/nowhere.sock");
    let here = format!("web set --kw container#1.socket={}", world.path("node/docker.sock").display());
    create(world, &engine.sleeping("1", "netns = none"));
    world.om(&away).ok();
    world.om("web stop").ok().says("there is no container engine at");
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web start").ends(1);
    world.om(&here).ok();
    world.om("web provision").ok();
    world.om(&away).ok();
    assert_eq!(world.states("web"), "container#1 warn");
    for _ in 0..2 {
        world.om("web stop").ok();
        assert_eq!(engine.containers(), ["web.container.1 exited"]);
        assert_eq!(world.states("web"), "container#1 down");
    }
    world.om(&here).ok();
    world.om("web unprovision --confirm").ok();
}

/// Its containers outlive it. What nobody can ask about is not down, and what does not run can be stopped.
fn a_container_whose_engine_is_away_is_not_down(world: &World) {
    let Some(mut docker) = node_engine(world) else { return };
    let section = "[container#1]\ntype = docker\nnetns = none\ncommand = sleep 1000\nstop_signal = KILL\n";
    create(world, &format!("{section}socket = {}\nimage = {}\n", docker.socket().display(), dockerd::IMAGE));
    world.om("web provision").ok();
    let id = docker.docker("ps -q --no-trunc").unwrap();
    docker.kill().unwrap();
    world.is("web", "warn");
    world.om("web print status").says(&format!("({}) runs, and its engine does not answer", &id[..12]));
    world.om("web stop").ends(1);
    world.is("web", "warn");
    docker.revive().unwrap();
    world.om("web start").ok();
    world.om("web stop").ok();
    docker.kill().unwrap();
    world.is("web", "down");
    world.om("web stop").ok().says("no container engine listens on");
    docker.revive().unwrap();
    world.om("web unprovision --confirm").ok();
}

fn a_section_whose_container_runs_is_kept(world: &World) {
    on_both(world, |world, engine| {
        create(world, &engine.sleeping("1", "netns = none"));
        world.om("web provision").ok();
        let refused = "the section container#1 is needed to stop what is held: the container web.container.1";
        world.om("web unset --section container#1").ends(1).says(refused);
        world.om_with("web edit", &[("EDITOR", "sed -i s/container#1/container#9/")]).ends(1).says(refused);
        world.om_with("web edit --discard", &[("EDITOR", "true")]).ok();
        world.om("web delete").ends(1);
        world.om("web set --kw container#1.environment=A=1").ok().says("container#1 applies at the next start");
        assert_eq!(engine.containers(), ["web.container.1 running"]);
    });
}
