//! Links, addresses and routes that are brought into another network namespace, on the real kernel: each test has two
//! namespaces of its own, and they talk to each other.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use hostler_kernel::KernelError;
use hostler_kernel::net::{
    AddressOptions, KernelRoute, LinkMark, LinkPlug, Netlink, NetworkLink, NetworkNamespace, PlugMode, PlugOptions,
    PrefixRoute, RouteAddition, claimant,
};
use nix::sched::{CloneFlags, unshare};
use rtnetlink::{LinkBridge, LinkUnspec, LinkVeth};

type Work = Box<dyn FnOnce() + Send>;

/// A namespace that lives as long as the thread in it.
struct Guest {
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Guest {
    fn new() -> Guest {
        let (work, queue) = channel::<Work>();
        let (sender, thread_id) = channel();
        let thread = std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            sender.send(nix::unistd::gettid()).unwrap();
            queue.into_iter().for_each(|work| work());
        });
        let path = format!("/proc/{}/ns/net", thread_id.recv().unwrap()).into();
        Guest { work: Some(work), thread: Some(thread), path }
    }

    fn namespace(&self) -> NetworkNamespace {
        NetworkNamespace::open(&self.path).unwrap().unwrap()
    }

    /// Does something in the namespace, and waits for it.
    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = channel();
        self.work.as_ref().unwrap().send(Box::new(move || done.send(work()).unwrap())).unwrap();
        result.recv().unwrap()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.work.take();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The node: a namespace of its own, with the bridge `br0`, and the loose link `loose` that is one end of a pair.
struct Node {
    netlink: Netlink,
}

fn on_a_node<F: Future<Output = ()>>(test: impl FnOnce(Node) -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Err(errno) = unshare(CloneFlags::CLONE_NEWNET) {
            return skipped(&format!("no network namespace to be had: {errno}"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { test(Node::new().await).await });
    });
    thread.join().unwrap();
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}

impl Node {
    async fn new() -> Node {
        let (connection, handle, _) = rtnetlink::new_connection().unwrap();
        tokio::spawn(connection);
        handle.link().add(LinkBridge::new("br0").build()).execute().await.unwrap();
        handle.link().add(LinkVeth::new("loose", "other").build()).execute().await.unwrap();
        let node = Node { netlink: Netlink::open().unwrap() };
        for name in ["lo", "br0", "loose", "other"] {
            let link = node.link(name).await;
            handle.link().set(LinkUnspec::new_with_index(link.index).up().build()).execute().await.unwrap();
        }
        node.add("br0", "10.9.0.1/24").await;
        node
    }

    async fn link(&self, name: &str) -> NetworkLink {
        self.netlink.find_link(name).await.unwrap().unwrap_or_else(|| panic!("no {name}"))
    }

    async fn add(&self, dev: &str, cidr: &str) {
        self.netlink.add_address(&self.link(dev).await, cidr.parse().unwrap(), "").await.unwrap();
    }

    async fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.netlink.links().await.unwrap().into_iter().map(|link| link.name).collect();
        names.sort();
        names
    }
}

const BARE: [&str; 4] = ["br0", "lo", "loose", "other"];

fn mark() -> LinkMark {
    LinkMark::new("/run/web", "web ip#1")
}

fn plug<'a>(mode: PlugMode, dev: &'a str, mark: &'a LinkMark) -> LinkPlug<'a> {
    LinkPlug { mode, dev, mark }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Says something to a server in the namespace, and hears it back.
fn talk(guest: &Guest, address: &str) {
    let server = format!("{address}:7777");
    let listener = guest.run({
        let server = server.clone();
        move || TcpListener::bind(server).unwrap()
    });
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).unwrap();
        stream.write_all(&heard).unwrap();
    });
    let mut stream = TcpStream::connect_timeout(&server.parse().unwrap(), Duration::from_secs(20)).unwrap();
    stream.write_all(b"hello").unwrap();
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    answering.join().unwrap();
}

