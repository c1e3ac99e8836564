//! Containers on a real dockerd: the node's, and the object's own.

use std::fs;
use std::io::Read;
use std::net::TcpStream;

use hostler_tests::dockerd::{self, Dockerd, IMAGE};

use crate::network::ip;
use crate::own_engine::{own_engine, own_socket};
use crate::world::{World, until};

crate::trials!(
    a_container_lives_from_nothing_to_nothing,
    a_container_that_dies_is_noticed_and_started_again,
    a_container_that_exits_at_once_says_why,
    containers_start_side_by_side_and_share_a_network,
    a_container_with_a_changed_configuration_is_recreated,
    a_missing_image_is_named,
    a_missing_engine_is_named,
    a_container_of_another_owner_is_left_alone,
    a_pod_as_it_was_written_in_2016_serves_at_its_address,
    a_task_runs_to_completion_in_a_container,
    enter_exec_and_engine_commands_work,
);

/// An engine of the node's, for this world.
pub(crate) fn node_engine(world: &World) -> Option<Dockerd> {
    is_possible().then(|| Dockerd::start(&world.path("node"), &world.path("node/data")).unwrap())
}

pub(crate) fn is_possible() -> bool {
    match Dockerd::missing() {
        None => true,
        Some(missing) => {
            println!("containers: skipped: there is no {missing}");
            false
        }
    }
}

/// An object on the engine of the node. `{image}` is the image of that engine.
pub(crate) fn create(world: &World, config: &str) {
    let socket = world.path("node/docker.sock");
    let head = format!("[DEFAULT]\nnodes = n1\nsocket = {}\n", socket.display());
    world.create("web", &(head + &config.replace("{image}", IMAGE)));
}

/// A container that sleeps, and exits at once when it is stopped.
pub(crate) fn sleeping(id: &str, more: &str) -> String {
    format!("[container#{id}]\nimage = {{image}}\nnetns = none\ncommand = sleep 1000\nstop_signal = KILL\n{more}\n")
}

fn a_container_lives_from_nothing_to_nothing(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    fs::create_dir(world.path("data")).unwrap();
    let more = "run_args = -v {w}/data:/data:rw --hostname box\n    -e GREETING=\"two words\"\nenvironment = A=1\n\
                volume_mounts = {w}/act:/act:ro";
    create(world, &sleeping("1", more));
    world.om("web print status").ok().says("busybox");
    world.om("web provision").ok().says("is running from busybox:test").says("instance status is now up");
    let id = engine.docker("ps -q --no-trunc").unwrap();
    world.om("web print status").ok().says(&format!("{}@{IMAGE}", &id[..12]));
    assert_eq!(engine.containers().unwrap(), ["web.container.1 running"]);
    world.om("web start").ok().says("nothing to do");
    let seen = engine.docker("exec web.container.1 sh -c env;hostname;touch${IFS}/data/made").unwrap();
    assert!(["GREETING=two words", "A=1", "box"].iter().all(|text| seen.contains(text)), "{seen}");
    assert!(world.exists("data/made"));
    engine.docker("exec web.container.1 touch /act").unwrap_err();

    world.om("web stop").ok().says(&format!("stopped {}", &id[..12])).says("instance status is now down");
    assert_eq!(engine.containers().unwrap(), ["web.container.1 exited"]);
    world.om("web stop").ok().says("nothing to do");
    world.om("web start").ok();
    assert_eq!(engine.docker("ps -q --no-trunc").unwrap(), id, "the same container");
    world.om("web restart").ok();
    world.is("web", "up");
    world.om("web unprovision --confirm").ok();
    assert_eq!(engine.containers().unwrap(), [""; 0]);
    world.om("web provision").ok();
    world.om("web unprovision --confirm").ok();
}

fn a_container_that_dies_is_noticed_and_started_again(world: &World) {
    let Some(mut engine) = node_engine(world) else { return };
    create(world, &sleeping("1", ""));
    world.om("web provision").ok();
    engine.docker("kill web.container.1").unwrap();
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web print status --refresh").ok().says("exited with 137");
    world.om("web start").ok().says("is running");
    engine.kill().unwrap();
    // It runs on without its engine.
    assert_eq!(world.states("web"), "container#1 warn");
    world.is("web", "warn");
    world.om("web stop").ends(1);
    world.is("web", "warn");
    world.om("web start").ends(1).says("no container engine listens on").says("start it again");
    engine.revive().unwrap();
    world.om("web start").ok();
    world.om("web stop").ok();
}

