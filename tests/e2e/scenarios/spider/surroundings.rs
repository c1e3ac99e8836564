//! The surroundings of the service: the hub of its images, Google's cloud, the bridge of a node, and the kernel's view of it.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use hostler_gce::{EmulatorOptions, HttpServer};
use hostler_tests::dockerd::Dockerd;
use hostler_tests::registry::Registry;

use super::pods::{KINDS, address};
use crate::network::ip;
use crate::world::{World, until};
use crate::{gce, separate};

const NODES: [&str; 4] = ["spd01", "spd02", "spd03", "spd04"];

/// A registry with the images, which every engine that starts from here on asks first.
pub(super) fn hub(world: &World) -> Registry {
    let registry = Registry::start(&world.path("hub")).unwrap();
    let engine = Dockerd::start(&world.path("builder"), &world.path("builder/data")).unwrap();
    for (name, greeting) in [("tanji/spdc", "spider 1"), ("tanji/spdc:2", "spider 2"), ("mariadb", "mariadb")] {
        // PID 1 has no signal handlers but its own.
        let command = format!(
            "touch /var/lib/mysql/started; trap 'exit 0' TERM; \
             while :; do nc -l -p 3306 -e echo $MYSQL_ROOT_PASSWORD {greeting} & wait $!; done"
        );
        engine.make_image(name, &command).unwrap();
        registry.take(&engine, name).unwrap();
    }
    separate::cover("/etc/docker");
    let mirrors = serde_json::json!({"registry-mirrors": [registry.url()]});
    fs::write("/etc/docker/daemon.json", mirrors.to_string()).unwrap();
    registry
}

/// A cloud in which this machine is spd01. A gigabyte of its disks has 16 MiB.
pub(super) fn cloud(world: &World) -> HttpServer {
    let elsewhere = |name: &str| (name != NODES[0]).then(|| world.path(&format!("devices-{name}")));
    let instance = |name: &str| (name.to_owned(), elsewhere(name).or_else(|| Some(gce::BY_ID.into())));
    let options = EmulatorOptions {
        instances: NODES.into_iter().map(instance).collect(),
        directory: world.path("cloud"),
        project: "stand-in".to_owned(),
        zone: "europe-west1-b".to_owned(),
        gigabyte: 16 << 20,
        token_lifetime: 3600,
        steps: 2,
        listen: "127.0.0.1:0".parse().unwrap(),
    };
    HttpServer::start(&options).unwrap()
}

/// The disks and routes of the cloud.
pub(super) fn allocated(server: &HttpServer) -> Vec<String> {
    let is_ours = |path: &&String| path.contains("/disks/") || path.contains("/routes/rt-ip");
    let path = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
    server.with(|gateway| gateway.cloud.resources().map(|(path, _)| path).filter(is_ours).map(path).collect())
}

/// The backend bridge, as the nodes of the service have it.
pub(super) fn bridge() {
    ip("link add br0 type bridge");
    ip("addr add 10.0.0.1/24 broadcast 10.0.0.255 dev br0");
    ip("link set br0 up");
    ip("route del 10.0.0.0/24 dev br0");
    ip("route replace 10.0.0.1/32 dev br0");
}

/// The interfaces and routes.
pub(super) fn network() -> Vec<String> {
    let links = ip("-o link show");
    let links = links.lines().filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned);
    let routes = ip("route show");
    links.chain(routes.lines().map(|line| line.replace("linkdown", "").trim_end().to_owned())).collect()
}

/// The control groups of containers, wherever their engine has made them.
pub(super) fn control_groups(containers: &[String]) -> Vec<PathBuf> {
    let mut directories = vec![PathBuf::from("/sys/fs/cgroup")];
    let mut found = Vec::new();
    while let Some(directory) = directories.pop() {
        let inside = fs::read_dir(directory).into_iter().flatten().flatten();
        for directory in inside.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let is_ours = containers.iter().any(|id| directory.file_name().to_string_lossy().contains(id));
            if is_ours { &mut found } else { &mut directories }.push(directory.path());
        }
    }
    found
}

/// The servers of pods answer at their addresses, with the password that they were given.
pub(super) fn serve(pods: RangeInclusive<u8>, spider: &str) {
    for (pod, kind) in pods.flat_map(|pod| KINDS.map(|kind| (pod, kind))) {
        let (address, greeting) = (address(pod, kind), if kind == "sm" { spider } else { "mariadb" });
        until(&format!("{greeting} at {address}"), || {
            greeting_at(&address).as_deref() == Some(&format!("changeme {greeting}\n"))
        });
    }
}

/// The greeting at an address, if a server answers.
pub(super) fn greeting_at(address: &str) -> Option<String> {
    let mut said = String::new();
    let mut stream = TcpStream::connect(format!("{address}:3306")).ok()?;
    stream.read_to_string(&mut said).ok().map(|_| said)
}
