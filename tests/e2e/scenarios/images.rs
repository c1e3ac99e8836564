//! Images of containers, on real engines: between nodes, over real ssh, and from a registry that asks for a password.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use hostler_tests::dockerd::{Dockerd, IMAGE};
use hostler_tests::registry::{PASSWORD, Registry};

use crate::cluster::{Cluster, Node};
use crate::copies::sent;
use crate::world::World;

crate::trials!(
    images_are_sent_where_they_are_missing,
    images_that_cannot_be_sent_are_named,
    images_go_from_an_own_engine_to_another,
    a_registry_receives_the_credentials,
);

const HEAD: &str = "[DEFAULT]\nnodes = n1 n2\ndrpnodes = n3\nsocket = {w}/backup/engine/docker.sock\n";
const CONTAINER: &str = "[container#1]\nimage = web:1\nimage_pull_policy = never\nnetns = none\nstop_signal = KILL\n";
const SYNC: &str = "[sync#1]\ntype = docker\nimages = {container#1.image} busybox:test\ntarget = nodes drpnodes\n";

/// Three nodes, if this machine has what they need.
fn cluster(world: &World) -> Option<Cluster<'_>> {
    if let Some(missing) = Dockerd::missing() {
        println!("images: skipped: there is no {missing}");
        return None;
    }
    Cluster::new(world, 3)
}

/// An engine in a node's own part of the world's directory: each node finds its own at the same place.
fn engine(world: &World, node: &str) -> Dockerd {
    let directory = world.path(&format!("of-{node}/backup/engine"));
    Dockerd::start(&directory, &directory.join("data")).unwrap()
}

/// Creates the object on n1, and sends its configuration to the other nodes.
fn create(world: &World, node: &Node, config: &str) {
    let file = world.write("web.conf", &world.fill(config));
    node.om(world, &format!("web create --config {}", file.display())).ok();
    node.om(world, "web sync all --rid sync#i0").ok();
}

fn id(engine: &Dockerd, image: &str) -> String {
    engine.docker(&format!("image inspect --format {{{{.Id}}}} {image}")).unwrap()
}

fn images_are_sent_where_they_are_missing(world: &World) {
    let Some(cluster) = cluster(world) else { return };
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    let (here, third) = (engine(world, "n1"), engine(world, "n3"));
    here.make_image("web:1", "exec sleep 1000").unwrap();
    create(world, n1, &format!("{HEAD}{CONTAINER}{SYNC}"));
    n1.om(world, "web instance provision").ok();

    // The engine of n2 does not run: n3 is served all the same.
    let first = n1.om(world, "web sync all --rid sync#1").ends(1);
    let socket = world.path("backup/engine/docker.sock").display().to_string();
    let first = first.says(&format!("n2: no container engine listens on {socket} there: start it"));
    assert!(sent(&first, "n3") > 500_000, "{first}");
    for image in ["web:1", IMAGE] {
        assert_eq!(id(&here, image), id(&third, image));
    }
    let second = engine(world, "n2");
    assert_ne!(id(&here, IMAGE), id(&second, IMAGE), "made at another moment");
    n1.om(world, "web sync verify --target n2 --rid sync#1").ends(1).says("n2: it lacks web:1, busybox:test");
    n1.om(world, "web print status --refresh").ok().says("n2 was last seen without web:1, busybox:test: need update");
    let both = n1.om(world, "web sync all --rid sync#1").ok().says("n3: already the same");
    assert!(sent(&both, "n2") > 500_000, "{both}");
    n1.om(world, "web sync all --rid sync#1").ok().says("n2: already the same").says("n3: already the same");
    n1.om(world, "web sync verify --rid sync#1").ok();
    n1.om(world, "web print status --refresh").ok().says("n2 was last seen with all of them");
    let all = n1.om(world, "web sync full --target n2 --rid sync#1").ok();
    assert_eq!(sent(&all, "n2"), sent(&both, "n2"));

    // Only an image that has changed is sent.
    here.make_image("web:1", "echo changed; exec sleep 1000").unwrap();
    n1.om(world, "web sync nodes --rid sync#1").ok().says("n2: sending web:1\n");
    n1.om(world, "web instance stop").ok();
    n2.om(world, "web instance start").ok();
    assert_eq!(second.docker("logs web.container.1").unwrap(), "changed\n");
    assert_eq!(second.containers().unwrap(), ["web.container.1 running"]);
    n2.om(world, "web instance stop").ok();
}

