//! Cases of ip.netns.

use hostler_sdk::fake::{self, Case, given, stop_undoes_any_failed_start};

use super::*;

const CONTAINER: &str = "container#1";

fn ip() -> NamespaceAddress {
    NamespaceAddress {
        inet: InetAddress { name: "10.0.0.34".to_owned(), netmask: Some("255.255.255.0".to_owned()) },
        dev: "br0".to_owned(),
        netns: CONTAINER.to_owned(),
        mode: "bridge".to_owned(),
        nsdev: None,
        macaddr: None,
        gateway: Some("10.0.0.1".to_owned()),
        network: None,
        del_net_route: false,
        check_carrier: true,
    }
}

fn node() -> fake::Host {
    fake::Host::new().bridge("br0").namespace(CONTAINER)
}

fn joined(context: Context) -> Context {
    context
        .with("joined.rid", CONTAINER)
        .with("joined.netns", "/run/docker/netns/4ab2")
        .with("joined.id", "f52d3cb784a9e1d2c3b4")
}

fn on(ip: NamespaceAddress, host: &fake::Host) -> Case<NamespaceAddress> {
    given(ip).with(joined(Context::fake("ip#1"))).on(host)
}

#[test]
fn the_address_comes_with_its_link_and_goes_with_it() {
    let host = node();
    on(ip(), &host)
        .status()
        .is(State::Down)
        .labelled("10.0.0.34@br0@f52d3cb784a9")
        .start()
        .is_changed("eth0 of container#1: plugged into br0, added 10.0.0.34/24, default route via 10.0.0.1, announced")
        .start()
        .is_unchanged("10.0.0.34/24 is already up on eth0 of container#1")
        .status()
        .is(State::Up)
        .labelled("10.0.0.34@br0@f52d3cb784a9");
    let there = ["link eth0 veth", "address 10.0.0.34/24 eth0", "route 10.0.0.0/24 dev eth0"];
    assert_eq!(host.within(CONTAINER)[..3], there);
    on(ip(), &host)
        .stop()
        .is_changed(
            "removed the route to 0.0.0.0/0 by 10.0.0.1 on eth0 in container#1, 10.0.0.34/24 on eth0 in container#1, \
             eth0 (bridge of br0) in container#1",
        )
        .stop()
        .is_unchanged("10.0.0.34 in container#1 is already down")
        .status()
        .is(State::Down);
    assert_eq!(host.within(CONTAINER), [""; 0]);
}

#[test]
fn while_the_container_is_down_the_address_is_down_without_an_error() {
    let host = fake::Host::new().bridge("br0");
    given(ip())
        .on(&host)
        .status()
        .is(State::Down)
        .labelled("10.0.0.34@br0@container#1")
        .stop()
        .is_unchanged("10.0.0.34 in container#1 is already down")
        .start()
        .fails_with("container#1 is not up, or has no network namespace");
}

#[test]
fn a_named_namespace_is_identified_by_its_name() {
    let host = node().namespace("/run/netns/blue");
    let named = |netns: &str| NamespaceAddress { netns: netns.to_owned(), ..ip() };
    given(named("/run/netns/blue")).on(&host).status().labelled("10.0.0.34@br0@blue");
    given(named("red"))
        .on(&host)
        .status()
        .is(State::Down)
        .mentions("there is no network namespace red")
        .labelled("10.0.0.34@br0@red");
    given(named("/proc/42/ns/net")).on(&host).status().labelled("10.0.0.34@br0@/proc/42/ns/net");
}

#[test]
fn an_address_in_use_by_another_host_is_not_taken() {
    for host in [node().neighbour("10.0.0.34"), node().address("br0", "10.0.0.34/24")] {
        on(ip(), &host).start().fails_with("10.0.0.34 on br0");
        assert_eq!(host.within(CONTAINER), [""; 0], "nothing was touched");
    }
    let host = node().neighbour("10.0.0.34");
    let forced = joined(Context::fake("ip#1")).with("force", "true");
    let forced = given(NamespaceAddress { gateway: None, ..ip() }).with(forced).on(&host);
    forced.start().is_changed("eth0 of container#1: plugged into br0, added 10.0.0.34/24, announced");
}

