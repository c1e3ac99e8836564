//! Network namespaces: which of them a driver may look into, plug links into, and put addresses and routes into.

use hostler_grant::op::*;
use hostler_grant::{
    Access, GrantContext, GrantKeyword, GrantRequest, Grants, NetnsReference, NoDeviceLedger, Operation, Policy,
};

/// The requests of ip.netns, and some of ip.route.
const REQUESTS: [&str; 5] = [
    "netns.link = {kw:mode} {kw:dev} in {kw:netns}",
    "netns.addr = {kw:name} in {kw:netns}",
    "netns.route = default via {kw:gateway} in {kw:netns}",
    "net.addr(read) = {kw:name} on {kw:dev}",
    "netns.route = {kw:destination} dev eth0 in {kw:netns}",
];

const NOT_ASKED: &str = "the driver did not ask for it";
const NAMESPACE: &str = "the policy of the namespace does not allow it";

fn grants(netns: &str, policy: Option<&str>) -> Result<Grants, String> {
    let requests: Vec<GrantRequest> = REQUESTS.iter().map(|line| line.parse().unwrap()).collect();
    let values = [
        ("mode", "bridge"),
        ("dev", "br0"),
        ("netns", netns),
        ("name", "10.0.0.9"),
        ("gateway", "10.0.0.1"),
        ("destination", "10.1.0.0/16"),
    ];
    let values = values.map(|(name, value)| (name, [value.to_owned()]));
    let keywords: Vec<GrantKeyword<'_>> =
        values.iter().map(|(name, values)| GrantKeyword::written(name, values)).collect();
    let context = GrantContext {
        object: "web".parse().unwrap(),
        rid: "ip#1".parse().unwrap(),
        node: "n1".parse().unwrap(),
        rundir: "/run/web".into(),
        statedir: "/var/web".into(),
        config: "/etc/web.conf".into(),
        peers: Vec::new(),
    };
    let namespace = policy.map_or(Policy::everything(), |text| Policy::parse(text).unwrap());
    Grants::bind(&requests, &context, &keywords, &NoDeviceLedger, &Policy::everything(), &namespace)
        .map_err(|error| error.to_string())
}

#[track_caller]
fn check(grants: &Grants, op: impl Operation, expected: &str) {
    let judged = match grants.permit(op, Access::Mutate) {
        Ok(permit) => permit.line(),
        Err(denied) => format!("no: {denied}"),
    };
    assert_eq!(judged, expected);
}

fn see(netns: &str) -> SeeNetns {
    SeeNetns { netns: netns.to_owned() }
}

fn plug(mode: &str, dev: &str, netns: &str) -> PlugNetns {
    PlugNetns { mode: mode.to_owned(), dev: dev.to_owned(), netns: netns.to_owned() }
}

fn unplug(mode: &str, dev: &str, netns: &str) -> UnplugNetns {
    UnplugNetns { mode: mode.to_owned(), dev: dev.to_owned(), netns: netns.to_owned() }
}

fn address(cidr: &str, netns: &str) -> ChangeNetnsAddress {
    ChangeNetnsAddress { address: cidr.parse().unwrap(), netns: netns.to_owned() }
}

fn route(destination: &str, gateway: &str, netns: &str) -> ChangeNetnsRoute {
    let gateway = Some(gateway.parse().unwrap());
    let route = ChangeRoute { destination: destination.to_owned(), gateway, dev: Some("eth0".to_owned()) };
    ChangeNetnsRoute { route, netns: netns.to_owned() }
}

