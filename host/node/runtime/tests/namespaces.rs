//! The drivers that reach into network namespaces, in the real sandbox and on the real kernel: the node of each test is a
//! namespace of its own, and so is the container.

#[path = "support/guest_namespace.rs"]
mod guest_namespace;
mod support;

use std::future::Future;
use std::sync::Arc;

use driver::{Change, Driver, DriverCall, KeywordValue, SilentLog, StatusReport, Verb};
use guest_namespace::{GuestNamespace, ip, skipped};
use model::status::State;
use nix::sched::{CloneFlags, unshare};
use support::{Bench, bounds, keyword};

/// A driver and the call that the tests make of it.
struct Resource {
    driver: Arc<dyn Driver>,
    call: DriverCall,
}

impl Resource {
    fn new(bench: &Bench, rid: &str, driver: &str, keywords: &[(&str, &str)]) -> Resource {
        let keywords: Vec<KeywordValue> = keywords.iter().map(|(name, value)| keyword(name, value)).collect();
        Resource { driver: bench.load(driver), call: bench.call(rid, driver, keywords) }
    }

    /// Adds the variables of the container that it joins, as the agent does.
    fn joining(mut self, guest: &GuestNamespace) -> Resource {
        let vars = [("joined.rid", "container#1"), ("joined.netns", guest.path()), ("joined.id", "f52d3cb784a9e1d2")];
        Arc::make_mut(&mut self.call.vars).extend(vars.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    async fn status(&self) -> StatusReport {
        self.driver.status(&self.call, &bounds(), Arc::new(SilentLog)).await
    }

    async fn state(&self) -> State {
        self.status().await.state
    }

    async fn act(&self, verb: Verb) -> (Change, String) {
        let report = self.driver.act(verb, &self.call, &bounds(), Arc::new(SilentLog)).await;
        (report.change, report.result.unwrap_or_else(|error| error.to_string()))
    }
}

/// On a node with the bridge `br0`, which has 10.9.0.1/24, and the pair `loose` and `other`.
fn on_a_node<F: Future<Output = ()>>(test: impl FnOnce(Bench, GuestNamespace) -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Err(errno) = unshare(CloneFlags::CLONE_NEWNET) {
            return skipped(&format!("no network namespace to be had: {errno}"));
        }
        for line in [
            "link set lo up",
            "link add br0 type bridge",
            "link set br0 up",
            "address add 10.9.0.1/24 dev br0",
            "link add loose type veth peer name other",
            "link set loose up",
            "link set other up",
            "address add 10.8.0.1/24 dev other",
        ] {
            ip(line);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test(Bench::new(), GuestNamespace::new()));
        assert_eq!(links(), ["br0", "lo", "loose", "other"], "left behind");
    });
    thread.join().unwrap();
}

/// The names of the links of this thread's namespace.
fn links() -> Vec<String> {
    let listed = ip("-br link");
    let names = listed.lines().filter_map(|line| line.split(['@', ' ']).next()).map(str::to_owned);
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn address<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let basic = [("netns", "container#1"), ("netmask", "24"), ("check_carrier", "true"), ("del_net_route", "false")];
    [&basic[..], more].concat()
}

#[test]
fn an_address_on_a_bridge_is_reached_and_goes_with_its_link() {
    on_a_node(async |bench, guest| {
        let keywords = address(&[("name", "10.9.0.9"), ("dev", "br0"), ("mode", "bridge"), ("gateway", "10.9.0.1")]);
        let resource = Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(&guest);
        assert_eq!(resource.state().await, State::Down);
        let started = "eth0 of container#1: plugged into br0, added 10.9.0.9/24, default route via 10.9.0.1, announced";
        assert_eq!(resource.act(Verb::Start).await, (Change::Changed, started.to_owned()));
        let status = resource.status().await;
        assert_eq!((status.state, status.label.as_str()), (State::Up, "10.9.0.9@br0@f52d3cb784a9"), "{status:?}");
        guest.talk("10.9.0.9");
        let again = "10.9.0.9/24 is already up on eth0 of container#1".to_owned();
        assert_eq!(resource.act(Verb::Start).await, (Change::Unchanged, again));
        assert!(ip("link show master br0").contains("web ip#1"), "the end on the node says whose it is");

        let second = address(&[("name", "10.9.0.10"), ("dev", "br0"), ("mode", "bridge")]);
        let second = Resource::new(&bench, "ip#2", "ip.netns", &second).joining(&guest);
        let started = "eth1 of container#1: plugged into br0, added 10.9.0.10/24, announced".to_owned();
        assert_eq!(second.act(Verb::Start).await, (Change::Changed, started));
        guest.talk("10.9.0.10");
        for (resource, name) in [(&resource, "10.9.0.9"), (&second, "10.9.0.10")] {
            let (change, text) = resource.act(Verb::Stop).await;
            assert_eq!(change, Change::Changed, "{text}");
            assert!(text.starts_with("removed ") && text.contains(&format!("{name}/24 on eth")), "{text}");
            assert_eq!(resource.act(Verb::Stop).await.0, Change::Unchanged);
            assert_eq!(resource.state().await, State::Down);
        }
        assert_eq!(guest.run(links), ["lo"]);
    });
}