fn a_container_that_exits_at_once_says_why(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    create(
        world,
        "[container#1]\nimage = {image}\nnetns = none\nsettle = 10s\ncommand = sh -c 'echo no password; exit 3'\n",
    );
    world.om("web provision").ends(1).says("exited with 3 right after its start: no password");
    create_again(world, &sleeping("1", "").replace("sleep 1000", "sleeep 1000"));
    world.om("web start --force").ends(1).says("web.container.1").says("sleeep");
    create_again(world, &sleeping("1", ""));
    world.om("web start --force").ok();
    world.om("web stop").ok();
    assert_eq!(engine.containers().unwrap(), ["web.container.1 exited"]);
}

/// The same object with another configuration.
fn create_again(world: &World, config: &str) {
    world.om("web delete --local").ok();
    create(world, config);
}

fn containers_start_side_by_side_and_share_a_network(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    let side_by_side = (1..=4).map(|id| sleeping(&id.to_string(), "subset = a")).collect::<String>();
    let joining = sleeping("9", "subset = b").replace("netns = none", "netns = container#1");
    create(world, &format!("{side_by_side}{joining}[subset#container:a]\nparallel = true\n"));
    world.om("web provision").ok();
    let up = "container#1 up, container#2 up, container#3 up, container#4 up, container#9 up";
    assert_eq!(world.states("web"), up);
    let network = |id: u8| engine.docker(&format!("exec web.container.{id} readlink /proc/self/ns/net")).unwrap();
    assert_eq!(network(1), network(9));
    assert_ne!(network(1), network(2));
    world.om("web stop --rid container#2,container#3").ok();
    assert_eq!(world.states("web"), up.replace("#2 up", "#2 down").replace("#3 up", "#3 down"));
    world.om("web start").ok();
    assert_eq!(world.states("web"), up);
    world.om("web unprovision --confirm").ok();
    assert_eq!(engine.containers().unwrap(), [""; 0]);
}

fn a_container_with_a_changed_configuration_is_recreated(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    create(world, &sleeping("1", ""));
    world.om("web provision").ok();
    let first = engine.docker("ps -q").unwrap();
    world.om("web set --kw container#1.environment=A=2").ok();
    world.om("web print status --refresh").ok().says("the configuration has changed").says("restart");
    world.om("web restart").ok().says("recreating");
    let second = engine.docker("ps -q").unwrap();
    assert_ne!(first, second);
    engine.docker(&format!("tag {IMAGE} kept:1")).unwrap();
    engine.docker(&format!("commit web.container.1 {IMAGE}")).unwrap();
    world.om("web print status --refresh").ok().says("an older image than busybox:test is now");
    world.om("web restart").ok();
    assert_ne!(engine.docker("ps -q").unwrap(), second);
    world.om("web print status --refresh").ok().does_not_say("older image");
    world.om("web unprovision --confirm").ok();
}

fn a_missing_image_is_named(world: &World) {
    let Some(_engine) = node_engine(world) else { return };
    create(world, &sleeping("1", "").replace("{image}", "127.0.0.1:1/nowhere:1"));
    world.om("web provision").ends(1).says("cannot pull the image 127.0.0.1:1/nowhere:1").says("check its registry");
    world.om("web set --kw container#1.image_pull_policy=never").ok();
    world.om("web provision").ends(1).says("image_pull_policy is never");
    world.om(&format!("web set --kw container#1.image={IMAGE}")).ok();
    world.om("web provision").ok();
    world.om("web stop").ok();
}

fn a_missing_engine_is_named(world: &World) {
    create(world, &sleeping("1", ""));
    // Nothing was ever made there for this resource.
    assert_eq!(world.states("web"), "container#1 down");
    world.om("web print status --refresh").ok().says("there is no container engine at").says("start it");
    world.om("web provision").ends(1).says("there is no container engine at");
    world.om("web set --kw container#1.run_args=--frobnicate").ends(1).says("--frobnicate: unknown option");
    world.om("web set --force --kw container#1.run_args=--frobnicate").ok();
    world.om("web start --force").ends(1).says("run_args: --frobnicate: unknown option");
    world.om("web set --force --kw container#1.run_args=--restart=always").ok();
    world.om("web start --force").ends(1).says("see the keyword restart");
}

fn a_container_of_another_owner_is_left_alone(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    engine.docker(&format!("run -d --net none --name web.container.1 {IMAGE} sleep 1000")).unwrap();
    create(world, &sleeping("1", ""));
    world.om("web start --force").ends(1).says("web.container.1");
    world.om("web stop").ok().says("is not this resource's");
    assert_eq!(engine.containers().unwrap(), ["web.container.1 running"]);
}