fn images_that_cannot_be_sent_are_named(world: &World) {
    let Some(mut cluster) = cluster(world) else { return };
    cluster.node("n2").fall_silent();
    let n1 = &cluster.nodes[0];
    let sync = "[fs#1]\ntype = flag\n[sync#1]\ntype = docker\nimages = nowhere:1\n";
    let file = world.write("web.conf", &world.fill(&format!("{HEAD}{sync}")));
    n1.om(world, &format!("web create --config {}", file.display())).ok();
    n1.om(world, "web instance start").ok();
    let copy = || n1.om(world, "web sync nodes --rid sync#1").ends(1);
    copy().says("no container engine listens on").says("here: start it, and sync again");
    let _engine = engine(world, "n1");
    copy().says("the image nowhere:1 is not on this node: pull it, or provision the container that needs it");
    n1.om(world, &format!("web set --kw sync#1.images={IMAGE}")).ok();
    copy().says("n2: cannot be reached");
    for (image, problem) in
        [("busybox", "write busybox:latest"), ("--output=/x", "is not an image"), ("a@sha256:00", "use a tag")]
    {
        n1.om(world, &format!("web set --kw sync#1.images={image}")).ends(1).says(problem);
        n1.om(world, &format!("web set --force --kw sync#1.images={image}")).ok();
        copy().says(problem);
    }
    n1.om(world, "web instance stop").ok();
}

fn images_go_from_an_own_engine_to_another(world: &World) {
    let Some(cluster) = cluster(world) else { return };
    let [n1, n2, _] = &cluster.nodes[..] else { unreachable!() };
    for node in ["n1", "n2"] {
        let directory = world.path(&format!("of-{node}/backup"));
        let engine = Dockerd::start(&directory.join("before"), &directory.join("data")).unwrap();
        if node == "n1" {
            engine.make_image("web:1", "exec sleep 1000").unwrap();
        }
    }
    let head = HEAD.replace("socket = {w}/backup/engine/docker.sock", "container_data_dir = {w}/backup/data");
    let second = CONTAINER.replace("#1", "#2").replace("web:1", IMAGE) + "command = sleep 1000\n";
    create(world, n1, &format!("{head}{CONTAINER}{second}{SYNC}").replace("nodes drpnodes", "nodes"));
    n1.om(world, "web instance provision").ok();
    let copy = || n1.om(world, "web sync nodes --rid sync#1");
    copy().ends(1).says("n2: the object's own engine does not run there: it does while a container");
    n2.om(world, "web instance start --rid container#2").ok();
    assert!(sent(&copy().ok(), "n2") > 500_000);
    copy().ok().says("n2: already the same");
    n2.om(world, "web instance start --rid container#1").ok();
    for node in [n1, n2] {
        node.om(world, "web instance stop").ok();
    }
}

fn a_registry_receives_the_credentials(world: &World) {
    if let Some(missing) = Dockerd::missing().or_else(Registry::missing) {
        println!("images: skipped: there is no {missing}");
        return;
    }
    let registry = Registry::start_with_password(&world.path("registry")).unwrap();
    let engine = Dockerd::start(&world.path("node"), &world.path("node/data")).unwrap();
    let login = registry.log_in(&world.path("login"), PASSWORD).unwrap();
    let image = registry.image("shop/web:1");
    engine.docker(&format!("tag {IMAGE} {image}")).unwrap();
    engine.docker(&format!("--config {} push {image}", world.path("login").display())).unwrap();
    engine.docker(&format!("rmi {image}")).unwrap();

    let container = format!("[container#1]\nimage = {image}\nnetns = none\ncommand = sleep 1000\nstop_signal = KILL\n");
    let head = "[DEFAULT]\nnodes = n1\nsocket = {w}/node/docker.sock\n";
    world.create("web", &format!("{head}{container}"));
    let fails = |hint: &str| world.om("web provision").ends(1).says("cannot pull the image").says(hint);
    let creds = |file: &std::path::Path| {
        world.om(&format!("web set --kw container#1.registry_creds={}", file.display())).ok();
    };
    fails("its registry requires a login: name a file with credentials in registry_creds");
    let wrong = registry.log_in(&world.path("wrong"), "wrong-horse").unwrap();
    creds(&wrong);
    fails(&format!("check the credentials in {}", wrong.display()));
    creds(&login);
    fs::set_permissions(&login, fs::Permissions::from_mode(0o640)).unwrap();
    world.om("web provision").ends(1).says("has the mode 0640, and others could read it: use chmod 600");
    fs::set_permissions(&login, fs::Permissions::from_mode(0o600)).unwrap();
    world.om("web provision").ok().says(&format!("pulled {image}")).does_not_say(PASSWORD);
    assert_eq!(engine.containers().unwrap(), ["web.container.1 running"]);
    // In plain text, and as encoded in the header.
    let found = Command::new("grep").args(["-rlE", "correct-horse|NvcnJlY3QtaG9y"]).arg(world.path("root")).output();
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "", "the password is in a log");
    world.om("web unprovision --confirm").ok();
}
