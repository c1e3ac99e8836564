//! The life of a container on engines in memory: the node's, and the object's own.

use hostler_family_container::fake::FakeEngine;
use hostler_sdk::fake::{Case, Host, given, stop_undoes_any_failed_start};

use super::*;

const SOCKET: &str = "/run/docker.sock";
const OWN_SOCKET: &str = "/run/hostler/svc/web/engine/docker.sock";
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000001";

fn docker() -> DockerContainer {
    DockerContainer {
        container: ContainerSpec {
            image: "mariadb".to_owned(),
            image_pull_policy: "once".to_owned(),
            pull_timeout: Duration::from_secs(120),
            run_args: ["--net=none", "-e", "A=b"].map(str::to_owned).to_vec(),
            settle: Duration::from_millis(200),
            ..ContainerSpec::default()
        },
        engine: EnginePlace::fake(SOCKET),
    }
}

fn policy(policy: &str) -> DockerContainer {
    let mut docker = docker();
    docker.container.image_pull_policy = policy.to_owned();
    docker
}

fn engine() -> FakeEngine {
    FakeEngine::new().image("mariadb", "sha256:1")
}

fn on(engine: &FakeEngine) -> Case<DockerContainer> {
    given(docker()).on(&engine.on(Host::new(), SOCKET))
}

#[test]
fn a_container_comes_and_goes() {
    let engine = engine();
    on(&engine)
        .status()
        .is(State::Down)
        .labelled("mariadb")
        .start()
        .is_changed("000000000000 is running from mariadb")
        .start()
        .is_unchanged("000000000000 is already running")
        .status()
        .is(State::Up)
        .labelled("000000000000@mariadb")
        .exposes("id", FIRST)
        .exposes("pid", "4711")
        .exposes("netns", "/proc/4711/ns/net")
        .stop()
        .is_changed("stopped 000000000000")
        .stop()
        .is_unchanged("already down")
        .status()
        .is(State::Down)
        .labelled("000000000000@mariadb")
        .mentions("exited with 137")
        .start()
        .is_changed("000000000000 is running from mariadb")
        .unprovision()
        .is_changed("removed 000000000000")
        .unprovision()
        .is_unchanged("the container does not exist");
    assert_eq!(engine.containers(), [""; 0]);
}

#[test]
fn a_container_is_stopped_where_it_was_started_whatever_socket_says_by_then() {
    let (first, second) = (engine(), engine());
    let host = second.on(first.on(Host::new(), SOCKET), "/run/second.sock");
    given(docker()).on(&host).start();
    let moved = DockerContainer { engine: EnginePlace::fake("/run/second.sock"), ..docker() };
    given(moved)
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("its engine is at /run/docker.sock")
        .stop()
        .is_changed("stopped the container web.container.1 (000000000000) at /run/docker.sock")
        .status()
        .is(State::Down);
    assert_eq!((first.containers(), second.containers()), (vec!["web.container.1 exited".to_owned()], vec![]));
}

#[test]
fn what_runs_is_known_while_its_engine_is_away() {
    let engine = engine();
    let host = engine.on(Host::new(), SOCKET);
    let case = given(docker()).on(&host).start().then(|_| engine.die());
    case.status().is(State::Warn).mentions("runs, and its engine does not answer").stop().fails_with("");
    engine.end("web.container.1", 0);
    given(docker()).on(&host).status().is(State::Down).stop().is_unchanged("already down");
}

#[test]
fn a_container_is_made_of_keywords_and_options() {
    let engine = engine();
    on(&engine).start();
    let body = engine.body("web.container.1");
    assert_eq!(body["HostConfig"]["NetworkMode"], "none");
    assert_eq!(body["Env"][0], "A=b");
    assert_eq!(body["Labels"]["hostler.rid"], "container#1");
}

#[test]
fn one_that_died_is_started_again() {
    let engine = engine();
    let dies = |_: &Host| engine.end("web.container.1", 3);
    on(&engine)
        .start()
        .then(dies)
        .status()
        .is(State::Down)
        .mentions("exited with 3")
        .start()
        .is_changed("000000000000 is running from mariadb");
    assert_eq!(engine.containers(), ["web.container.1 running"]);
}

#[test]
fn a_program_that_exits_at_once_is_reported_with_its_last_output() {
    let engine = engine().failing("mariadb", 1, "starting\nno password\n");
    on(&engine)
        .start()
        .fails_with("exited with 1 right after its start: no password")
        .stop()
        .is_unchanged("already down");
}

