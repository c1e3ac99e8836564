//! Routes on the real kernel: both families, and the routes of others.

use crate::node::Node;
use crate::world::World;

crate::trials!(
    the_default_routes_of_both_families_are_two,
    a_default_route_of_a_namespace_keeps_its_family,
    a_route_of_dhcp_or_by_hand_is_left_alone_until_it_is_taken_on,
    a_route_of_another_object_is_not_taken,
    what_is_in_the_way_of_a_route_is_named,
    a_route_is_removed_as_it_was_added,
);

fn route(more: &str) -> String {
    format!("[ip#1] | type = route | {more}")
}

fn the_default_routes_of_both_families_are_two(world: &World) {
    let node = Node::new(world);
    node.create("a5", &route("destination = ::/0 | dev = d0"));
    node.om("a5 start").ok();
    assert_eq!(node.ip("-4 route show default"), "");
    assert!(node.ip("-6 route show default").contains("default dev d0"));
    node.is("a5", "ip#1", "up", "");
    node.om("a5 stop").ok();
    assert_eq!(node.ip("-6 route show default"), "");
    // With a default route of IPv4 that is the node's.
    node.ip("route add default dev d0 proto static");
    node.is("a5", "ip#1", "down", "");
    node.om("a5 start").ok();
    node.om("a5 stop").ok();
    assert!(node.ip("-4 route show default").contains("default dev d0"));
    node.ip("route del default dev d0");
    // Without a gateway, `default` is of IPv4.
    node.create("plain", &route("destination = default | dev = d0"));
    node.om("plain start").ok();
    assert!(node.ip("-4 route show default").contains("default dev d0"));
    assert_eq!(node.ip("-6 route show default"), "");
    node.om("plain stop").ok();
    node.create("by6", &route("destination = default | gateway = fe80::1 | dev = d0"));
    node.om("by6 start").ok();
    assert!(node.ip("-6 route show default").contains("via fe80::1 dev d0"));
    node.om("by6 stop").ok();
}

fn a_default_route_of_a_namespace_keeps_its_family(world: &World) {
    let node = Node::new(world);
    let blue = node.inner("blue");
    crate::network::ip(&format!("-n {} link add x0 type veth peer name x1", blue.0));
    crate::network::ip(&format!("-n {} link set x0 up", blue.0));
    crate::network::ip(&format!("-n {} link set x1 up", blue.0));
    node.create("a5d", &route(&format!("destination = ::/0 | dev = x0 | netns = {}", blue.0)));
    node.om("a5d start").ok();
    let inside = |line: &str| crate::network::ip(&format!("-n {} {line}", blue.0));
    assert_eq!(inside("-4 route show default"), "");
    assert!(inside("-6 route show default").contains("default dev x0"));
    node.is("a5d", "ip#1", "up", "");
    node.om("a5d stop").ok();
    assert_eq!(inside("-6 route show default"), "");
}

fn a_route_of_dhcp_or_by_hand_is_left_alone_until_it_is_taken_on(world: &World) {
    let node = Node::new(world);
    node.ip("addr add 10.0.0.2/24 dev eth0");
    for (destination, added, told) in [
        ("default", "default via 10.0.0.1 dev eth0 proto dhcp metric 100", "proto dhcp metric 100"),
        ("10.99.0.0/16", "10.99.0.0/16 via 10.0.0.1", "proto boot"),
    ] {
        node.ip(&format!("route add {added}"));
        node.create("a10", &route(&format!("destination = {destination} | gateway = 10.0.0.1")));
        node.is("a10", "ip#1", "down", told);
        node.om("a10 start").ends(1).says("say start --local --adopt to take it on");
        node.om("a10 stop").ok();
        node.om("a10 stop --force").ok();
        assert!(node.ip(&format!("route show {destination}")).contains("via 10.0.0.1"));
        node.om("a10 start --local --adopt").ok().says("took on");
        node.is("a10", "ip#1", "up", "");
        node.om("a10 stop").ok();
        assert_eq!(node.ip(&format!("route show {destination}")), "");
        node.om("a10 delete --confirm").ok();
    }
}

fn a_route_of_another_object_is_not_taken(world: &World) {
    let node = Node::new(world);
    node.ip("addr add 10.0.0.2/24 dev eth0");
    for object in ["one", "two"] {
        node.create(object, &route("destination = default | gateway = 10.0.0.1"));
    }
    node.om("one start").ok();
    node.om("two start").ends(1).says("is held by ip#1 of one: stop that one first");
    node.om("two stop").ok();
    node.is("one", "ip#1", "up", "");
    node.om("one stop").ok();
    node.om("two start").ok();
    node.om("two stop").ok();
    assert_eq!(node.ip("route show default"), "");
}

fn what_is_in_the_way_of_a_route_is_named(world: &World) {
    let node = Node::new(world);
    node.ip("addr add 10.0.0.2/24 dev eth0");
    node.ip("route add 10.77.0.0/16 proto static nexthop via 10.0.0.3 nexthop via 10.0.0.4");
    node.create("a6x", &route("destination = 10.77.0.0/16 | gateway = 10.0.0.3"));
    node.om("a6x start").ends(1).says("there is another one: 10.77.0.0/16 nexthop via 10.0.0.3 nexthop via 10.0.0.4");
    node.om("a6x stop").ok();
    assert!(node.ip("route").contains("nexthop via 10.0.0.3"));
}

fn a_route_is_removed_as_it_was_added(world: &World) {
    let node = Node::new(world);
    node.ip("addr add 10.0.0.2/24 dev eth0");
    node.create("edit", &route("destination = 10.77.0.0/16 | gateway = 10.0.0.1"));
    node.om("edit start").ok();
    // The same by hand, with another metric.
    node.ip("route add 10.77.0.0/16 via 10.0.0.1 proto static metric 50");
    node.om("edit set --kw ip#1.destination=10.78.0.0/16").ok();
    node.is("edit", "ip#1", "warn", "a restart applies it");
    node.om("edit stop").ok();
    assert_eq!(node.ip("route show 10.77.0.0/16").trim(), "10.77.0.0/16 via 10.0.0.1 dev eth0 proto static metric 50");
}
