//! `wit/net.wit`, in a network namespace of each test's own.

use driver::Verb;
use hostler_capability::CapabilityError;
use hostler_capability::net::{
    RouteEntry, add_address, add_route, announce, find_holder, find_link, remove_address, remove_route, resolve,
    routes_to, set_up,
};
use nix::sched::{CloneFlags, unshare};

use crate::harness::{Resource, changes, skipped};

/// On a thread of its own, in a new network namespace that has nothing but `lo`.
fn in_namespace(test: impl AsyncFnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Err(errno) = unshare(CloneFlags::CLONE_NEWNET) {
            skipped(&format!("no network namespace to be had: {errno}"));
            return;
        }
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
    });
    thread.join().unwrap();
}

/// The requests of ip.host.
fn address() -> Resource {
    Resource::new(&["net.addr = {kw:name} on {kw:dev}", "net.link(read) = {kw:dev}"])
        .keyword("name", &["10.0.0.9"])
        .keyword("dev", &["lo"])
}

fn denied<T>(result: Result<T, CapabilityError>) -> bool {
    matches!(result, Err(CapabilityError::Denied(_)))
}

#[test]
fn an_address_comes_and_goes_where_it_is_granted() {
    in_namespace(async || {
        let context = address().context(Verb::Start);
        assert_eq!(find_link(&context, "lo").await.unwrap().unwrap().kind, "loopback");
        assert_eq!(find_holder(&context, "lo", "10.0.0.9", 0).await.unwrap(), None);
        add_address(&context, "lo", "10.0.0.9/24", "").await.unwrap();
        let twice = add_address(&context, "lo", "10.0.0.9/24", "").await;
        assert!(matches!(twice, Err(CapabilityError::Os { errno: 17, .. })), "{twice:?}");
        announce(&context, "lo", "10.0.0.9").await.unwrap();
        let addresses = async || find_link(&context, "lo").await.unwrap().unwrap().addresses;
        let found = addresses().await;
        assert_eq!(found.iter().map(|address| address.cidr.as_str()).collect::<Vec<_>>(), ["10.0.0.9/24"]);
        assert!(remove_address(&context, "lo", "10.0.0.9/24").await.unwrap());
        assert!(!remove_address(&context, "lo", "10.0.0.9/24").await.unwrap());
        assert_eq!(addresses().await, []);
        assert!(changes(&context) >= 2);
    });
}

#[test]
fn other_addresses_and_links_are_out_of_reach() {
    in_namespace(async || {
        let context = address().context(Verb::Start);
        assert!(denied(add_address(&context, "lo", "10.0.0.10/24", "").await));
        assert!(denied(add_address(&context, "eth0", "10.0.0.9/24", "").await));
        assert!(denied(remove_address(&context, "lo", "127.0.0.1/8").await));
        assert!(denied(announce(&context, "lo", "10.0.0.10").await));
        assert!(denied(find_link(&context, "eth0").await));
        assert!(denied(set_up(&context, "lo").await));
        assert!(denied(routes_to(&context, "default").await));
        for bad in ["10.0.0.9", "10.0.0.9/33", "x"] {
            assert!(matches!(add_address(&context, "lo", bad, "").await, Err(CapabilityError::Invalid(_))), "{bad}");
        }
        assert_eq!(changes(&context), 0);
    });
}

#[test]
fn status_looks_and_changes_nothing() {
    in_namespace(async || {
        let context = address().context(Verb::Status);
        assert!(find_link(&context, "lo").await.unwrap().is_some());
        assert!(denied(add_address(&context, "lo", "10.0.0.9/24", "").await));
        assert!(denied(announce(&context, "lo", "10.0.0.9").await));
    });
}

#[test]
fn a_link_is_set_up_once_and_its_routes_come_and_go() {
    in_namespace(async || {
        let resource = Resource::new(&["net.link = lo", "net.route = 10.1.0.0/16 dev lo"]);
        let context = resource.context(Verb::Start);
        set_up(&context, "lo").await.unwrap();
        set_up(&context, "lo").await.unwrap();
        assert_eq!(changes(&context), 1);
        let route =
            RouteEntry { destination: "10.1.0.0/16".to_owned(), dev: Some("lo".to_owned()), ..RouteEntry::default() };
        assert!(add_route(&context, route.clone()).await.unwrap());
        assert!(!add_route(&context, route.clone()).await.unwrap());
        let found = routes_to(&context, "10.1.0.0/16").await.unwrap().remove(0);
        let [proto, metric] =
            [("proto", "static"), ("metric", "0")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(found, RouteEntry { attributes: vec![proto, metric], ..route.clone() });
        assert!(remove_route(&context, route.clone()).await.unwrap());
        assert!(!remove_route(&context, route).await.unwrap());
        assert_eq!(changes(&context), 3);
    });
}

#[tokio::test]
async fn a_name_is_looked_up_if_it_is_the_granted_one() {
    let resource =
        Resource::new(&["net.addr = {kw:name} on {kw:dev}"]).keyword("name", &["localhost"]).keyword("dev", &["lo"]);
    let context = resource.context(Verb::Status);
    let found = resolve(&context, "localhost").await.unwrap();
    assert!(found.contains(&"127.0.0.1".to_owned()) || found.contains(&"::1".to_owned()), "{found:?}");
    assert!(denied(resolve(&context, "example.com").await));
}