#[test]
fn a_container_with_an_old_configuration_is_reported_and_recreated() {
    let engine = engine();
    let host = engine.on(Host::new(), SOCKET);
    given(docker()).on(&host).start();
    let changed = || {
        let mut docker = docker();
        docker.container.environment = vec!["C=d".to_owned()];
        given(docker).on(&host)
    };
    changed()
        .status()
        .is(State::Up)
        .mentions("the configuration has changed")
        .start()
        .is_unchanged("000000000000 is already running")
        .stop()
        .start()
        .is_changed("000000000000 is running from mariadb");
    assert_eq!(engine.body("web.container.1")["Env"][1], "C=d");
    engine.replace("mariadb", "sha256:2");
    changed().status().is(State::Up).mentions("an older image than mariadb is now");
}

#[test]
fn images_are_pulled_as_the_policy_says() {
    let registry = || FakeEngine::new().in_registry("mariadb", "sha256:1");
    on(&registry()).provision().is_changed("pulled mariadb").provision().is_unchanged("mariadb is there already");
    on(&registry()).start().is_changed("000000000000 is running from mariadb");
    on(&FakeEngine::new()).provision().fails_with("cannot pull the image mariadb: mariadb is not in the registry");
    let given_policy = |word: &str, engine: &FakeEngine| given(policy(word)).on(&engine.on(Host::new(), SOCKET));
    given_policy("never", &registry()).start().fails_with("no image mariadb, and image_pull_policy is never");
    given_policy("always", &engine()).provision().fails_with("cannot pull the image mariadb");
    given_policy("always", &registry())
        .provision()
        .is_changed("pulled mariadb")
        .provision()
        .is_changed("pulled mariadb");
}

#[test]
fn a_container_of_another_is_left_alone() {
    let engine = engine().container("web.container.1", &[("hostler.object", "other")]);
    on(&engine)
        .status()
        .is(State::Down)
        .mentions("is not this resource's")
        .start()
        .fails_with("the container web.container.1 (000000000000) is not this resource's")
        .stop()
        .is_unchanged("already down")
        .unprovision()
        .is_unchanged("the container does not exist");
    assert_eq!(engine.containers(), ["web.container.1 running"]);
}

#[test]
fn a_container_is_known_by_its_labels_whatever_its_name_is() {
    let engine = engine();
    on(&engine).start();
    engine.rename("web.container.1", "dbx");
    on(&engine)
        .status()
        .is(State::Up)
        .mentions("the container is named dbx, not web.container.1: restart")
        .start()
        .is_unchanged("000000000000 is already running")
        .stop()
        .is_changed("stopped 000000000000")
        .start()
        .is_changed("000000000000 is running from mariadb");
    assert_eq!(engine.containers(), ["web.container.1 running"], "renamed, and not a second one");
    engine.rename("web.container.1", "dbx");
    on(&engine).unprovision().is_changed("removed 000000000000");
    assert_eq!(engine.containers(), [""; 0]);
}

#[test]
fn a_second_container_of_the_resource_is_stopped_too() {
    let labels = [("hostler.object", "web"), ("hostler.rid", "container#1"), ("hostler.node", "n1")];
    let engine = engine();
    let host = engine.on(Host::new(), SOCKET);
    given(docker()).on(&host).start();
    let _second = engine.clone().container("other", &labels);
    given(docker())
        .on(&host)
        .status()
        .is(State::Warn)
        .mentions("a second container of this resource runs, other")
        .stop()
        .is_changed("stopped 000000000000, stopped 000000000000");
    assert_eq!(engine.containers(), ["other exited", "web.container.1 exited"]);
}

#[test]
fn a_container_whose_stop_was_given_up_is_not_down() {
    let engine = engine();
    let given_up = |_: &Host| engine.put("web.container.1", "stopping");
    on(&engine)
        .start()
        .then(given_up)
        .status()
        .is(State::Up)
        .mentions("is stopping, and its program runs")
        .stop()
        .is_changed("stopped 000000000000")
        .start()
        .then(given_up)
        .start()
        .is_changed("000000000000 is running from mariadb");
    assert_eq!(engine.containers(), ["web.container.1 running"]);
}

#[test]
fn a_restart_policy_of_others_is_reported_and_taken_back() {
    let engine = engine();
    on(&engine)
        .start()
        .then(|_| engine.restart_always("web.container.1"))
        .status()
        .is(State::Up)
        .mentions("restart policy always")
        .stop()
        .is_changed("stopped 000000000000")
        .status()
        .is(State::Down);
    on(&engine)
        .start()
        .then(|_| engine.restart_always("web.container.1"))
        .then(|_| engine.put("web.container.1", "restarting"))
        .status()
        .is(State::Warn)
        .mentions("the container is restarting")
        .start()
        .is_changed("000000000000 is running from mariadb");
}

