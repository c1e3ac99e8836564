//! Links, addresses, routes and neighbours on the real kernel, in a network namespace of each test's own.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use hostler_kernel::net::{KernelRoute, Netlink, NetworkLink, announce, claimant};
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

#[test]
fn addresses_come_once_and_go_once() {
    in_namespace(async |ends: Ends| {
        for cidr in ["10.9.0.9/24", "fd09::9/64"] {
            assert!(ends.add(&ends.left, cidr).await);
            assert!(!ends.add(&ends.left, cidr).await);
            assert_eq!(ends.addresses(&ends.left).await, [cidr]);
            assert_eq!(ends.addresses(&ends.right).await, [""; 0]);
            assert!(ends.netlink.remove_address(&ends.left, cidr.parse().unwrap()).await.unwrap());
            assert!(!ends.netlink.remove_address(&ends.left, cidr.parse().unwrap()).await.unwrap());
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
            let route = KernelRoute {
                destination: destination.parse().unwrap(),
                gateway: Some(ip(gateway)),
                dev: Some("left".to_owned()),
            };
            assert_eq!(ends.netlink.routes_to(route.destination).await.unwrap(), []);
            assert!(ends.netlink.add_route(&route).await.unwrap());
            assert!(!ends.netlink.add_route(&route).await.unwrap());
            assert_eq!(ends.netlink.routes_to(route.destination).await.unwrap(), std::slice::from_ref(&route));
            assert!(ends.netlink.remove_route(&route).await.unwrap());
            assert!(!ends.netlink.remove_route(&route).await.unwrap());
        }
    });
}