/// With an address that the container gets right after its start, on a bridge of this world's own.
fn a_pod_as_it_was_written_in_2016_serves_at_its_address(world: &World) {
    let pod = "[subset#container:containers]\nparallel = true\n\
               [ip#01db]\ntags = db\ntype = docker\nipdev = {bridge}\nipname = {net}.9\nnetmask = 255.255.255.0\n\
               network = {net}.0\ngateway = {net}.1\ndel_net_route = true\ncontainer_rid = container#01db\n\
               [container#01db]\ntags = db\ntype = docker\nsubset = containers\nrun_image = {image}\n\
               run_command = sh -c 'while :; do nc -l -p 3306 -e echo hello; done'\ngrace = 1s\n\
               run_args = --net=none\n    -e MYSQL_ROOT_PASSWORD=secret\n    -v /etc/localtime:/etc/localtime:ro\n";
    let (bridge, net) = (format!("pod{}", world.number()), format!("10.90.{}", world.number()));
    if !own_engine(world, &pod.replace("{bridge}", &bridge).replace("{net}", &net)) {
        return;
    }
    ip(&format!("link add {bridge} type bridge"));
    ip(&format!("link set {bridge} up"));
    ip(&format!("addr add {net}.1/24 dev {bridge}"));
    let greeting = || {
        let mut said = String::new();
        let mut stream = TcpStream::connect(format!("{net}.9:3306")).ok()?;
        stream.read_to_string(&mut said).ok().map(|_| said)
    };
    world.om("web provision").ok().does_not_say("secret");
    assert_eq!(world.states("web"), "container#01db up, ip#01db up");
    until("the pod greets", || greeting().as_deref() == Some("hello\n"));
    let id = dockerd::docker(&own_socket(world), "ps -q").unwrap();
    world.om("web print status").ok().says(&format!("{}@{IMAGE}", id.trim())).says(&format!("{net}.9"));

    world.om("web stopcontainer --tags db").ok();
    assert_eq!(world.states("web"), "container#01db down, ip#01db down");
    world.om("web startcontainer --tags db").ok();
    until("the pod greets again", || greeting().as_deref() == Some("hello\n"));
    world.om("web unprovision --confirm").ok();
    assert_eq!(ip(&format!("-br link show master {bridge}")), "");
    ip(&format!("link del {bridge}"));
}

fn a_task_runs_to_completion_in_a_container(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    let task = |id: u8, command: &str| {
        format!("[task#{id}]\ntype = docker\nimage = {{image}}\nnetns = none\ncommand = sh -c '{command}'\n")
    };
    create(world, &(task(1, "echo hello; exit 0") + &task(2, "echo sorry; exit 3")));
    world.om("web run --rid task#1").ok().says("| hello");
    world.om("web run --rid task#2").ends(1).says("| sorry").says("exited with status 3");
    assert_eq!(engine.containers().unwrap(), [""; 0]);
}

fn enter_exec_and_engine_commands_work(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    create(world, &sleeping("1", "").replace("sleep 1000", "sh -c 'echo born; exec sleep 1000'"));
    world.om("web exec --rid container#1 -- true").ends(1).says("the container does not exist: start it first");
    world.om("web provision").ok();
    world
        .om("web exec --rid container#1 -- sh -c echo${IFS}out;echo${IFS}error>&2;exit${IFS}7")
        .ends(7)
        .says("out")
        .says("error");
    world.om("web container exec -- readlink /proc/self/ns/net").ok().says("net:[");
    world.om("web exec --rid container#1 -- /no/such/program").says("/no/such/program");
    world.om("web exec --rid container#9 -- true").ends(1).says("web has no resource container#9");
    // There is no input, so the shell exits at once.
    world.om("web enter --rid container#1").ok();
    world.om("web container logs").ok().says("born");
    // The reader of a pipe may have had enough.
    for command in ["exec --rid container#1 -- cat /bin/busybox", "container logs --rid container#1"] {
        let script = format!("\"$0\" web {command} | head -c 4");
        let om = world.command();
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &script]).arg(om.get_program()).current_dir(world.directory());
        let ran = shell.envs(om.get_envs().filter_map(|(name, value)| Some((name, value?)))).output().unwrap();
        assert_eq!(
            (ran.stdout.len(), String::from_utf8_lossy(&ran.stderr).into_owned()),
            (4, String::new()),
            "{command}"
        );
    }
    let effective = world.om("driver inspect container.docker --effective web container#1").ok();
    effective
        .says("its own containers only")
        .says("of the image docker.io/library/busybox:test")
        .does_not_say("a client of a container engine can become root");
    let id = engine.docker("ps -q --no-trunc").unwrap();
    world.om("web docker ps -q --no-trunc").ok().says(&id);
    engine.docker(&format!("run -d --net none --name other {IMAGE} sleep 1000")).unwrap();
    world.om("web docker rm -f %instances%").ok().says("web.container.1");
    assert_eq!(engine.containers().unwrap(), ["other running"]);
    world.om("web docker login %as_service%").ends(4);
}
