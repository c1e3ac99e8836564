//! Addresses on the real kernel: what stands in their way, what the kernel does besides, and what changes behind the agent.

use crate::node::Node;
use crate::world::{World, until};

crate::trials!(
    the_other_addresses_of_a_network_stay_when_one_is_removed,
    an_address_with_another_prefix_is_not_the_resources,
    a_link_local_address_is_on_several_interfaces,
    an_address_that_another_host_has_is_not_up,
    an_interface_without_ipv6_is_named_before_anybody_is_asked,
    an_interface_is_called_by_each_of_its_names,
    an_interface_that_is_down_is_set_up,
    the_address_that_start_added_is_removed_whatever_its_name_resolves_to,
    an_interface_that_was_renamed_is_called_as_it_is_now,
    an_address_that_was_moved_to_another_interface_is_named,
    an_address_of_another_object_is_not_taken,
    a_bridge_is_asked_for_before_the_neighbours_are,
    what_is_lost_with_the_link_is_added_again_and_nothing_else,
    whatever_happens_in_between_a_stop_leaves_nothing_of_the_resource_and_takes_nothing_else,
);

fn host(rid: &str, name: &str, netmask: &str, dev: &str) -> String {
    format!("[ip#{rid}] | type = host | name = {name} | netmask = {netmask} | dev = {dev}\n")
}

fn the_other_addresses_of_a_network_stay_when_one_is_removed(world: &World) {
    let node = Node::new(world);
    node.set("ipv4/conf/all/promote_secondaries", "0");
    node.set("ipv4/conf/d0/promote_secondaries", "0");
    // Within an object, with a route of it.
    let route = "[ip#3] | type = route | destination = 10.77.0.0/16 | gateway = 10.9.0.1";
    node.create("a1", &(host("1", "10.9.0.11", "24", "d0") + &host("2", "10.9.0.12", "24", "d0") + route));
    node.om("a1 start").ok();
    node.om("a1 stop --rid ip#1").ok();
    assert_eq!(node.addresses("d0"), ["10.9.0.12/24"]);
    assert!(node.ip("route").contains("10.77.0.0/16 via 10.9.0.1"));
    node.is("a1", "ip#3", "up", "");
    // Of another object, and of the node itself.
    node.create("a2", &host("1", "10.9.0.13", "24", "d0"));
    node.om("a2 start").ok();
    node.ip("addr add 10.9.0.5/24 dev d0");
    node.ip("route add 10.78.0.0/16 via 10.9.0.1 src 10.9.0.5");
    node.om("a1 stop").ok();
    node.is("a2", "ip#1", "up", "");
    assert_eq!(node.addresses("d0"), ["10.9.0.13/24", "10.9.0.5/24"]);
    node.om("a2 stop").ok();
    assert_eq!(node.addresses("d0"), ["10.9.0.5/24"]);
    assert!(node.ip("route").contains("10.78.0.0/16 via 10.9.0.1"));
    // With the last address the kernel removes the routes of the link: what cannot be put back is told.
    node.ip("addr del 10.9.0.5/24 dev d0");
    node.om("a2 start").ok();
    node.ip("route add 10.79.0.0/16 via 10.9.0.1");
    node.ip("route add 10.80.0.0/16 dev d0");
    node.om("a2 stop").ok().says("the kernel removed the route 10.79.0.0/16 via 10.9.0.1 dev d0 proto boot");
    assert!(node.ip("route").contains("10.80.0.0/16 dev d0"));
}

fn an_address_with_another_prefix_is_not_the_resources(world: &World) {
    let node = Node::new(world);
    node.ip("addr add 10.0.0.96/24 dev eth0");
    node.create("a3", &host("1", "10.0.0.96", "32", "eth0"));
    node.is("a3", "ip#1", "down", "10.0.0.96/24 on eth0 is there, but this resource did not add it");
    node.om("a3 start").ends(1).says("start --local --adopt");
    node.om("a3 stop").ok();
    assert_eq!(node.addresses("eth0"), ["10.0.0.96/24"]);
    // Its own one is removed, and the other stays.
    node.ip("addr del 10.0.0.96/24 dev eth0");
    node.om("a3 start").ok();
    node.ip("addr add 10.0.0.96/24 dev eth0");
    node.is("a3", "ip#1", "up", "10.0.0.96/32");
    node.om("a3 stop").ok();
    assert_eq!(node.addresses("eth0"), ["10.0.0.96/24"]);
    // Taken on, it is the resource's, with a warning.
    node.om("a3 start --local --adopt").ok().says("took on 10.0.0.96/24 on eth0");
    node.is("a3", "ip#1", "warn", "its prefix should be /32");
    node.om("a3 stop").ok();
    assert!(node.addresses("eth0").is_empty());
}