#[test]
fn an_address_that_a_neighbour_has_is_refused_before_anything_is_touched() {
    on_a_node(async |bench, guest| {
        let keywords = address(&[("name", "10.9.0.9"), ("dev", "br0"), ("mode", "bridge")]);
        let first = Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(&guest);
        first.act(Verb::Start).await;
        let other = GuestNamespace::new();
        let second = Resource::new(&bench, "ip#2", "ip.netns", &keywords).joining(&other);
        let (change, text) = second.act(Verb::Start).await;
        let mac = guest.run(|| ip("-br link show eth0").split_whitespace().nth(2).unwrap().to_owned());
        assert!(text.starts_with("another host has 10.9.0.9 on br0, the one with the hardware address "), "{text}");
        assert!(change == Change::Unchanged && text.contains(&mac), "{text}, {mac}");
        assert_eq!(other.run(links), ["lo"]);
        first.act(Verb::Stop).await;
        let own = address(&[("name", "10.9.0.1"), ("dev", "br0"), ("mode", "bridge")]);
        let own = Resource::new(&bench, "ip#3", "ip.netns", &own).joining(&guest);
        assert_eq!(own.act(Verb::Start).await.1, "the node itself has 10.9.0.1 on br0: remove it there first");
    });
}

#[test]
fn a_cloud_s_address_reaches_its_neighbours_through_the_gateway() {
    on_a_node(async |bench, guest| {
        let more = [("name", "10.9.0.9"), ("dev", "br0"), ("mode", "bridge"), ("gateway", "10.9.0.1")];
        let mut keywords = address(&more);
        keywords.retain(|(name, _)| *name != "del_net_route");
        keywords.push(("del_net_route", "true"));
        let resource = Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(&guest);
        let (change, text) = resource.act(Verb::Start).await;
        assert_eq!(change, Change::Changed, "{text}");
        let routes = guest.run(|| ip("-4 route"));
        let mut routes = routes.lines();
        assert!(routes.next().is_some_and(|route| route.starts_with("default via 10.9.0.1 dev eth0 ")));
        assert_eq!(routes.next(), None);
        guest.talk("10.9.0.9");
        assert_eq!(resource.state().await, State::Up);
        guest.run(|| ip("route del default"));
        assert_eq!(resource.state().await, State::Warn);
        assert_eq!(resource.act(Verb::Start).await.1, "eth0 of container#1: default route via 10.9.0.1, announced");
        resource.act(Verb::Stop).await;
    });
}

#[test]
fn a_macvlan_and_a_lent_interface_reach_what_is_behind_them() {
    on_a_node(async |bench, guest| {
        for mode in ["macvlan", "dedicated"] {
            let keywords = address(&[("name", "10.8.0.9"), ("dev", "loose"), ("mode", mode), ("nsdev", "net0")]);
            let resource = Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(&guest);
            let started = "net0 of container#1: plugged into loose, added 10.8.0.9/24, announced".to_owned();
            assert_eq!(resource.act(Verb::Start).await, (Change::Changed, started), "{mode}");
            assert_eq!(resource.state().await, State::Up, "{mode}");
            guest.talk("10.8.0.9");
            assert_eq!(resource.act(Verb::Stop).await.0, Change::Changed, "{mode}");
            assert_eq!(guest.run(links), ["lo"], "{mode}");
            assert!(links().contains(&"loose".to_owned()), "{mode}");
        }
    });
}

