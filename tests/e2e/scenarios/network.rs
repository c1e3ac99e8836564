//! Interfaces and addresses of a world.

use std::process::Command;

use crate::records::forget_ends;
use crate::world::World;

crate::trials!(
    an_address_in_use_by_another_host_is_not_taken,
    an_address_of_another_interface_is_not_taken,
    an_address_in_use_by_another_host_is_not_plugged,
    an_address_that_was_only_intended_is_known_again_and_a_strangers_is_not,
);

/// Runs ip(8).
#[track_caller]
pub(crate) fn ip(line: &str) -> String {
    let output = Command::new("ip").args(line.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The name of the world's own interface.
pub(crate) fn link(world: &World) -> String {
    format!("e2e{}", world.number())
}

/// The address of the world's service.
pub(crate) fn address(world: &World) -> String {
    format!("10.88.{}.9", world.number())
}

/// Makes an interface for a world, with a cable that ends in the same namespace, and returns its name.
pub(crate) fn add_link(world: &World) -> String {
    let name = link(world);
    ip(&format!("link add {name} type veth peer name {name}p"));
    ip(&format!("link set {name}p up"));
    ip(&format!("link set {name} up"));
    name
}

pub(crate) fn remove_link(world: &World) {
    let _ = Command::new("ip").args(["link", "del", &link(world)]).output();
}

/// The addresses on the world's interface, as `10.88.1.9/24`, without those that the kernel makes.
pub(crate) fn addresses(world: &World) -> Vec<String> {
    let output = Command::new("ip").args(["-o", "-4", "addr", "show", "dev", &link(world)]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_whitespace().nth(3)).map(str::to_owned).collect()
}

/// A neighbour behind a cable, in a network namespace of its own.
struct Neighbour(std::process::Child);

impl Neighbour {
    fn with(world: &World, address: &str) -> Neighbour {
        let near = link(world);
        let far = format!("{near}p");
        ip(&format!("link add {near} type veth peer name {far}"));
        let child = Command::new("unshare").args(["-n", "sleep", "600"]).spawn().unwrap();
        let pid = child.id();
        let neighbour = Neighbour(child);
        let here = std::fs::read_link("/proc/self/ns/net").unwrap();
        crate::world::until("the neighbour has moved out", || {
            std::fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|there| there != here)
        });
        ip(&format!("link set {far} netns {pid}"));
        ip(&format!("link set {near} up"));
        neighbour.run(&format!("ip addr add {address} dev {far}"));
        neighbour.run(&format!("ip link set {far} up"));
        neighbour
    }

    fn run(&self, line: &str) -> String {
        let mut enter = Command::new("nsenter");
        enter.args(["-n", "-t", &self.0.id().to_string()]).args(line.split_whitespace());
        let output = enter.output().unwrap();
        assert!(output.status.success(), "{line}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The hardware address of its end of the cable.
    fn mac(&self) -> String {
        let text = self.run("ip -br link show type veth");
        text.split_whitespace().nth(2).unwrap().to_owned()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn an_address_in_use_by_another_host_is_not_taken(world: &World) {
    let address = address(world);
    let neighbour = Neighbour::with(world, &format!("{address}/24"));
    let dev = link(world);
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[ip#0]\nname = 10.88.{}.8\nnetmask = 24\ndev = {dev}\n\
                          [ip#1]\nname = {address}\nnetmask = 24\ndev = {dev}\n[fs#1]\ntype = flag\n",
        world.number()
    );
    world.create("web", &config);
    let refused = world.om("web start --local").ends(1).says("ip#1").says("rolled back");
    refused
        .says(&format!("another host has {address} on {dev}, the one with the hardware address {}", neighbour.mac()));
    assert!(addresses(world).is_empty(), "not all was rolled back: {:?}", addresses(world));
    world.is("web", "down");
    neighbour.run(&format!("ip addr del {address}/24 dev {dev}p"));
    world.om("web start --local").ok();
    assert_eq!(addresses(world).len(), 2);
    world.om("web stop --local").ok();
    world.om("web delete --confirm").ok();
    drop(neighbour);
}

fn an_address_of_another_interface_is_not_taken(world: &World) {
    let (address, dev, other) = (address(world), add_link(world), format!("e2eo{}", world.number()));
    ip(&format!("link add {other} type bridge"));
    ip(&format!("addr add {address}/32 dev {other}"));
    let config =
        format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[ip#1]\nname = {address}\nnetmask = 24\ndev = {dev}\n");
    world.create("web", &config);
    let refused = world.om("web start --local").ends(1);
    refused.says(&format!("the node itself has {address} on {other}: remove it there")).says("--force to have both");
    assert!(addresses(world).is_empty(), "{:?}", addresses(world));
    world.om("web start --local --force").ok();
    assert_eq!(addresses(world), [format!("{address}/24")]);
    world.om("web stop --local").ok();
    ip(&format!("addr del {address}/32 dev {other}"));
    world.om("web start --local").ok();
    world.om("web stop --local").ok();
    ip(&format!("link del {other}"));
    remove_link(world);
}

/// The same for an address in a namespace, on a macvlan: its neighbours are asked from inside.
fn an_address_in_use_by_another_host_is_not_plugged(world: &World) {
    let (address, dev, name) = (address(world), link(world), format!("e2e{}-mv", world.number()));
    let neighbour = Neighbour::with(world, &format!("{address}/24"));
    ip(&format!("netns add {name}"));
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[ip#1]\ntype = netns\nmode = macvlan\nname = {address}\nnetmask = 24\ndev = {dev}\n\
         netns = {name}\n"
    );
    world.create("web", &config);
    let mac = format!("the one with the hardware address {}", neighbour.mac());
    world.om("web start --local").ends(1).says(&format!("another host has {address} on {dev}, {mac}"));
    assert_eq!(ip(&format!("-n {name} -br link")).lines().count(), 1, "a link was left in the namespace");
    neighbour.run(&format!("ip addr del {address}/24 dev {dev}p"));
    world.om("web start --local").ok();
    assert!(ip(&format!("-n {name} -br addr")).contains(&format!("{address}/24")));
    world.om("web stop --local").ok();
    ip(&format!("netns del {name}"));
    drop(neighbour);
}

fn an_address_that_was_only_intended_is_known_again_and_a_strangers_is_not(world: &World) {
    let (dev, address) = (add_link(world), format!("{}/24", address(world)));
    let (name, netmask) = address.split_once('/').unwrap();
    let config = format!("type = host\nname = {name}\nnetmask = {netmask}\ndev = {dev}\n");
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[ip#1]\n{config}"));
    // Killed after the call.
    world.om("web start").ok();
    forget_ends(world);
    assert_eq!(world.states("web"), "ip#1 up");
    world.om("web stop").ok();
    assert!(addresses(world).is_empty());
    // Killed before it. Another program then adds the same address.
    world.om("web start").ok();
    forget_ends(world);
    ip(&format!("addr del {address} dev {dev}"));
    ip(&format!("addr add {address} dev {dev}"));
    assert_eq!(world.states("web"), "ip#1 down");
    world.om("web start").ends(1).says("--adopt");
    world.om("web stop").ok();
    assert_eq!(addresses(world), [address.as_str()]);
    world.om("web delete --force").ok();
    remove_link(world);
}
