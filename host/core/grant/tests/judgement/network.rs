//! Addresses and routes.

use hostler_grant::Access;
use hostler_grant::op::*;

use crate::case::{Case, NOT_ASKED, address};

#[test]
fn addresses_are_matched_as_addresses_and_names_by_what_they_were_found_to_be() {
    let case = Case {
        requests: &["net.addr = {kw:name} on {kw:dev}"],
        keywords: &[("name", &["10.0.0.9/24"]), ("dev", &["eth0"])],
        ..Case::default()
    };
    let line = "net.addr = 10.0.0.9/24 on eth0";
    case.check(address("10.0.0.9/24", "eth0"), line);
    case.check(SeeLink { dev: "eth0".to_owned() }, line);
    case.check(ProbeAddress { dev: "eth0".to_owned(), address: "10.0.0.9".parse().unwrap() }, line);
    for (net, dev) in
        [("10.0.0.9/0", "eth0"), ("10.0.0.9/16", "eth0"), ("10.0.0.8/24", "eth0"), ("10.0.0.9/24", "eth1")]
    {
        case.check(address(net, dev), &format!("no: net.addr = {net} on {dev}: {NOT_ASKED}"));
    }
    case.check(ChangeLink { dev: "eth0".to_owned() }, &format!("no: net.link = eth0: {NOT_ASKED}"));

    let named = Case { keywords: &[("name", &["web.example.com"]), ("dev", &["eth0"])], ..case };
    let grants = named.bind().unwrap();
    let refused = grants.permit(address("10.0.0.9/24", "eth0"), Access::Mutate);
    assert!(refused.is_err(), "the name was never looked up");
    let resolve = grants.permit(ResolveName { name: "web.example.com".to_owned() }, Access::Read).unwrap();
    grants.learn(&resolve, &["10.0.0.9".parse().unwrap()]);
    assert!(grants.permit(address("10.0.0.9/24", "eth0"), Access::Mutate).is_ok());
    assert!(
        grants.permit(address("10.0.0.9/0", "eth0"), Access::Mutate).is_err(),
        "the whole world is not a neighbour"
    );
    assert!(grants.permit(address("10.0.0.8/24", "eth0"), Access::Mutate).is_err());
}

#[test]
fn routes_are_restricted_by_what_the_line_names() {
    let route = |destination: &str, gateway: Option<&str>, dev: Option<&str>| ChangeRoute {
        destination: destination.to_owned(),
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        dev: dev.map(str::to_owned),
    };
    let case = Case {
        requests: &["net.route = {kw:to} via {kw:gw} dev {kw:dev}"],
        keywords: &[("to", &["10.1.0.0/16"]), ("gw", &["10.0.0.1"]), ("dev", &["eth0"])],
        ..Case::default()
    };
    let line = "net.route = 10.1.0.0/16 via 10.0.0.1 dev eth0";
    case.check(route("10.1.0.0/16", Some("10.0.0.1"), Some("eth0")), line);
    case.check(SeeRoute { destination: "10.1.0.0/16".to_owned() }, line);
    case.check(route("10.1.0.0/16", None, Some("eth0")), &format!("no: net.route = 10.1.0.0/16 dev eth0: {NOT_ASKED}"));
    for destination in ["default", "0.0.0.0/0", "10.0.0.0/8"] {
        let asked = route(destination, Some("10.0.0.1"), Some("eth0"));
        assert!(case.judge(asked).starts_with("no: "), "{destination}");
    }
    let default = Case { keywords: &[("to", &["default"]), ("gw", &["10.0.0.1"]), ("dev", &["eth0"])], ..case };
    let line = "net.route = default via 10.0.0.1 dev eth0";
    default.check(route("0.0.0.0/0", Some("10.0.0.1"), Some("eth0")), line);
    for (to, other) in [("::/0", "0.0.0.0/0"), ("0.0.0.0/0", "::/0")] {
        let keywords: &[(&str, &[&str])] = &[("to", &[to])];
        let one = Case { requests: &["net.route = {kw:to}"], keywords, ..Case::default() };
        one.check(SeeRoute { destination: to.to_owned() }, &format!("net.route = {to}"));
        assert!(one.judge(SeeRoute { destination: other.to_owned() }).starts_with("no: "), "{to} is not {other}");
    }
}