#[test]
fn the_grace_is_that_of_the_keyword_or_of_the_container() {
    for (grace, options, deadline, expected) in [
        (None, "", 60, 10),
        (None, "--stop-timeout 40", 60, 40),
        (None, "--stop-timeout 300", 60, 45),
        (None, "--stop-timeout 0", 60, 0),
        (Some(Duration::from_millis(500)), "--stop-timeout 40", 60, 1),
        (Some(Duration::from_secs(9)), "", 10, 5),
    ] {
        let engine = engine();
        let mut docker = docker();
        docker.container.grace = grace;
        docker.container.run_args.extend(options.split_whitespace().map(str::to_owned));
        let mut context = Context::fake("container#1");
        context.deadline = Duration::from_secs(deadline);
        given(docker).with(context).on(&engine.on(Host::new(), SOCKET)).start().stop();
        assert_eq!(engine.graces(), [expected], "{grace:?} {options}");
    }
}

#[test]
fn invalid_keyword_values_are_reported_before_anything_is_done() {
    let engine = engine();
    let mut docker = docker();
    docker.container.run_args = vec!["--restart=always".to_owned()];
    given(docker)
        .on(&engine.on(Host::new(), SOCKET))
        .start()
        .fails_with("run_args: --restart: the agent restarts the container")
        .provision()
        .fails_with("run_args: --restart");
}

#[test]
fn a_missing_engine_is_reported() {
    let host = Host::new();
    given(docker())
        .on(&host)
        .status()
        .is(State::Down)
        .mentions("there is no container engine at /run/docker.sock")
        .start()
        .fails_with("start it, or name its socket")
        .stop()
        .is_unchanged("already down");
    let engine = engine();
    engine.die();
    on(&engine)
        .status()
        .is(State::Undefined)
        .mentions("no container engine listens on /run/docker.sock: start it again");
}

#[test]
fn a_process_that_ignores_signals_is_killed() {
    let engine = engine().deaf("web.container.1");
    on(&engine).start().stop().is_changed("stopped 000000000000");
    assert_eq!(engine.containers(), ["web.container.1 exited"]);
}

#[test]
fn stop_removes_an_exited_container_with_rm() {
    let engine = engine();
    let mut docker = docker();
    docker.container.rm = true;
    given(docker)
        .on(&engine.on(Host::new(), SOCKET))
        .start()
        .then(|_| engine.end("web.container.1", 0))
        .stop()
        .is_changed("removed 000000000000")
        .stop()
        .is_unchanged("already down");
    assert_eq!(engine.containers(), [""; 0]);
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    stop_undoes_any_failed_start(|| on(&engine()));
    stop_undoes_any_failed_start(|| own("container#1", &own_host(&engine())));
}

fn own_host(engine: &FakeEngine) -> Host {
    let host = Host::new().directory("/run/hostler/svc/web").text_file("/srv/web/docker/engine-id", "1");
    engine.own_on(host, OWN_SOCKET)
}

fn own(rid: &str, host: &Host) -> Case<DockerContainer> {
    let docker = DockerContainer {
        engine: EnginePlace { container_data_dir: Some("/srv/web/docker".into()), ..EnginePlace::fake(SOCKET) },
        ..docker()
    };
    given(docker).with(Context::fake(rid)).on(host)
}

#[test]
fn an_own_engine_runs_from_the_first_container_to_the_last() {
    let engine = engine();
    let host = own_host(&engine);
    own("container#1", &host)
        .status()
        .is(State::Down)
        .mentions("engine does not run")
        .stop()
        .is_unchanged("already down");
    own("container#1", &host).start().is_changed("000000000000 is running from mariadb");
    assert_eq!(host.processes().len(), 1);
    assert!(
        host.processes()[0]
            .contains("dockerd --config-file /run/hostler/svc/web/engine/docker.json --data-root /srv/web/docker")
    );
    own("container#2", &host).start().is_changed("000000000000 is running from mariadb");
    own("container#1", &host).status().is(State::Up).stop().is_changed("stopped 000000000000");
    assert_eq!(host.processes().len(), 1, "another container needs it");
    own("container#2", &host).stop().is_changed("stopped 000000000000, and stopped the engine");
    assert_eq!(host.processes(), [""; 0]);
    own("container#2", &host).status().is(State::Down).stop().is_unchanged("already down");
}

