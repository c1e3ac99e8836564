//! Links, addresses, routes and neighbours on the real kernel, in a network namespace of each test's own.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use std::process::Command;

use hostler_kernel::net::{
    AddressOptions, KernelRoute, Netlink, NetworkLink, NetworkNamespace, RouteAddition, announce, claimant,
};
use nix::sched::{CloneFlags, unshare};
use rtnetlink::{LinkUnspec, LinkVeth};

/// Runs a test on a thread of its own, in a new network namespace with `lo` and the veth pair `left` and `right`.
fn in_namespace<F: Future<Output = ()>>(test: impl FnOnce(Ends) -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Err(errno) = unshare(CloneFlags::CLONE_NEWNET) {
            skipped(&format!("no network namespace to be had: {errno}"));
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { test(Ends::new().await).await });
    });
    thread.join().unwrap();
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}

struct Ends {
    netlink: Netlink,
    left: NetworkLink,
    right: NetworkLink,
}

impl Ends {
    async fn new() -> Ends {
        let (connection, handle, _) = rtnetlink::new_connection().unwrap();
        tokio::spawn(connection);
        handle.link().add(LinkVeth::new("left", "right").build()).execute().await.unwrap();
        let netlink = Netlink::open().unwrap();
        for name in ["left", "right"] {
            let link = netlink.find_link(name).await.unwrap().unwrap();
            handle.link().set(LinkUnspec::new_with_index(link.index).up().build()).execute().await.unwrap();
        }
        let find = async |name| netlink.find_link(name).await.unwrap().unwrap();
        Ends { left: find("left").await, right: find("right").await, netlink }
    }

    async fn add(&self, link: &NetworkLink, cidr: &str) -> bool {
        self.netlink.add_address(link, cidr.parse().unwrap(), "").await.unwrap()
    }

    async fn remove(&self, link: &NetworkLink, cidr: &str) -> bool {
        let removal = self.netlink.remove_address(link, cidr.parse().unwrap()).await.unwrap();
        assert!(
            removal.restored.is_empty() && removal.lost.is_empty() && removal.lost_routes.is_empty(),
            "{removal:?}"
        );
        removal.removed
    }