#[test]
fn a_pair_connects_the_bridge_with_the_namespace() {
    on_a_node(async |node: Node| {
        let (guest, mark) = (Guest::new(), mark());
        let namespace = guest.namespace();
        let bridged = plug(PlugMode::Bridge, "br0", &mark);
        let wanted = PlugOptions { mac: Some([2, 0, 0, 0, 0, 9]), ..PlugOptions::default() };
        let (link, changed) = bridged.insert(&node.netlink, &namespace, wanted).await.unwrap();
        assert!(changed && link.up);
        assert_eq!((link.name.as_str(), link.kind.as_str(), &*link.mac), ("eth0", "veth", &[2, 0, 0, 0, 0, 9][..]));
        assert!(!bridged.insert(&node.netlink, &namespace, wanted).await.unwrap().1, "it was there");

        let inside = namespace.netlink().unwrap();
        inside.add_address(&link, "10.9.0.9/24".parse().unwrap(), "").await.unwrap();
        let (bridge, patience) = (node.link("br0").await, Duration::from_secs(20));
        let guest_s = claimant(None, &bridge, ip("10.9.0.9"), patience).await.unwrap();
        assert_eq!(guest_s, Some([2, 0, 0, 0, 0, 9]));
        let node_s = claimant(Some(&namespace), &link, ip("10.9.0.1"), patience).await.unwrap();
        assert_eq!(node_s.map(Vec::from), Some(bridge.mac));
        talk(&guest, "10.9.0.9");

        let other = LinkMark::new("/run/web", "web ip#2");
        let another = plug(PlugMode::Bridge, "br0", &other);
        assert!(!another.take_out(&node.netlink, Some(&namespace)).await.unwrap(), "another's");
        let second = another.insert(&node.netlink, &namespace, PlugOptions::default()).await.unwrap().0;
        assert_eq!(second.name, "eth1");
        assert!(bridged.take_out(&node.netlink, Some(&namespace)).await.unwrap());
        assert!(!bridged.take_out(&node.netlink, Some(&namespace)).await.unwrap());
        assert!(inside.find_link("eth1").await.unwrap().is_some());
        assert!(another.take_out(&node.netlink, None).await.unwrap(), "the end on the node will do");
        assert_eq!(node.names().await, BARE);
    });
}

#[test]
fn a_macvlan_reaches_what_is_behind_the_link() {
    on_a_node(async |node: Node| {
        let (guest, mark) = (Guest::new(), mark());
        let namespace = guest.namespace();
        node.add("other", "10.8.0.1/24").await;
        let macvlan = plug(PlugMode::Macvlan, "loose", &mark);
        let wanted = PlugOptions { name: "net7", ..PlugOptions::default() };
        let (link, _) = macvlan.insert(&node.netlink, &namespace, wanted).await.unwrap();
        assert_eq!((link.name.as_str(), link.kind.as_str(), link.up), ("net7", "macvlan", true));
        namespace.netlink().unwrap().add_address(&link, "10.8.0.9/24".parse().unwrap(), "").await.unwrap();
        talk(&guest, "10.8.0.9");
        assert!(macvlan.take_out(&node.netlink, Some(&namespace)).await.unwrap());
        assert_eq!(namespace.netlink().unwrap().links().await.unwrap().len(), 1);
        assert_eq!(node.names().await, BARE);
    });
}

#[test]
fn a_link_is_lent_and_given_back_as_it_was() {
    on_a_node(async |node: Node| {
        let (guest, mark) = (Guest::new(), mark());
        let namespace = guest.namespace();
        node.add("other", "10.8.0.1/24").await;
        let lent = plug(PlugMode::Dedicated, "loose", &mark);
        let before = node.link("loose").await;
        let (link, _) = lent.insert(&node.netlink, &namespace, PlugOptions::default()).await.unwrap();
        assert_eq!((link.name.as_str(), &link.mac), ("eth0", &before.mac));
        assert_eq!(node.names().await, ["br0", "lo", "other"]);
        namespace.netlink().unwrap().add_address(&link, "10.8.0.9/24".parse().unwrap(), "").await.unwrap();
        talk(&guest, "10.8.0.9");
        assert!(lent.take_out(&node.netlink, Some(&namespace)).await.unwrap());
        let after = node.link("loose").await;
        assert_eq!((after.alias.as_str(), after.up, after.mac), ("", true, before.mac));
        assert_eq!(node.names().await, BARE);
    });
}

/// Root in the namespace may write anything into an alias: that moves no link to the node, and gives none another name.
#[test]
fn an_alias_that_was_forged_brings_nothing_to_the_node() {
    on_a_node(async |node: Node| {
        let (guest, mark) = (Guest::new(), mark());
        let namespace = guest.namespace();
        let bridged = plug(PlugMode::Bridge, "br0", &mark);
        let (link, _) = bridged.insert(&node.netlink, &namespace, PlugOptions::default()).await.unwrap();
        let alias = format!("{} | evil0 up | x", link.alias);
        guest.run(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (connection, handle, _) = rtnetlink::new_connection().unwrap();
                tokio::spawn(connection);
                let forged = LinkUnspec::new_with_index(link.index).alias(alias).build();
                handle.link().set(forged).execute().await.unwrap();
            });
        });
        assert!(bridged.take_out(&node.netlink, Some(&namespace)).await.unwrap());
        assert_eq!(node.names().await, BARE);
    });
}

