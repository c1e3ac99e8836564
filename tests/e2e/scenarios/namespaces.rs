//! Addresses and routes in network namespaces: named ones, and those of containers.

use std::process::{Child, Command, Stdio};

use crate::component::component;
use crate::network::ip;
use crate::world::{World, until};

crate::trials!(
    an_address_in_a_named_namespace_is_reached,
    an_address_follows_its_container_in_every_action,
    a_container_that_is_killed_takes_its_addresses_along,
    a_container_driver_aims_no_address_at_a_foreign_namespace,
    an_address_is_plugged_into_one_namespace_alone,
);

/// A bridge of the world's own, and namespaces. Removed when dropped.
struct Network<'w> {
    world: &'w World,
    bridge: String,
    names: Vec<String>,
}

impl<'w> Network<'w> {
    fn new(world: &'w World) -> Network<'w> {
        let bridge = format!("br{}", world.number());
        ip(&format!("link add {bridge} type bridge"));
        ip(&format!("link set {bridge} up"));
        ip(&format!("addr add 10.89.{}.1/24 dev {bridge}", world.number()));
        Network { world, bridge, names: Vec::new() }
    }

    fn address(&self, last: u8) -> String {
        format!("10.89.{}.{last}", self.world.number())
    }

    /// Makes a namespace with a name.
    fn namespace(&mut self, name: &str) -> String {
        let name = format!("e2e{}-{name}", self.world.number());
        ip(&format!("netns add {name}"));
        self.names.push(name.clone());
        name
    }

    /// The links in the namespace of a process, or of a name.
    fn links(&self, within: &str) -> Vec<String> {
        let text = ip(&format!("-n {within} -br link"));
        text.lines().filter_map(|line| line.split(['@', ' ']).next()).map(str::to_owned).collect()
    }

    /// The ports of the bridge.
    fn ports(&self) -> usize {
        ip(&format!("-br link show master {}", self.bridge)).lines().count()
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
        let _ = Command::new("ip").args(["link", "del", &self.bridge]).output();
    }
}

/// A server that greets every client, started within a namespace.
struct Server(Child);

impl Server {
    fn within(enter: &[&str], address: &str) -> Server {
        let script = format!(
            "import socket\ns = socket.create_server(('{address}', 7777))\nwhile True:\n    s.accept()[0].sendall(b'hello')\n"
        );
        let mut command = Command::new(enter[0]);
        command.args(&enter[1..]).args(["python3", "-c", &script]).stdin(Stdio::null());
        Server(command.spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the server at an address answers.
fn answers(address: &str) {
    until(&format!("{address} answers"), || {
        let stream = std::net::TcpStream::connect((address, 7777));
        let heard = stream.and_then(|mut stream| {
            let mut heard = String::new();
            std::io::Read::read_to_string(&mut stream, &mut heard).map(|_| heard)
        });
        heard.is_ok_and(|heard| heard == "hello")
    });
}

fn an_address_in_a_named_namespace_is_reached(world: &World) {
    let mut network = Network::new(world);
    let name = network.namespace("blue");
    let (address, gateway, bridge) = (network.address(9), network.address(1), network.bridge.clone());
    // In the notation of OpenSVC.
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[ip#1]\ntype = docker\nipname = {address}\nipdev = {bridge}\nnetmask = 255.255.255.0\n\
         gateway = {gateway}\nnetwork = {}\ndel_net_route = true\nnetns = {name}\n\
         [ip#2]\ntype = route\ndestination = 10.1.0.0/16\ngateway = {gateway}\ndev = eth0\n\
         netns = /run/netns/{name}\n",
        network.address(0)
    );
    world.create("web", &config);
    let label = format!("{address}@{bridge}@{name}");
    world.om("web print status").ok().says(&label);
    world.is("web", "down");
    world.om("web start").ok().says("announced");
    world.om("web print status").ok().says(&label);
    world.is("web", "up");
    assert!(ip(&format!("-n {name} route")).contains(&format!("default via {gateway} dev eth0")));
    assert!(ip(&format!("-n {name} route")).contains(&format!("10.1.0.0/16 via {gateway}")));
    assert!(!ip("route").contains("10.1.0.0/16"), "the route is the namespace's, and not the node's");
    {
        let _server = Server::within(&["ip", "netns", "exec", &name], &address);
        answers(&address);
    }
    assert_eq!(network.ports(), 1);
    world.om("web start").ok();
    assert_eq!(network.ports(), 1);
    world.om("web stop").ok();
    world.is("web", "down");
    assert_eq!((network.links(&name), network.ports()), (vec!["lo".to_owned()], 0));
    ip(&format!("netns del {name}"));
    world.is("web", "down");
    world.om("web start").ends(1).says(&format!("there is no network namespace {name}"));
    world.om("web stop").ok();
    world.om("web delete --confirm").ok();
}

/// Two containers that start at the same time, each with its address.
fn containers(world: &World, network: &Network<'_>) {
    world.om(&format!("driver install {}", component("sandbox-driver").display())).ok();
    world.om("driver allow container.sandbox --yes").ok();
    let one = |id: &str, tag: &str, last: u8| {
        format!(
            "[container#{id}]\ntype = sandbox\nseconds = 3600\nsubset = all\ntags = {tag}\n\
             [ip#{id}]\ntype = docker\nipname = {}\nipdev = {}\nnetmask = 24\ncontainer_rid = container#{id}\n",
            network.address(last),
            network.bridge
        )
    };
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[subset#container:all]\nparallel = true\n{}{}[fs#1]\ntype = flag\n",
        one("1", "sm", 9),
        one("2", "db", 10)
    );
    world.create("web", &config);
}

fn pid(world: &World, rid: &str) -> String {
    let status = world.status("web");
    let exposed = status["resources"][rid]["exposes"].to_string();
    let digits = exposed.split("/proc/").nth(1).and_then(|rest| rest.split('/').next());
    digits.unwrap_or_else(|| panic!("{rid} exposes no namespace: {status:#}")).to_owned()
}

fn an_address_follows_its_container_in_every_action(world: &World) {
    let network = Network::new(world);
    containers(world, &network);
    world.om("web startcontainer --tags sm").ok().says("eth0 of container#1: plugged into");
    assert_eq!(world.states("web"), "container#1 up, container#2 down, fs#1 down, ip#1 up, ip#2 down");
    let id = format!("{:0>12}", pid(world, "container#1"));
    world.om("web print status").ok().says(&format!("{}@{}@{id}", network.address(9), network.bridge));
    {
        let _server = Server::within(&["nsenter", "-n", "-t", &pid(world, "container#1")], &network.address(9));
        answers(&network.address(9));
    }
    world.om("web start").ok();
    world.is("web", "up");
    assert_eq!(network.ports(), 2);
    world.om("web stopcontainer --tags sm").ok();
    assert_eq!(world.states("web"), "container#1 down, container#2 up, fs#1 up, ip#1 down, ip#2 up");
    assert_eq!(network.ports(), 1);
    world.om("web restart --rid container#2").ok();
    assert_eq!(world.states("web"), "container#1 down, container#2 up, fs#1 up, ip#1 down, ip#2 up");
    world.om("web stop").ok();
    assert_eq!(network.ports(), 0);
    let plan = world.om("web start --dry-run").ok().stdout;
    let place = |rid: &str| plan.find(rid).unwrap_or_else(|| panic!("{rid} is not in {plan}"));
    assert!(place("container#1") < place("ip#1") && place("ip#1") < place("container#2"), "{plan}");
    world.om("web delete --confirm").ok();
}

fn a_container_that_is_killed_takes_its_addresses_along(world: &World) {
    let network = Network::new(world);
    containers(world, &network);
    world.om("web start").ok();
    let pid = pid(world, "container#1");
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    until("the namespace is gone", || network.ports() == 1);
    assert_eq!(world.states("web"), "container#1 down, container#2 up, fs#1 up, ip#1 down, ip#2 up");
    world.om("web start").ok();
    world.is("web", "up");
    world.om("web stop").ok();
    until("the bridge has no port left", || network.ports() == 0);
    world.om("web delete --confirm").ok();
}

fn a_container_driver_aims_no_address_at_a_foreign_namespace(world: &World) {
    let mut network = Network::new(world);
    let foreign = network.namespace("foreign");
    containers(world, &network);
    world.om(&format!("web set --kw container#1.claims=/run/netns/{foreign}")).ok();
    world.om("web start --rid container#1").ends(1).says("ip#1");
    assert_eq!(network.links(&foreign), ["lo"]);
    world.om("web start --rid container#1 --disable-rollback").ends(1).says("ip#1");
    world.om("web print status").ok().says(&format!("exposes /run/netns/{foreign}, which is not its own: ignored"));
    assert_eq!(world.states("web"), "container#1 up, container#2 down, fs#1 down, ip#1 down, ip#2 down");
    assert_eq!(network.links(&foreign), ["lo"]);
    // The site must state that it trusts the driver with these namespaces.
    world.om("web set --kw container#1.claims=/proc/self/ns/net").ok();
    world.om("web start --rid ip#1").ends(1);
    world.om("web stop").ok();
    world.om("web delete --confirm").ok();
}

fn an_address_is_plugged_into_one_namespace_alone(world: &World) {
    let mut network = Network::new(world);
    let (blue, red, address) = (network.namespace("blue"), network.namespace("red"), network.address(9));
    for (object, netns) in [("web", &blue), ("shop", &red)] {
        let ip = format!(
            "[ip#1]\ntype = netns\nname = {address}\nnetmask = 24\ndev = {}\nnetns = {netns}\n",
            network.bridge
        );
        world.create(object, &format!("[DEFAULT]\nnodes = n1\n{ip}"));
    }
    world.om("web start").ok();
    let mac = ip(&format!("-n {blue} -br link show eth0")).split_whitespace().nth(2).unwrap().to_owned();
    let refused = world.om("shop start").ends(1);
    refused.says(&format!("another host has {address} on {}, the one with the hardware address {mac}", network.bridge));
    assert_eq!((network.links(&red), network.ports()), (vec!["lo".to_owned()], 1));
    world.om("web stop").ok();
    world.om("shop start").ok();
    assert_eq!((network.links(&blue), network.ports()), (vec!["lo".to_owned()], 1));
    world.om("shop stop").ok();
}