fn a_link_local_address_is_on_several_interfaces(world: &World) {
    let node = Node::new(world);
    node.create("a4", &(host("1", "fe80::1", "64", "eth0") + &host("2", "fe80::1", "64", "d0")));
    node.om("a4 start").ok();
    for dev in ["eth0", "d0"] {
        assert!(node.ip(&format!("addr show dev {dev}")).contains("fe80::1/64"));
    }
    node.om("a4 stop").ok();
    // On one link it is a conflict as any other.
    node.behind("addr add fe80::1/64 dev p1 nodad");
    node.om("a4 start").ends(1).says("another host has fe80::1 on d0");
    assert!(!node.ip("addr show").contains("fe80::1/64"));
}

fn an_address_that_another_host_has_is_not_up(world: &World) {
    let node = Node::new(world);
    node.behind("addr add fd00::50/64 dev p0 nodad");
    node.ip("addr add fd00::50/64 dev eth0");
    node.create("a11", &host("1", "fd00::50", "64", "eth0"));
    until("the kernel has found the other host", || node.ip("addr show dev eth0").contains("dadfailed"));
    node.is("a11", "ip#1", "down", "another host has fd00::50/64, too");
    node.om("a11 start --local --adopt").says("took on");
    node.is("a11", "ip#1", "warn", "another host has fd00::50/64, too");
    node.om("a11 stop").ok();
    assert!(node.addresses("eth0").is_empty());
}

fn an_interface_without_ipv6_is_named_before_anybody_is_asked(world: &World) {
    let node = Node::new(world);
    node.set("ipv6/conf/d0/disable_ipv6", "1");
    node.create("a13", &host("1", "fd09::50", "64", "d0"));
    let refused = node.om("a13 start").ends(1);
    refused.says("set the sysctl net.ipv6.conf.d0.disable_ipv6 to 0").does_not_say("is free on");
    node.om("a13 stop").ok();
}

fn an_interface_is_called_by_each_of_its_names(world: &World) {
    let node = Node::new(world);
    node.ip("link property add dev eth0 altname wan0longinterfacename");
    let route = "[ip#2] | type = route | destination = 10.77.0.0/16 | dev = wan0longinterfacename";
    node.create("a7", &(host("1", "10.0.0.9", "24", "wan0longinterfacename") + route));
    node.om("a7 start").ok();
    assert_eq!(node.addresses("eth0"), ["10.0.0.9/24"]);
    node.is("a7", "ip#1", "up", "");
    node.is("a7", "ip#2", "up", "");
    node.om("a7 start").ok();
    node.om("a7 stop").ok();
    assert!(node.addresses("eth0").is_empty());
    // A label is not an interface.
    let file = world.write(
        "x10.conf",
        &format!("[DEFAULT]\nnodes = n1\n{}", host("1", "10.0.0.9", "24", "eth0:1").replace(" | ", "\n")),
    );
    node.om(&format!("x10 create --config {}", file.display())).says("write eth0");
}

fn an_interface_that_is_down_is_set_up(world: &World) {
    let node = Node::new(world);
    node.ip("link set d0 down");
    node.create("w18", &host("1", "10.9.0.18", "24", "d0"));
    node.om("w18 start").ok().says("d0 was down: set it up");
    node.is("w18", "ip#1", "up", "");
    node.ip("link set d0 down");
    node.is("w18", "ip#1", "warn", "d0 is down");
    node.om("w18 stop").ok();
    // Without a carrier there is nobody to talk to.
    node.behind("link set p1 down");
    node.om("w18 start").ends(1).says("d0 has no carrier");
    assert!(node.addresses("d0").is_empty());
}

fn the_address_that_start_added_is_removed_whatever_its_name_resolves_to(world: &World) {
    let node = Node::new(world);
    node.create("p1b", &host("1", "10.0.0.91", "24", "eth0"));
    node.om("p1b start").ok();
    node.om("p1b set --kw ip#1.name=10.0.0.92").ok();
    node.is("p1b", "ip#1", "warn", "10.0.0.91/24 on eth0 is up, and name is 10.0.0.92 now: a restart applies it");
    node.om("p1b stop").ok().says("removed 10.0.0.91/24 on eth0");
    assert!(node.addresses("eth0").is_empty());
    // A name that resolves elsewhere, and one that does not resolve any more.
    node.create("a9", &host("1", "web.example", "24", "eth0"));
    for later in ["10.0.0.78 web.example\n", "\n"] {
        node.om_where("10.0.0.77 web.example\n", "a9 start").ok();
        assert_eq!(node.addresses("eth0"), ["10.0.0.77/24"]);
        node.om_where(later, "a9 start").ok().says("10.0.0.77/24 on eth0 is already up");
        node.om_where(later, "a9 print status --refresh").ok().says("10.0.0.77/24@eth0");
        node.om_where(later, "a9 stop").ok().says("removed 10.0.0.77/24 on eth0");
        assert!(node.addresses("eth0").is_empty());
        node.om_where(later, "a9 stop").ok();
    }
}