#[test]
fn one_namespace_one_interface_one_address() {
    let own = "container#1";
    let grants = grants(own, None).unwrap();
    let link = "netns.link = bridge br0 in container#1";
    check(&grants, see(own), link);
    check(&grants, plug("bridge", "br0", own), link);
    check(&grants, unplug("bridge", "br0", own), link);
    check(&grants, unplug("dedicated", "eth0", own), &format!("no: netns.link = dedicated eth0 in {own}: {NOT_ASKED}"));
    check(&grants, address("10.0.0.9/24", own), "netns.addr = 10.0.0.9 in container#1");
    let announce = AnnounceNetnsAddress { address: "10.0.0.9".parse().unwrap(), netns: own.to_owned() };
    check(&grants, announce, "netns.addr = 10.0.0.9 in container#1");
    check(&grants, route("default", "10.0.0.1", own), "netns.route = default via 10.0.0.1 in container#1");
    let line = "netns.route = 10.1.0.0/16 dev eth0 in container#1";
    check(&grants, route("10.1.0.0/16", "10.0.0.9", own), line);
    for other in ["container#2", "/proc/1/ns/net", "/run/netns/container#1"] {
        check(&grants, see(other), &format!("no: netns = {other}: {NOT_ASKED}"));
        check(&grants, plug("bridge", "br0", other), &format!("no: netns.link = bridge br0 in {other}: {NOT_ASKED}"));
        check(&grants, unplug("bridge", "br0", other), &format!("no: netns.link = bridge br0 in {other}: {NOT_ASKED}"));
        check(&grants, address("10.0.0.9/24", other), &format!("no: netns.addr = 10.0.0.9/24 in {other}: {NOT_ASKED}"));
    }
    check(&grants, plug("dedicated", "br0", own), &format!("no: netns.link = dedicated br0 in {own}: {NOT_ASKED}"));
    check(&grants, plug("bridge", "eth0", own), &format!("no: netns.link = bridge eth0 in {own}: {NOT_ASKED}"));
    check(&grants, address("10.0.0.8/24", own), &format!("no: netns.addr = 10.0.0.8/24 in {own}: {NOT_ASKED}"));
    let elsewhere = route("10.0.0.0/8", "10.0.0.1", own);
    check(&grants, elsewhere, &format!("no: netns.route = 10.0.0.0/8 via 10.0.0.1 dev eth0 in {own}: {NOT_ASKED}"));
}

#[test]
fn an_address_may_be_asked_for_on_the_node_and_not_added() {
    let grants = grants("container#1", None).unwrap();
    let line = "net.addr(read) = 10.0.0.9 on br0";
    check(&grants, ProbeAddress { dev: "br0".to_owned(), address: "10.0.0.9".parse().unwrap() }, line);
    check(&grants, SeeLink { dev: "br0".to_owned() }, line);
    let add = ChangeAddress { dev: "br0".to_owned(), address: "10.0.0.9/24".parse().unwrap() };
    check(&grants, add, &format!("no: net.addr = 10.0.0.9/24 on br0: {NOT_ASKED}"));
}

#[test]
fn a_name_is_a_path_and_a_path_is_itself() {
    let spelled =
        |text: &str| text.parse::<NetnsReference>().map(|netns| netns.to_string()).map_err(|error| error.to_string());
    for (text, expected) in [
        ("blue", "/run/netns/blue"),
        ("/run/docker/netns/4ab2", "/run/docker/netns/4ab2"),
        ("/proc/42/ns/net", "/proc/42/ns/net"),
        ("container#1", "container#1"),
    ] {
        assert_eq!(spelled(text).as_deref(), Ok(expected));
        check(&grants(text, None).unwrap(), see(expected), &format!("netns.link = bridge br0 in {expected}"));
    }
    for bad in ["", "..", "a/b", "/run/../proc/1/ns/net", "/", "fs#", "no#group"] {
        assert!(spelled(bad).is_err(), "{bad:?}");
        assert!(grants(bad, None).is_err(), "{bad:?}");
    }
    // A value is text: no star in it is a pattern.
    check(&grants("*", None).unwrap(), see("/run/netns/blue"), &format!("no: netns = /run/netns/blue: {NOT_ASKED}"));
}

#[test]
fn policies_say_which_bridges_reach_which_namespaces() {
    let policy = "allow netns.link = bridge br-* in container#*\nallow netns.link = bridge br0 in blue*\n\
                  allow netns.addr = 10.0.0.0/8 in *\ndeny netns.addr = 10.0.9.0/24 in *\ndeny netns = /proc/**";
    let judged = |netns: &str| grants(netns, Some(policy)).unwrap();
    check(&judged("blue1"), plug("bridge", "br0", "/run/netns/blue1"), "netns.link = bridge br0 in /run/netns/blue1");
    check(&judged("blue1"), address("10.0.0.9/24", "/run/netns/blue1"), "netns.addr = 10.0.0.9 in /run/netns/blue1");
    check(&judged("container#1"), unplug("bridge", "br0", "container#1"), "netns.link = bridge br0 in container#1");
    let refused = "no: netns.link = bridge br0 in container#1: ";
    check(&judged("container#1"), plug("bridge", "br0", "container#1"), &format!("{refused}{NAMESPACE}"));
    let proc = "/proc/42/ns/net";
    check(&judged(proc), see(proc), &format!("no: netns = {proc}: {NAMESPACE}"));
    check(&judged(proc), address("10.0.0.9/24", proc), &format!("no: netns.addr = 10.0.0.9/24 in {proc}: {NAMESPACE}"));
}