#[test]
fn a_link_that_the_node_needs_is_not_given_away() {
    on_a_node(async |node: Node| {
        let (guest, mark) = (Guest::new(), mark());
        let namespace = guest.namespace();
        node.add("loose", "10.8.0.1/24").await;
        for (mode, dev, why) in [
            (PlugMode::Dedicated, "lo", "lo cannot be given away: it is the loopback interface"),
            (PlugMode::Dedicated, "loose", "loose cannot be given away: the node has 10.8.0.1/24 on it"),
            (PlugMode::Bridge, "loose", "loose is not a bridge"),
            (PlugMode::Bridge, "br9", "br9 does not exist"),
        ] {
            let refused = plug(mode, dev, &mark).insert(&node.netlink, &namespace, PlugOptions::default()).await;
            let error = refused.unwrap_err();
            assert_eq!(error.to_string(), why);
            assert_eq!(node.names().await, BARE, "{why}");
        }
        let wanted = PlugOptions { name: "lo", ..PlugOptions::default() };
        let taken = plug(PlugMode::Bridge, "br0", &mark).insert(&node.netlink, &namespace, wanted).await;
        let error = taken.unwrap_err();
        assert!(matches!(error, KernelError::Invalid(_)), "{error}");
        assert_eq!(node.names().await, BARE);
    });
}

#[test]
fn a_router_outside_of_the_network_is_on_the_link() {
    on_a_node(async |node: Node| {
        let (guest, mark) = (Guest::new(), mark());
        let namespace = guest.namespace();
        node.add("br0", "192.0.2.1/32").await;
        let bridged = plug(PlugMode::Bridge, "br0", &mark);
        let (link, _) = bridged.insert(&node.netlink, &namespace, PlugOptions::default()).await.unwrap();
        let inside = namespace.netlink().unwrap();
        let added = inside.add_address_with(
            &link,
            "10.9.0.9/24".parse().unwrap(),
            AddressOptions { network: PrefixRoute::LeftOut, ..AddressOptions::default() },
        );
        assert!(added.await.unwrap());
        let links = inside.links().await.unwrap();
        let routes = |destination: &str| {
            let destination: ipnet::IpNet = destination.parse().unwrap();
            inside.routes(&links).then_filter(destination)
        };
        assert_eq!(routes("10.9.0.0/24").await, []);
        let route = KernelRoute::new("0.0.0.0/0".parse().unwrap(), Some(ip("192.0.2.1")), Some("eth0".to_owned()));
        let there = KernelRoute { index: Some(link.index), ..route.clone() };
        assert_eq!(inside.add_route(&route, true).await.unwrap(), RouteAddition::Added(there.clone()));
        assert_eq!(inside.add_route(&route, true).await.unwrap(), RouteAddition::Present(there.clone()));
        assert_eq!(routes("0.0.0.0/0").await, std::slice::from_ref(&there));
        // The way back leads over that router too.
        talk(&guest, "10.9.0.9");
        assert!(inside.remove_route(&route).await.unwrap());
    });
}

/// The routes to one destination.
trait ThenFilter {
    async fn then_filter(self, destination: ipnet::IpNet) -> Vec<KernelRoute>;
}

impl<F: Future<Output = Result<Vec<KernelRoute>, KernelError>>> ThenFilter for F {
    async fn then_filter(self, destination: ipnet::IpNet) -> Vec<KernelRoute> {
        self.await.unwrap().into_iter().filter(|route| route.destination == destination).collect()
    }
}

#[test]
fn namespaces_are_compared_by_identity() {
    on_a_node(async |_| {
        let guest = Guest::new();
        assert!(!guest.namespace().is_of_node().unwrap());
        let own = NetworkNamespace::own().unwrap();
        assert!(own.is_of_node().unwrap() && own.is(&NetworkNamespace::own().unwrap()).unwrap());
        assert!(!guest.namespace().is(&own).unwrap());
        // On some machines root may not look at the first process.
        if let Ok(Some(first)) = NetworkNamespace::open(Path::new("/proc/1/ns/net")) {
            assert!(first.is_of_node().unwrap());
        }
        let directory = tempfile::tempdir().unwrap();
        let (file, pipe) = (directory.path().join("file"), directory.path().join("pipe"));
        std::fs::write(&file, "").unwrap();
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let absent = directory.path().join("absent");
        for path in [&file, &pipe, &absent, Path::new("/proc/4194304/ns/net"), Path::new("/proc/self/ns/mnt")] {
            assert!(!matches!(NetworkNamespace::open(path), Ok(Some(_))), "{}", path.display());
        }
    });
}