fn an_interface_that_was_renamed_is_called_as_it_is_now(world: &World) {
    let node = Node::new(world);
    let route = "[ip#2] | type = route | destination = 10.77.0.0/16 | dev = eth0";
    node.create("m1", &(host("1", "10.0.0.31", "24", "eth0") + route));
    node.om("m1 start").ok();
    let rename = |from: &str, to: &str| {
        // The kernel removes the routes of an interface that is set down.
        node.ip(&format!("link set {from} name {to}"));
    };
    rename("eth0", "ethx");
    rename("d0", "eth0");
    node.ip("addr add 10.0.0.31/24 dev eth0");
    let words =
        "on ethx is up: its interface was called eth0 at the start, and was renamed since: a restart applies dev";
    node.is("m1", "ip#1", "warn", &format!("10.0.0.31/24 {words}"));
    node.is("m1", "ip#2", "warn", &format!("the route to 10.77.0.0/16 {words}"));
    let stopped = node.om("m1 stop").ok();
    stopped.says("removed 10.0.0.31/24 on ethx").says("removed the route to 10.77.0.0/16 on ethx");
    assert_eq!((node.addresses("ethx"), node.addresses("eth0")), (Vec::new(), vec!["10.0.0.31/24".to_owned()]));
}

fn an_address_that_was_moved_to_another_interface_is_named(world: &World) {
    let node = Node::new(world);
    node.create("d1", &host("1", "10.0.0.51", "24", "eth0"));
    node.om("d1 start").ok();
    node.ip("addr del 10.0.0.51/24 dev eth0");
    node.ip("addr add 10.0.0.51/24 dev d0");
    let words = "the node itself has 10.0.0.51, on d0: this resource did not add it there";
    node.is("d1", "ip#1", "down", words);
    node.om("d1 stop").ok();
    assert_eq!(node.addresses("d0"), ["10.0.0.51/24"]);
    node.ip("addr del 10.0.0.51/24 dev d0");
    let ran = node.om("d1 print status --refresh").ok();
    ran.does_not_say("the node itself has");
}

fn an_address_of_another_object_is_not_taken(world: &World) {
    let node = Node::new(world);
    for object in ["one", "two"] {
        node.create(object, &host("1", "10.0.0.60", "24", "eth0"));
    }
    node.om("one start").ok();
    let refused = "10.0.0.60/24 on eth0 is held by ip#1 of one: stop that one first";
    node.om("two start").ends(1).says(refused);
    node.om("two start --local --adopt").ends(1).says(refused);
    node.om("two stop").ok();
    node.is("one", "ip#1", "up", "");
    node.is("two", "ip#1", "down", "it is held by ip#1 of one, so that no other resource can take it on");
    // The same on another interface.
    node.om("two set --kw ip#1.dev=d0").ok();
    node.om("two start")
        .ends(1)
        .says("10.0.0.60/24 on eth0 is held by ip#1 of one")
        .says("the node itself has 10.0.0.60");
    node.om("two set --kw ip#1.dev=eth0").ok();
    node.om("one stop").ok();
    node.om("two start").ok();
    node.om("two stop").ok();
}

fn a_bridge_is_asked_for_before_the_neighbours_are(world: &World) {
    let node = Node::new(world);
    let blue = node.inner("blue");
    node.create(
        "n4",
        &format!("[ip#1] | type = netns | name = 10.9.0.34 | netmask = 24 | dev = d0 | netns = {}", blue.0),
    );
    node.om("n4 start").ends(1).says("d0 is not a bridge but a veth").does_not_say("is free on");
    node.ip("link add br0 type bridge");
    node.ip("link set br0 up");
    node.ip("link set d0 master br0");
    node.om("n4 set --kw ip#1.mode=macvlan").ok();
    node.om("n4 start").ends(1).says("d0 is a part of br0, so it can have no macvlan: write dev = br0");
    node.om("n4 set --kw ip#1.mode=bridge --kw ip#1.dev=br0").ok();
    node.om("n4 start").ok();
    node.is("n4", "ip#1", "up", "");
    // Its link has another name by now, which an operator who named it is warned of.
    let inside = |line: &str| crate::network::ip(&format!("-n {} {line}", blue.0));
    for line in ["link set eth0 down", "link set eth0 name foo", "link set foo up"] {
        inside(line);
    }
    crate::world::until("the link has a carrier", || inside("link show foo").contains("LOWER_UP"));
    node.is("n4", "ip#1", "up", "the link eth0 was renamed to foo since the start");
    node.om("n4 set --kw ip#1.nsdev=eth0").ok();
    node.is("n4", "ip#1", "warn", &format!("10.9.0.34/24 on foo in /run/netns/{} is up, and nsdev is eth0", blue.0));
    // Also from the namespace that the keywords do not name any more.
    let red = node.inner("red");
    node.om(&format!("n4 set --kw ip#1.netns={}", red.0)).ok();
    node.is("n4", "ip#1", "warn", "a restart applies it");
    node.om("n4 stop").ok();
    assert!(!node.ip("link").contains("hl"), "the end on the node was left");
}