    async fn addresses(&self, link: &NetworkLink) -> Vec<String> {
        let addresses = self.netlink.addresses(link).await.unwrap();
        let global = addresses.iter().map(|address| address.cidr.to_string()).filter(|cidr| !cidr.starts_with("fe80"));
        global.collect()
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Long enough for a kernel that answers at once. An answer ends the wait.
const PATIENCE: Duration = Duration::from_millis(300);

#[test]
fn links_are_described() {
    in_namespace(async |ends: Ends| {
        assert!(ends.left.up && ends.left.carrier && ends.left.neighbours);
        assert_eq!((ends.left.kind.as_str(), ends.left.mac.len(), ends.left.mtu), ("veth", 6, 1500));
        let lo = ends.netlink.find_link("lo").await.unwrap().unwrap();
        assert_eq!((lo.kind.as_str(), lo.up, lo.neighbours), ("loopback", false, false));
        ends.netlink.set_up(&lo).await.unwrap();
        assert!(ends.netlink.find_link("lo").await.unwrap().unwrap().up);
        assert_eq!(ends.netlink.find_link("eth99").await.unwrap(), None);
    });
}

/// An address with a lifetime goes by itself, one that is refreshed stays, and one that was made permanent is like any other. The
/// first address of a network does not take the others along.
#[test]
fn an_address_with_a_lifetime_goes_by_itself() {
    in_namespace(async |ends: Ends| {
        let (netlink, left) = (&ends.netlink, &ends.left);
        let cidr = |text: &str| text.parse().unwrap();
        let short = |text| {
            netlink.add_address_with(
                left,
                cidr(text),
                AddressOptions { lifetime: Some(1), ..AddressOptions::default() },
            )
        };
        netlink.keep_secondaries(left).await.unwrap();
        for address in ["10.9.0.1/24", "10.9.0.2/24", "10.9.0.3/24", "fd09::1/64", "fd09::2/64"] {
            assert!(short(address).await.unwrap(), "{address}");
        }
        for (address, lifetime) in [("10.9.0.2/24", Some(60)), ("fd09::2/64", Some(60)), ("10.9.0.3/24", None)] {
            assert!(netlink.set_lifetime(left, cidr(address), lifetime).await.unwrap(), "{address}");
        }
        let began = std::time::Instant::now();
        let kept = ["10.9.0.2/24", "10.9.0.3/24", "fd09::2/64"];
        loop {
            let mut found = ends.addresses(left).await;
            found.sort();
            if found == kept {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(3), "{found:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(began.elapsed() > Duration::from_millis(900));
        // It is not made again.
        assert!(!netlink.set_lifetime(left, cidr("10.9.0.1/24"), Some(60)).await.unwrap());
        assert!(!netlink.set_lifetime(left, cidr("fd09::1/64"), None).await.unwrap());
    });
}

#[test]
fn addresses_come_once_and_go_once() {
    in_namespace(async |ends: Ends| {
        for cidr in ["10.9.0.9/24", "fd09::9/64"] {
            assert!(ends.add(&ends.left, cidr).await);
            assert!(!ends.add(&ends.left, cidr).await);
            assert_eq!(ends.addresses(&ends.left).await, [cidr]);
            assert_eq!(ends.addresses(&ends.right).await, [""; 0]);
            assert!(ends.remove(&ends.left, cidr).await);
            assert!(!ends.remove(&ends.left, cidr).await);
        }
        ends.netlink.add_address(&ends.left, "10.9.0.8/32".parse().unwrap(), "left:1").await.unwrap();
        ends.netlink.add_address(&ends.left, "10.9.0.7/32".parse().unwrap(), "").await.unwrap();
        let labels: Vec<_> =
            ends.netlink.addresses(&ends.left).await.unwrap().into_iter().map(|found| found.label).collect();
        assert!(labels.contains(&"left:1".to_owned()) && labels.contains(&String::new()), "{labels:?}");
    });
}

#[test]
fn an_address_of_a_neighbour_is_taken_and_a_free_one_is_not() {
    in_namespace(async |ends: Ends| {
        for (cidr, free) in [("10.9.0.9/24", "10.9.0.10"), ("fd09::9/64", "fd09::10")] {
            ends.add(&ends.right, cidr).await;
            let taken = cidr.split('/').next().unwrap();
            let holder = claimant(None, &ends.left, ip(taken), Duration::from_secs(3)).await.unwrap();
            assert_eq!(holder.map(Vec::from).as_ref(), Some(&ends.right.mac), "{taken}");
            assert_eq!(claimant(None, &ends.left, ip(free), PATIENCE).await.unwrap(), None, "{free}");
        }
    });
}

#[test]
fn an_announcement_is_heard_on_the_link() {
    in_namespace(async |ends: Ends| {
        for address in ["10.9.0.9", "fd09::9"] {
            let listening = claimant(None, &ends.right, ip(address), Duration::from_secs(20));
            // Repeatedly, because a link that has just come up drops packets.
            let telling = async {
                let mut again = tokio::time::interval(Duration::from_millis(50));
                loop {
                    again.tick().await;
                    announce(None, &ends.left, ip(address)).await.unwrap();
                }
            };
            let heard = tokio::select! { heard = listening => heard, () = telling => unreachable!() };
            assert_eq!(heard.unwrap().map(Vec::from).as_ref(), Some(&ends.left.mac), "{address}");
        }
    });
}

/// Without a wait: its runtime ends, and with that the time for the second one has come.
#[test]
fn an_announcement_is_repeated_while_the_address_is_there() {
    in_namespace(async |ends: Ends| {
        ends.add(&ends.left, "10.9.0.9/24").await;
        for dev in ["left", "right"] {
            // Else the kernel would send frames of its own.
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{dev}/disable_ipv6"), "1").unwrap();
        }
        let received = || -> u32 {
            let text = run_ip("-s link show right");
            let line = text.lines().skip_while(|line| !line.contains("RX:")).nth(1).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        // A request and a reply each.
        for (is_there, frames) in [(true, 4), (false, 2)] {
            let before = received();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let left = &ends.left;
            // On a thread of its own, as a runtime cannot run within another.
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    runtime.block_on(announce(None, left, ip("10.9.0.9"))).unwrap();
                    if !is_there {
                        run_ip("addr del 10.9.0.9/24 dev left");
                    }
                });
            });
            assert_eq!(received() - before, frames, "the address was there: {is_there}");
        }
    });
}

#[test]
fn no_frame_is_sent_on_a_link_without_neighbours() {
    in_namespace(async |ends: Ends| {
        let lo = ends.netlink.find_link("lo").await.unwrap().unwrap();
        ends.netlink.set_up(&lo).await.unwrap();
        assert_eq!(claimant(None, &lo, ip("127.0.0.1"), Duration::from_secs(3600)).await.unwrap(), None);
        announce(None, &lo, ip("127.0.0.1")).await.unwrap();
    });
}

#[test]
fn routes_come_once_and_go_once() {
    in_namespace(async |ends: Ends| {
        for (cidr, gateway, destination) in [
            ("10.9.0.1/24", "10.9.0.254", "10.77.0.0/16"),
            ("fd09::1/64", "fd09::fe", "fd77::/32"),
            ("10.8.0.1/24", "10.8.0.254", "0.0.0.0/0"),
        ] {
            ends.add(&ends.left, cidr).await;
            let route = KernelRoute::new(destination.parse().unwrap(), Some(ip(gateway)), Some("left".to_owned()));
            assert_eq!(ends.netlink.routes_to(route.destination).await.unwrap(), []);
            let there = KernelRoute { index: Some(ends.left.index), ..route.clone() };
            let add = async || ends.netlink.add_route(&route, false).await.unwrap();
            assert_eq!(add().await, RouteAddition::Added(there.clone()));
            assert_eq!(add().await, RouteAddition::Present(there.clone()));
            assert_eq!(ends.netlink.routes_to(route.destination).await.unwrap(), std::slice::from_ref(&there));
            assert!(ends.netlink.remove_route(&route).await.unwrap());
            assert!(!ends.netlink.remove_route(&route).await.unwrap());
        }
    });
}

/// Waits until a condition holds.
async fn until(so: impl AsyncFn() -> bool) {
    let wait = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("waited in vain");
}

/// Runs ip(8) in the namespace of this thread.
fn run_ip(line: &str) -> String {
    let output = Command::new("ip").args(line.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Of two addresses in one network, the kernel would remove the second with the first.
#[test]
fn the_other_addresses_and_their_routes_stay() {
    in_namespace(async |ends: Ends| {
        run_ip("addr add 10.9.0.11/24 dev left");
        run_ip("addr add 10.9.0.12/24 dev left label left:b");
        run_ip("addr add 10.9.0.13/24 dev left");
        run_ip("route add 10.77.0.0/16 via 10.9.0.1");
        run_ip("route add 10.78.0.0/16 via 10.9.0.1 src 10.9.0.12");
        assert!(ends.remove(&ends.left, "10.9.0.11/24").await);
        assert_eq!(ends.addresses(&ends.left).await, ["10.9.0.12/24", "10.9.0.13/24"]);
        assert!(run_ip("addr show dev left").contains("left:b"));
        let routes = run_ip("route");
        assert!(routes.contains("10.77.0.0/16 via 10.9.0.1") && routes.contains("10.9.0.0/24 dev left"), "{routes}");
        assert!(routes.contains("10.78.0.0/16 via 10.9.0.1 dev left src 10.9.0.12"), "{routes}");
        let link = ends.netlink.find_link("left").await.unwrap().unwrap();
        assert!(!link.promote_secondaries, "the sysctl stays as it was");
    });
}

#[test]
fn an_address_goes_with_its_own_prefix_only() {
    in_namespace(async |ends: Ends| {
        run_ip("addr add 10.9.0.96/32 dev left");
        run_ip("addr add 10.9.0.96/24 dev left");
        assert!(ends.remove(&ends.left, "10.9.0.96/24").await);
        assert!(!ends.remove(&ends.left, "10.9.0.96/24").await);
        assert_eq!(ends.addresses(&ends.left).await, ["10.9.0.96/32"]);
    });
}

#[test]
fn routes_that_go_with_the_last_address_are_put_back_or_named() {
    in_namespace(async |ends: Ends| {
        run_ip("addr add 10.9.0.11/24 dev left");
        run_ip("route add 10.77.0.0/16 via 10.9.0.1");
        run_ip("route add 10.78.0.0/16 dev left metric 7");
        let removal = ends.netlink.remove_address(&ends.left, "10.9.0.11/24".parse().unwrap()).await.unwrap();
        let lost: Vec<String> = removal.lost_routes.iter().map(KernelRoute::to_string).collect();
        assert_eq!(lost, ["10.77.0.0/16 via 10.9.0.1 dev left proto boot"]);
        assert!(run_ip("route").contains("10.78.0.0/16 dev left scope link metric 7"));
    });
}

#[test]
fn a_link_is_found_by_each_of_its_names_and_its_number() {
    in_namespace(async |ends: Ends| {
        run_ip("link property add dev left altname wan0 altname wan0longinterfacename");
        for name in ["left", "wan0", "wan0longinterfacename"] {
            let link = ends.netlink.find_link(name).await.unwrap().unwrap();
            assert_eq!(link.name, "left");
            assert!(link.is_called(name));
        }
        assert_eq!(ends.netlink.find_link("wan0longinterfacenames").await.unwrap(), None);
        assert_eq!(ends.netlink.link_at(ends.left.index).await.unwrap().unwrap().name, "left");
        assert_eq!(ends.netlink.link_at(4711).await.unwrap(), None);
        ends.add(&ends.left, "10.9.0.1/24").await;
        let by_altname = KernelRoute::new("10.77.0.0/16".parse().unwrap(), None, Some("wan0".to_owned()));
        let added = ends.netlink.add_route(&by_altname, false).await.unwrap();
        let RouteAddition::Added(own) = added else { panic!("{added:?}") };
        assert_eq!((own.dev.as_deref(), own.index), (Some("left"), Some(ends.left.index)));
        let again = ends.netlink.add_route(&by_altname, false).await.unwrap();
        assert_eq!(again, RouteAddition::Present(own));
        assert!(ends.netlink.remove_route(&by_altname).await.unwrap());
    });
}

#[test]
fn what_the_kernel_thinks_of_an_address_is_listed() {
    in_namespace(async |ends: Ends| {
        run_ip("addr add fd09::9/64 dev right nodad");
        run_ip("addr add fd09::9/64 dev left");
        run_ip("addr add 10.9.0.9/24 dev left");
        run_ip("addr add 10.9.0.10/24 dev left");
        let flags = async |of: &str| {
            let addresses = ends.netlink.addresses(&ends.left).await.unwrap();
            addresses.into_iter().find(|found| found.cidr.to_string() == of).unwrap().flags
        };
        assert!(flags("10.9.0.9/24").await.is_empty());
        assert_eq!(flags("10.9.0.10/24").await, ["secondary"]);
        assert!(flags("fd09::9/64").await.contains(&"tentative"));
        until(async || flags("fd09::9/64").await.contains(&"dadfailed")).await;
    });
}

#[test]
fn a_route_of_another_origin_is_neither_added_nor_removed() {
    in_namespace(async |ends: Ends| {
        ends.add(&ends.left, "10.9.0.2/24").await;
        run_ip("route add default via 10.9.0.1 dev left proto dhcp metric 100");
        let route = KernelRoute::new("0.0.0.0/0".parse().unwrap(), Some(ip("10.9.0.1")), None);
        let RouteAddition::Present(found) = ends.netlink.add_route(&route, false).await.unwrap() else { panic!() };
        assert_eq!(found.to_string(), "0.0.0.0/0 via 10.9.0.1 dev left proto dhcp metric 100");
        assert!(!ends.netlink.remove_route(&route).await.unwrap());
        assert!(run_ip("route").contains("default via 10.9.0.1 dev left proto dhcp metric 100"));
        assert!(ends.netlink.remove_route(&found).await.unwrap());
    });
}

#[test]
fn what_is_in_the_way_of_a_route_is_named() {
    in_namespace(async |ends: Ends| {
        ends.add(&ends.left, "10.9.0.2/24").await;
        run_ip("route add 10.77.0.0/16 proto static nexthop via 10.9.0.3 nexthop via 10.9.0.4");
        let route = KernelRoute::new("10.77.0.0/16".parse().unwrap(), Some(ip("10.9.0.3")), None);
        let refused = ends.netlink.add_route(&route, false).await.unwrap_err().to_string();
        assert!(refused.contains("10.77.0.0/16 nexthop via 10.9.0.3 nexthop via 10.9.0.4 proto static"), "{refused}");
    });
}

#[test]
fn a_route_without_a_carrier_says_so() {
    in_namespace(async |ends: Ends| {
        for (cidr, destination, gateway) in
            [("10.9.0.2/24", "10.77.0.0/16", "10.9.0.1"), ("fd09::2/64", "fd77::/32", "fd09::1")]
        {
            ends.add(&ends.left, cidr).await;
            let route = KernelRoute::new(destination.parse().unwrap(), Some(ip(gateway)), None);
            ends.netlink.add_route(&route, false).await.unwrap();
            let linkdown = async || ends.netlink.routes_to(route.destination).await.unwrap()[0].linkdown;
            assert!(!linkdown().await);
            run_ip("link set right down");
            // The kernel tells the routes of it a moment later.
            until(async || linkdown().await).await;
            run_ip("link set right up");
            until(async || !linkdown().await).await;
        }
    });
}

#[test]
fn a_namespace_is_found_by_its_number() {
    in_namespace(async |ends: Ends| {
        let own = NetworkNamespace::own().unwrap().identity().unwrap();
        assert_eq!(NetworkNamespace::find(own).unwrap().unwrap().identity().unwrap(), own);
        assert!(NetworkNamespace::find((own.0, 1)).unwrap().is_none());
        let mut child = Command::new("unshare").args(["-n", "sleep", "600"]).spawn().unwrap();
        let path = format!("/proc/{}/ns/net", child.id());
        let other = || NetworkNamespace::open(path.as_ref()).unwrap().unwrap().identity().unwrap();
        until(async || other() != own).await;
        let other = other();
        let found = NetworkNamespace::find(other).unwrap().unwrap();
        assert_eq!(found.netlink().unwrap().links().await.unwrap().len(), 1);
        assert!(!found.disables_ipv6().unwrap());
        drop(found);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(NetworkNamespace::find(other).unwrap().is_none());
        assert!(!ends.left.disable_ipv6);
        std::fs::write("/proc/sys/net/ipv6/conf/left/disable_ipv6", "1").unwrap();
        assert!(ends.netlink.find_link("left").await.unwrap().unwrap().disable_ipv6);
    });
}
