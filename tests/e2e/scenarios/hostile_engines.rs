//! A user who may edit the objects of one namespace, and its containers: what they try on real engines, and with an engine of their
//! own.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use hostler_tests::dockerd::IMAGE;
use hostler_tests::podman;

use crate::containers::{node_engine, sleeping};
use crate::ran::Ran;
use crate::world::World;

crate::trials!(
    a_log_option_writes_no_file,
    a_volume_is_judged_again_before_each_start,
    the_name_of_a_root_service_is_not_taken,
    memory_of_the_node_is_not_filled,
    an_engine_of_the_user_s_own_is_not_asked,
);

const MALLORY: u32 = 65534;

/// The object of the namespace, on that engine, which the policy of the namespace opens; `data` is the namespace's.
fn create(world: &World, socket: &Path, config: &str) {
    let socket = socket.display();
    let policy = format!(
        "allow files.write = {{{{rundir}}}}/**\nallow files.write = {{w}}/data/**\nallow files.write = {{w}}/data\n\
         allow http.unix(guard=container) = * {socket} /**\n"
    );
    world.write("root/etc/namespaces/ns1/policy", &world.fill(&policy).replace("{{rundir}}", "{rundir}"));
    world.om("ns1/svc/web delete --local --force");
    world.create("ns1/svc/web", &format!("[DEFAULT]\nnodes = n1\n{config}socket = {socket}\n"));
}

fn om(world: &World, line: &str) -> Ran {
    world.om(&format!("ns1/svc/web {line}"))
}

fn a_log_option_writes_no_file(world: &World) {
    fs::create_dir(world.path("data")).unwrap();
    let file = world.path("data/written");
    let options = ["path=", "Path=", " path=", "max-size=10m,path="];
    if let Some(engine) = crate::podman::engine(world) {
        let limits = "--ulimit nofile=100 --ulimit nproc=1000";
        for option in options {
            let more = format!("type = podman\nrun_args = {limits} --log-opt '{option}{}'", file.display());
            create(world, &engine.socket(), &sleeping("1", &more).replace("{image}", podman::IMAGE));
            om(world, "provision").ends(1).says("denied").says("LogConfig");
            assert!(!file.exists());
        }
        let more = format!("type = podman\nrun_args = {limits} --log-opt max-size=10m");
        create(world, &engine.socket(), &sleeping("1", &more).replace("{image}", podman::IMAGE));
        om(world, "provision").ok();
        om(world, "unprovision --confirm").ok();
    }
    let Some(engine) = node_engine(world) else { return };
    for option in ["path=/x", "syslog-address=unixgram:///run/x", "tag=x", "max-size=10m,path=/x", "max-size=x"] {
        let more = format!("run_args = --log-opt '{option}'");
        create(world, &engine.socket(), &sleeping("1", &more).replace("{image}", IMAGE));
        om(world, "provision").ends(1).says("denied").says("LogConfig");
    }
    assert_eq!(engine.containers().unwrap(), [""; 0]);
}

fn a_volume_is_judged_again_before_each_start(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    fs::create_dir_all(world.path("data/inner")).unwrap();
    world.write("data/inner/here", "");
    world.write("secret/of-root", "");
    create(
        world,
        &engine.socket(),
        &sleeping("1", "volume_mounts = {w}/data/inner:/inner:rw").replace("{image}", IMAGE),
    );
    om(world, "provision").ok();
    assert_eq!(engine.docker("exec ns1..web.container.1 ls /inner").unwrap(), "here\n");
    om(world, "stop").ok();

    // The very attack: what the namespace may write leads elsewhere by now.
    fs::rename(world.path("data/inner"), world.path("data/moved")).unwrap();
    symlink(world.path("secret"), world.path("data/inner")).unwrap();
    om(world, "start").ends(1).says("denied").says("link");
    fs::remove_file(world.path("data/inner")).unwrap();
    om(world, "start").ends(1).says("denied");
    fs::rename(world.path("data/moved"), world.path("data/inner")).unwrap();
    om(world, "start").ok();

    // The same from inside: a container that may write above another one's volume could do it at any time.
    let image = format!("run -d --net none --name other -v {}:/all {IMAGE} sleep 1000", world.path("data").display());
    engine.docker(&image).unwrap();
    om(world, "stop").ok();
    om(world, "start").ends(1).says("denied").says("data");
    om(world, "restart").ends(1);
    engine.docker("rm -f other").unwrap();
    om(world, "start").ok();

    // A directory that another user can rename.
    om(world, "stop").ok();
    chown(world.path("data"), Some(MALLORY), Some(MALLORY)).unwrap();
    om(world, "start").ends(1).says("denied").says("chown");
    chown(world.path("data"), Some(0), Some(0)).unwrap();
    om(world, "start").ok();
    om(world, "unprovision --confirm").ok();
}

fn the_name_of_a_root_service_is_not_taken(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    for name in ["shop.container.1", "ns1", "ns10..web", "ns1.web"] {
        create(world, &engine.socket(), &sleeping("1", &format!("name = {name}")).replace("{image}", IMAGE));
        om(world, "provision").ends(1).says("ns1..");
    }
    assert_eq!(engine.containers().unwrap(), [""; 0]);
    create(world, &engine.socket(), &sleeping("1", "name = ns1..other").replace("{image}", IMAGE));
    om(world, "provision").ok();
    assert_eq!(engine.containers().unwrap(), ["ns1..other running"]);
    om(world, "unprovision --confirm").ok();
}

fn memory_of_the_node_is_not_filled(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    for arguments in ["--shm-size 100g", "--tmpfs /t:size=100t", "--tmpfs /t:size=90%", "--memory 64m --shm-size 65m"] {
        create(world, &engine.socket(), &sleeping("1", &format!("run_args = {arguments}")).replace("{image}", IMAGE));
        om(world, "provision").ends(1).says("denied");
    }
    let arguments = "run_args = --memory 64m --shm-size 32m --tmpfs /t:size=1m";
    create(world, &engine.socket(), &sleeping("1", arguments).replace("{image}", IMAGE));
    om(world, "provision").ok();
    om(world, "unprovision --confirm").ok();
}

/// Root connects to no socket that the user made, and says nothing to it.
fn an_engine_of_the_user_s_own_is_not_asked(world: &World) {
    fs::create_dir(world.path("data")).unwrap();
    let socket = world.path("data/docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let heard = || {
        let Ok((mut stream, _)) = listener.accept() else { return String::new() };
        let mut text = [0; 100];
        let length = stream.read(&mut text).unwrap_or(0);
        let _ = stream.write_all(b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n");
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    create(world, &socket, &sleeping("1", "").replace("{image}", IMAGE));
    chown(&socket, Some(MALLORY), Some(MALLORY)).unwrap();
    om(world, "provision").ends(1).says("docker.sock");
    assert_eq!(heard(), "");
    // In a directory of the user's, the owner of the socket itself says nothing.
    chown(&socket, Some(0), Some(0)).unwrap();
    chown(world.path("data"), Some(MALLORY), Some(MALLORY)).unwrap();
    om(world, "provision").ends(1).says("data");
    assert_eq!(heard(), "");
    // Without a policy file, not even a socket of root's.
    chown(world.path("data"), Some(0), Some(0)).unwrap();
    fs::remove_file(world.path("root/etc/namespaces/ns1/policy")).unwrap();
    om(world, "provision").ends(1).says("denied").says("etc/namespaces/ns1/policy");
    assert_eq!(heard(), "");
}