#[test]
fn without_the_route_to_its_network_the_gateway_is_on_the_link() {
    let host = node();
    let cloud = NamespaceAddress { del_net_route: true, ..ip() };
    on(cloud, &host)
        .start()
        .is_changed("eth0 of container#1: plugged into br0, added 10.0.0.34/24, default route via 10.0.0.1, announced")
        .status()
        .is(State::Up);
    let there = ["link eth0 veth", "address 10.0.0.34/24 eth0", "route 0.0.0.0/0 via 10.0.0.1 dev eth0"];
    assert_eq!(host.within(CONTAINER), there);
}

#[test]
fn a_half_done_start_is_finished_by_the_next_one() {
    let unreachable = CapabilityError::Os { errno: errno::ENETUNREACH, doing: "add the route".to_owned() };
    let host = node().failing("netns.add-route", unreachable);
    on(ip(), &host)
        .start()
        .fails_with("add the route")
        .status()
        .is(State::Warn)
        .mentions("there is no default route via 10.0.0.1 in container#1");
    host.heal();
    on(ip(), &host).start().is_changed("eth0 of container#1: default route via 10.0.0.1, announced");
}

#[test]
fn a_dedicated_interface_goes_and_comes_back() {
    let host = fake::Host::new().link("eth7").namespace(CONTAINER);
    let lent = || NamespaceAddress { mode: "dedicated".to_owned(), dev: "eth7".to_owned(), gateway: None, ..ip() };
    on(lent(), &host).start().is_changed("eth0 of container#1: plugged into eth7, added 10.0.0.34/24, announced");
    assert_eq!(host.links(), ["lo"]);
    on(lent(), &host)
        .status()
        .is(State::Up)
        .stop()
        .is_changed("removed 10.0.0.34/24 on eth0 in container#1, eth0 (dedicated of eth7) in container#1");
    assert_eq!(host.links(), ["eth7", "lo"]);
}

#[test]
fn the_neighbours_of_a_macvlan_are_asked_from_inside() {
    let macvlan = || NamespaceAddress { mode: "macvlan".to_owned(), dev: "eth7".to_owned(), gateway: None, ..ip() };
    let host = fake::Host::new().link("eth7").namespace(CONTAINER);
    on(macvlan(), &host)
        .start()
        .is_changed("eth0 of container#1: plugged into eth7, added 10.0.0.34/24, announced")
        .status()
        .is(State::Up);
    assert!(host.calls().contains(&"netns.find-holder container#1 eth0 10.0.0.34".to_owned()));
    let cut = fake::Host::new().link("eth7").without_carrier("eth7").namespace(CONTAINER);
    on(macvlan(), &cut).start().fails_with("eth7 has no carrier");
}

#[test]
fn an_address_of_another_interface_of_the_node_is_not_taken() {
    let host = node().link("eth7").address("eth7", "10.0.0.34/32");
    for (mode, dev) in [("bridge", "br0"), ("macvlan", "br0")] {
        let taken = NamespaceAddress { mode: mode.to_owned(), dev: dev.to_owned(), gateway: None, ..ip() };
        on(taken, &host).start().fails_with("the node itself has 10.0.0.34 on eth7: remove it there");
    }
    assert_eq!(host.within(CONTAINER), [""; 0]);
}

#[test]
fn an_address_that_the_container_brought_itself_is_left_alone_until_it_is_taken_on() {
    let host = node().inner_address(CONTAINER, "net0", "10.0.0.34/16");
    let own = || NamespaceAddress { gateway: None, ..ip() };
    on(own(), &host)
        .status()
        .is(State::Down)
        .mentions("10.0.0.34/16 on net0 is there, but this resource did not add it")
        .start()
        .fails_with("say start --local --adopt to take it on")
        .stop()
        .is_unchanged("10.0.0.34 in container#1 is already down");
    let adopting = given(own()).with(joined(Context::fake("ip#1")).with("adopt", "true")).on(&host);
    let prefix = "10.0.0.34/16 on net0 in container#1 is up, and its prefix should be /24: a restart applies it";
    adopting
        .start()
        .is_unchanged("took on 10.0.0.34/16 on net0 in container#1")
        .status()
        .is(State::Warn)
        .mentions(prefix);
    on(own(), &host).stop().is_changed("removed 10.0.0.34/16 on net0 in container#1").status().is(State::Down);
}