#[test]
fn an_own_engine_gets_images_where_the_node_s_does() {
    let node = r#"{"hosts": ["tcp://0.0.0.0:2375"], "registry-mirrors": ["http://mirror:5000"]}"#;
    for (node, own_configuration) in
        [(node, r#"{"registry-mirrors":["http://mirror:5000"]}"#), ("{}", "{}"), ("no JSON", "{}")]
    {
        let host = own_host(&engine()).text_file("/etc/docker/daemon.json", node);
        own("container#1", &host).start().is_changed("000000000000 is running from mariadb");
        assert_eq!(host.content("/run/hostler/svc/web/engine/docker.json").as_deref(), Some(own_configuration));
    }
}

#[test]
fn an_interrupted_shutdown_of_an_own_engine_does_not_block_the_next_call() {
    let engine = engine();
    let mark = "/run/hostler/svc/web/engine/ending.of-an-earlier-action";
    let host = own_host(&engine).directory("/run/hostler/svc/web/engine").directory(mark);
    own("container#1", &host).start().is_changed("000000000000 is running from mariadb");
    assert!(host.has_file(mark));
    own("container#1", &host).stop().is_changed("stopped 000000000000, and stopped the engine");
    assert!(!host.has_file(mark));
}

#[test]
fn an_own_engine_that_died_is_started_again_to_stop_what_it_left() {
    let engine = engine();
    let host = own_host(&engine);
    let is_killed = |host: &Host| {
        engine.die();
        host.kill_processes();
    };
    // An engine that gets SIGTERM removes its socket, and leaves the containers all the same.
    let is_stopped_by_another_process = |host: &Host| host.kill_processes();
    for dies in [&is_killed as &dyn Fn(&Host), &is_stopped_by_another_process] {
        own("container#1", &host)
            .start()
            .then(dies)
            .status()
            .is(State::Warn)
            .mentions("runs, and its engine does not answer")
            .start()
            .is_changed("the engine is back, 000000000000 is running")
            .then(dies)
            .stop()
            .is_changed("stopped 000000000000, and stopped the engine");
        assert_eq!(engine.containers(), ["web.container.1 exited"]);
    }
}

/// Its socket is there for a moment longer.
#[test]
fn an_own_engine_that_is_shutting_down_runs_no_container_of_callers_that_have_left() {
    let engine = engine();
    let host = own_host(&engine);
    let is_being_ended = |host: &Host| {
        engine.die();
        host.kill_processes();
    };
    own("container#2", &host).start();
    own("container#1", &host)
        .start()
        .stop()
        .then(is_being_ended)
        .status()
        .is(State::Down)
        .stop()
        .is_unchanged("already down");
    own("container#2", &host).status().is(State::Warn).mentions("runs, and its engine does not answer");
}

#[test]
fn an_own_engine_that_does_not_start_does_not_prevent_a_stop() {
    let host = own_host(&engine()).failing("process.spawn", CapabilityError::TimedOut);
    own("container#1", &host)
        .start()
        .fails_with("timed out")
        .status()
        .is(State::Down)
        .stop()
        .is_unchanged("already down");
}

#[test]
fn unprovision_stops_an_own_engine_too() {
    let engine = engine();
    let host = own_host(&engine);
    own("container#1", &host).provision().is_changed("the object's container engine is ready, and has mariadb");
    own("container#1", &host).start().stop().unprovision().is_changed("removed 000000000000, and stopped the engine");
    assert_eq!((engine.containers().len(), host.processes().len()), (0, 0));
}

#[test]
fn unprovision_starts_no_engine_on_data_that_are_not_there() {
    let host = || engine().own_on(Host::new().directory("/run/hostler/svc/web"), OWN_SOCKET);
    // They may be on a file system that is not mounted any longer.
    for host in [host(), host().directory("/srv/web/docker")] {
        own("container#1", &host)
            .unprovision()
            .is_unchanged("the container does not exist: the object's container engine has no data here");
        assert_eq!(host.processes(), [""; 0]);
    }
}

#[test]
fn one_looks_inside_a_container_that_runs() {
    let engine = engine();
    let exec = |tty: bool| {
        let path = format!("/v1.41/exec/{}/start", "e".repeat(64));
        Attachment::upgrade(SOCKET, "POST", path, format!(r#"{{"Detach":false,"Tty":{tty}}}"#))
    };
    on(&engine).exec(&["id"]).fails_with("the container does not exist");
    on(&engine).start().exec(&["id"]).attaches(&exec(false)).enter().attaches(&exec(false));
    let typing = given(docker()).with(Context::fake("container#1").with("tty", "true"));
    typing.on(&engine.on(Host::new(), SOCKET)).enter().attaches(&exec(true));
    let logs = format!("/v1.41/containers/{FIRST}/logs?stdout=true&stderr=true&follow=true");
    on(&engine).logs(true).attaches(&Attachment::upgrade(SOCKET, "GET", logs, ""));
    on(&engine).stop().exec(&["id"]).fails_with("000000000000 does not run: start it first");
}
