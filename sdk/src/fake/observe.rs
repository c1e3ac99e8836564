//! The functions with which a test inspects the host.

use super::Host;
use super::world::{FakeVolume, FileNode, LogLine};
use crate::bindings::hostler::driver::mount::MountEntry;
use crate::bindings::hostler::driver::net::Route;
use crate::bindings::hostler::driver::netns::Contents;
use crate::bindings::hostler::driver::process::ProcessInfo;

impl Host {
    /// The calls of the driver, in order: `block.attach-loop /srv/a.img`.
    pub fn calls(&self) -> Vec<String> {
        self.change(|world| world.calls.iter().map(|call| format!("{} {}", call.name, call.subject)).collect())
    }

    /// A volume as it is now.
    pub fn volume_of(&self, name: &str) -> Option<FakeVolume> {
        self.change(|world| world.volumes.get(name).cloned())
    }

    /// Whether something exists at a path.
    pub fn has_file(&self, path: &str) -> bool {
        self.change(|world| world.files.contains_key(path))
    }

    /// The content of a file.
    pub fn content(&self, path: &str) -> Option<String> {
        self.change(|world| world.files.get(path).map(|node| String::from_utf8_lossy(&node.content).into_owned()))
    }

    /// The permission bits and the owner of a path: `0755 root:root`.
    pub fn owner(&self, path: &str) -> Option<String> {
        let shown = |node: &FileNode| format!("{:04o} {}:{}", node.mode, node.user, node.group);
        self.change(|world| world.files.get(path).map(shown))
    }

    /// The mounts, bottom up: `ext4 /dev/loop0 /srv/web rw`.
    pub fn mounts(&self) -> Vec<String> {
        let shown = |entry: &MountEntry| {
            format!("{} {} {} {}", entry.fstype, entry.source, entry.target, entry.options.join(","))
        };
        self.change(|world| world.mounts.iter().map(shown).collect())
    }

    /// The addresses of an interface.
    pub fn addresses_of(&self, dev: &str) -> Vec<String> {
        self.change(|world| match world.links.get(dev) {
            Some(interface) => interface.addresses.iter().map(|address| address.cidr.clone()).collect(),
            None => Vec::new(),
        })
    }

    /// The names of the node's interfaces.
    pub fn links(&self) -> Vec<String> {
        self.change(|world| world.links.keys().cloned().collect())
    }

    /// The routes of the node: `10.1.0.0/16 via 10.0.0.1 dev eth0`.
    pub fn routes(&self) -> Vec<String> {
        self.change(|world| world.routes.iter().map(Route::to_string).collect())
    }

    /// The contents of a network namespace without `lo`: `link eth0 veth`, `address 10.0.0.9/24 eth0`, `route default dev eth0`.
    pub fn within(&self, netns: &str) -> Vec<String> {
        let shown = |contents: &Contents| {
            let links = contents.links.iter().map(|link| format!("link {} {}", link.name, link.kind));
            let addresses =
                contents.addresses.iter().map(|address| format!("address {} {}", address.cidr, address.dev));
            let routes = contents.routes.iter().map(|route| format!("route {}", route));
            let all: Vec<String> = links.chain(addresses).chain(routes).collect();
            // By the text, because links, addresses and routes name their link at different places.
            all.into_iter().filter(|line| !line.contains(" lo ") && !line.ends_with(" lo")).collect()
        };
        self.change(|world| world.namespaces.get(netns).map(shown).unwrap_or_default())
    }

    /// The labels of what a resource holds, in the order in which it was made.
    pub fn holdings_of(&self, rid: &str) -> Vec<String> {
        self.change(|world| {
            let own = world.holdings.iter().filter(|held| held.rid == rid);
            own.map(|held| held.shown(world).label).collect()
        })
    }

    /// The commands of the resource's processes.
    pub fn processes(&self) -> Vec<String> {
        self.change(|world| world.processes.iter().map(|process: &ProcessInfo| process.argv.join(" ")).collect())
    }

    /// The lines that the driver logged.
    pub fn log(&self) -> Vec<LogLine> {
        self.change(|world| world.log.clone())
    }
}