#[test]
fn what_start_added_is_removed_whatever_the_keywords_say_by_then() {
    let host = node().namespace("/run/netns/blue").bridge("br1");
    on(NamespaceAddress { gateway: None, ..ip() }, &host).start();
    let edited =
        || NamespaceAddress { netns: "/run/netns/blue".to_owned(), dev: "br1".to_owned(), gateway: None, ..ip() };
    let now = "10.0.0.34/24 on eth0 in container#1 is up, and netns is /run/netns/blue now: a restart applies it";
    on(edited(), &host).status().is(State::Warn).mentions(now).stop();
    assert_eq!(host.within(CONTAINER), [""; 0]);
}

#[test]
fn an_interface_that_does_not_fit_the_mode_is_refused_before_anything_is_asked() {
    let veth = fake::Host::new().link("br0").namespace(CONTAINER);
    on(ip(), &veth)
        .start()
        .fails_with("br0 is not a bridge but a device: with mode = bridge, dev is a bridge of the node");
    let port = node().link("eth7").link_attribute("eth7", "controller", "br0");
    let macvlan = NamespaceAddress { mode: "macvlan".to_owned(), dev: "eth7".to_owned(), ..ip() };
    on(macvlan, &port).start().fails_with("eth7 is a part of br0, so it can have no macvlan: write dev = br0");
    let v6 = NamespaceAddress {
        inet: InetAddress { name: "fd00::34".to_owned(), netmask: Some("64".to_owned()) },
        gateway: None,
        ..ip()
    };
    let off = node().without_ipv6_in(CONTAINER);
    on(v6, &off).start().fails_with("IPv6 is switched off in container#1");
    for host in [veth, port, off] {
        assert!(!host.calls().iter().any(|call| call.contains("find-holder")), "asked in vain");
        assert_eq!(host.within(CONTAINER), [""; 0]);
    }
}

#[test]
fn stop_undoes_a_start_that_failed_half_way() {
    stop_undoes_any_failed_start(|| on(ip(), &node()));
}

#[test]
fn incompatible_keywords_are_reported() {
    let check =
        |ip: NamespaceAddress, keyword: &str, text: &str| drop(on(ip, &node()).validate().finds(&[(keyword, text)]));
    let gateway = |gateway: &str| NamespaceAddress { gateway: Some(gateway.to_owned()), ..ip() };
    check(gateway("router"), "gateway", "router is not an address");
    check(gateway("fd00::1"), "gateway", "fd00::1 cannot be the router of 10.0.0.34");
    let outside = "10.0.0.34 is not in 10.0.1.0, with the netmask 255.255.255.0";
    check(NamespaceAddress { network: Some("10.0.1.0".to_owned()), ..ip() }, "network", outside);
    let bad_name = "a:b is not a name for a link: expected at most 15 characters";
    check(NamespaceAddress { nsdev: Some("a:b".to_owned()), ..ip() }, "nsdev", bad_name);
    let mac = |mode: &str, mac: &str| NamespaceAddress { mode: mode.to_owned(), macaddr: Some(mac.to_owned()), ..ip() };
    check(mac("bridge", "02:00"), "macaddr", "02:00 is not a hardware address such as 02:00:0a:00:00:09");
    check(mac("dedicated", "02:00:0a:00:00:09"), "macaddr", "a dedicated interface keeps its hardware address");
    on(NamespaceAddress { network: Some("10.0.0.0".to_owned()), ..ip() }, &node()).validate().finds(&[]);
}