fn what_is_lost_with_the_link_is_added_again_and_nothing_else(world: &World) {
    let node = Node::new(world);
    let route = "[ip#3] | type = route | destination = fd77::/32 | gateway = fd00::1";
    node.create("a8", &(host("1", "10.0.0.8", "24", "eth0") + &host("2", "fd00::8", "64", "eth0") + route));
    node.om("a8 start").ok();
    // An address of IPv6 and a route go with the link, and do not come back with it.
    node.ip("link set eth0 down");
    node.ip("link set eth0 up");
    node.is("a8", "ip#1", "up", "");
    node.is("a8", "ip#2", "down", "");
    node.is("a8", "ip#3", "down", "");
    let again = node.om("a8 start").ok();
    again.says("added fd00::8/64").says("added fd77::/32").does_not_say("added 10.0.0.8");
    // A route without a carrier leads nowhere.
    node.behind("link set p0 down");
    until("the carrier is gone", || node.ip("-6 route").contains("linkdown"));
    node.is("a8", "ip#3", "warn", "eth0 has no carrier");
    node.om("a8 stop").ok();
    assert!(node.addresses("eth0").is_empty());
}

/// The property behind the cases: for any sequence of changes from outside between start and stop.
fn whatever_happens_in_between_a_stop_leaves_nothing_of_the_resource_and_takes_nothing_else(world: &World) {
    let node = Node::new(world);
    let route = "[ip#3] | type = route | destination = 10.77.0.0/16 | gateway = 10.9.0.1";
    node.create("any", &(host("1", "10.9.0.21", "24", "d0") + &host("2", "10.9.0.22", "24", "d0") + route));
    // The link may have another name by then.
    let dev = || if node.ip("-br link").contains("d1@") { "d1" } else { "d0" };
    let changes: [&dyn Fn(); 8] = [
        &|| drop(node.ip(&format!("addr replace 10.9.0.5/24 dev {}", dev()))),
        &|| drop(node.ip(&format!("addr replace 10.9.0.21/32 dev {}", dev()))),
        &|| drop(node.ip("route replace 10.77.0.0/16 via 10.9.0.1 metric 50")),
        &|| drop(node.om("any set --kw ip#1.name=10.9.0.31")),
        &|| drop(node.om("any set --kw ip#2.dev=eth0")),
        &|| drop(node.om("any set --kw ip#3.gateway=10.9.0.2")),
        &|| drop(node.ip(&format!("link set {} name d1", dev()))),
        &|| drop(node.om("any start")),
    ];
    // A number from the time, printed if it fails.
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() as usize;
    for round in 0..4 {
        node.om("any set --kw ip#1.name=10.9.0.21 --kw ip#2.dev=d0 --kw ip#3.gateway=10.9.0.1").ok();
        node.om("any start").ok();
        let picked = (0..4).map(|at| (seed >> (3 * at)) + round * 3 + at).map(|number| number % changes.len());
        let picked: Vec<usize> = picked.collect();
        picked.iter().for_each(|&number| changes[number]());
        node.om("any stop").ok();
        let left = node.addresses(dev());
        let told = format!("seed {seed}, round {round}, changes {picked:?}: {left:?}\n{}", node.ip("route"));
        for own in ["10.9.0.21/24", "10.9.0.22/24", "10.9.0.31/24"] {
            assert!(!left.iter().any(|cidr| cidr == own), "{told}");
        }
        assert!(!picked.contains(&0) || left.iter().any(|cidr| cidr == "10.9.0.5/24"), "{told}");
        assert!(!picked.contains(&1) || left.iter().any(|cidr| cidr == "10.9.0.21/32"), "{told}");
        let route = node.ip("route show 10.77.0.0/16");
        assert!(!route.contains("proto static"), "{told}");
        node.ip(&format!("link set {} name d0", dev()));
        node.ip("addr flush dev d0 scope global");
    }
}