/// The kernel returns hardware to the node when its namespace disappears.
#[test]
fn an_interface_that_came_back_by_itself_is_restored() {
    on_a_node(async |bench, guest| {
        let keywords = address(&[("name", "10.8.0.9"), ("dev", "loose"), ("mode", "dedicated")]);
        let resource = Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(&guest);
        assert_eq!(resource.act(Verb::Start).await.0, Change::Changed);
        let node = nix::unistd::gettid();
        guest.run(move || ip(&format!("link set eth0 netns {node} name dev7")));
        assert!(links().contains(&"dev7".to_owned()));
        assert_eq!(resource.state().await, State::Down);
        assert_eq!(resource.act(Verb::Stop).await.0, Change::Changed);
        let loose = ip("-d link show loose");
        assert!(loose.contains(",UP") && !loose.contains("alias"), "{loose}");
        // The next start does not need a stop before it.
        assert_eq!(resource.act(Verb::Start).await.0, Change::Changed);
        guest.run(move || ip(&format!("link set eth0 netns {node} name dev7")));
        assert_eq!(resource.act(Verb::Start).await.0, Change::Changed);
        guest.talk("10.8.0.9");
        assert_eq!(resource.act(Verb::Stop).await.0, Change::Changed);
    });
}

#[test]
fn a_pair_goes_with_its_namespace_and_is_recreated_in_the_next() {
    on_a_node(async |bench, guest| {
        let keywords = address(&[("name", "10.9.0.9"), ("dev", "br0"), ("mode", "bridge")]);
        let resource = |guest| Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(guest);
        assert_eq!(resource(&guest).act(Verb::Start).await.0, Change::Changed);
        // The old namespace lingers, as it does while another process has it open.
        let next = GuestNamespace::new();
        let (change, text) = resource(&next).act(Verb::Start).await;
        assert_eq!(change, Change::Changed, "{text}");
        assert_eq!(guest.run(links), ["lo"]);
        next.talk("10.9.0.9");
        drop(next);
        // A link without its namespace is down, and a stop only does what the kernel has not done yet.
        let gone = Resource::new(&bench, "ip#1", "ip.netns", &keywords);
        assert_eq!(gone.state().await, State::Down);
        gone.act(Verb::Stop).await;
    });
}

#[test]
fn the_network_of_the_node_is_not_taken_for_a_container_s() {
    on_a_node(async |bench, _| {
        let own = format!("/proc/{}/ns/net", nix::unistd::gettid());
        for netns in [own.as_str(), "container#1"] {
            let mut keywords = address(&[("name", "10.9.0.9"), ("dev", "br0"), ("mode", "bridge")]);
            keywords[0].1 = netns;
            let mut resource = Resource::new(&bench, "ip#1", "ip.netns", &keywords);
            let joined = [("joined.rid", "container#1"), ("joined.netns", own.as_str())];
            Arc::make_mut(&mut resource.call.vars)
                .extend(joined.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let why = format!("{netns} is in the network namespace of the node itself");
            assert_eq!(resource.act(Verb::Start).await, (Change::Unchanged, why.clone()));
            let status = resource.status().await;
            assert_eq!((status.state, status.messages[0].text.as_str()), (State::Down, why.as_str()));
            assert_eq!(resource.act(Verb::Stop).await.0, Change::Unchanged);
        }
    });
}

#[test]
fn a_route_is_the_nodes_or_the_namespaces() {
    on_a_node(async |bench, guest| {
        let keywords = address(&[("name", "10.9.0.9"), ("dev", "br0"), ("mode", "bridge")]);
        let connected = Resource::new(&bench, "ip#1", "ip.netns", &keywords).joining(&guest);
        connected.act(Verb::Start).await;
        let way = [("destination", "10.1.2.3/16"), ("gateway", "10.9.0.254")];
        let of_node = Resource::new(&bench, "ip#2", "ip.route", &way);
        let inside = [&way[..], &[("netns", "container#1"), ("dev", "eth0")]].concat();
        let inside = Resource::new(&bench, "ip#3", "ip.route", &inside).joining(&guest);
        for route in [&of_node, &inside] {
            assert_eq!(route.state().await, State::Down);
            assert_eq!(route.act(Verb::Start).await.0, Change::Changed);
            assert_eq!(route.act(Verb::Start).await.0, Change::Unchanged);
            assert_eq!(route.state().await, State::Up);
        }
        assert!(guest.run(|| ip("route")).contains("10.1.0.0/16 via 10.9.0.254 dev eth0"));
        assert!(ip("route").contains("10.1.0.0/16 via 10.9.0.254 dev br0"));
        assert_eq!(of_node.act(Verb::Stop).await.0, Change::Changed);
        assert_eq!((of_node.state().await, inside.state().await), (State::Down, State::Up));
        assert_eq!(inside.act(Verb::Stop).await.0, Change::Changed);
        assert_eq!(inside.act(Verb::Stop).await.0, Change::Unchanged);
        connected.act(Verb::Stop).await;
    });
}
