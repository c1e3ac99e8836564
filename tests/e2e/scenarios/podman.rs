//! Containers on a real podman.

use hostler_tests::podman::{self, Podman};

use crate::containers::sleeping;
use crate::world::{World, until};

crate::trials!(podman_runs_containers_too, podman_has_no_engine_of_the_object_s_own);

/// An engine for this world.
pub(crate) fn engine(world: &World) -> Option<Podman> {
    match Podman::missing() {
        None => Some(Podman::start(&world.path("podman")).unwrap()),
        Some(missing) => {
            println!("podman: skipped: there is no {missing}");
            None
        }
    }
}

fn podman_runs_containers_too(world: &World) {
    let Some(engine) = engine(world) else { return };
    // Podman raises limits higher than allowed if the tests run in a container.
    let limits = "run_args = --ulimit nofile=100 --ulimit nproc=1000\nenvironment = A=1";
    let container = |id: &str, kind: &str| sleeping(id, limits) + &format!("type = {kind}\n");
    let head = format!("[DEFAULT]\nnodes = n1\n[env]\nsocket = {}\n", engine.socket().display());
    let socket = "socket = {env.socket}\n";
    let config = head + &container("1", "podman") + socket + &container("2", "oci") + socket;
    world.create("web", &config.replace("{image}", podman::IMAGE));
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "container#1 up, container#2 up");
    world.om("web start").ok().says("nothing to do");
    assert!(engine.podman("exec web.container.1 env").unwrap().contains("A=1"));
    engine.podman("kill web.container.2").unwrap();
    until("the container is gone", || world.states("web") == "container#1 up, container#2 down");
    world.om("web start").ok();
    world.om("web stop").ok();
    world.om("web unprovision --confirm").ok();
    assert_eq!(engine.podman("ps -aq").unwrap(), "");
}

/// DEFAULT is about all containers, and podman has no engine that an object could own.
fn podman_has_no_engine_of_the_object_s_own(world: &World) {
    let Some(engine) = engine(world) else { return };
    let socket = engine.socket();
    let own = format!(
        "[DEFAULT]\nnodes = n1\ncontainer_data_dir = {{w}}/own\n[container#1]\ntype = podman\nsocket = {}\n\
                       image = {}\nnetns = none\n",
        socket.display(),
        podman::IMAGE
    );
    let file = world.write("own.conf", &world.fill(&own));
    let refused = "an engine of the object's own is a dockerd: use type = docker";
    world.om(&format!("own create --config {}", file.display())).ends(1).says(refused);
    world.om(&format!("own create --force --config {}", file.display())).ok();
    world.om("own provision").ends(1).says(refused);
    world.om("own delete --local").ok();
}
