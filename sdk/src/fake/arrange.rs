//! What a test says of the host before the driver comes.

use std::rc::Rc;
use std::time::Duration;

use super::Host;
use super::world::{Asked, Interface, Node, Run, Served};
use crate::CapabilityError;
use crate::bindings::hostler::driver::block::{Device, Signature};
use crate::bindings::hostler::driver::http::Response;
use crate::bindings::hostler::driver::mount::{MountEntry, Usage};
use crate::bindings::hostler::driver::net::{Address, Link, Route};
use crate::bindings::hostler::driver::netns::{Address as NetnsAddress, Contents, Link as NetnsLink};
use crate::files::FileKind;
use crate::process::Output;

impl Host {
    /// With a file of `size` bytes, and the directories above it.
    pub fn file(self, path: &str, size: u64) -> Host {
        self.with(|world| {
            world.make_parents(path);
            world.files.insert(path.to_owned(), Node::of(FileKind::File, size, 0o644));
        })
    }

    /// With a file that holds a text.
    pub fn text_file(self, path: &str, text: &str) -> Host {
        self.with(|world| {
            world.make_parents(path);
            let node = Node { content: text.as_bytes().to_vec(), ..Node::of(FileKind::File, text.len() as u64, 0o644) };
            world.files.insert(path.to_owned(), node);
        })
    }

    /// With a directory, and the directories above it.
    pub fn directory(self, path: &str) -> Host {
        self.with(|world| {
            world.make_parents(path);
            world.files.insert(path.to_owned(), Node::of(FileKind::Directory, 4096, 0o755));
        })
    }

    /// With a block device of `size` bytes.
    pub fn device(self, path: &str, size: u64) -> Host {
        self.add_device(path, size);
        self
    }

    /// Makes a block device, as a faked program does that activates one.
    pub fn add_device(&self, path: &str, size: u64) {
        self.change(|world| {
            world.make_parents(path);
            world.files.insert(path.to_owned(), Node::of(FileKind::Block, size, 0o660));
            world.devices.insert(path.to_owned(), Device { path: path.to_owned(), size, read_only: false });
        });
    }

    /// Takes a block device away. False if somebody holds it: it is mounted, or [`Host::busy`].
    pub fn release_device(&self, path: &str) -> bool {
        self.change(|world| {
            let held = world.is_busy(path) || world.mounts.iter().any(|entry| entry.source == path);
            if !held {
                world.devices.remove(path);
                world.files.remove(path);
            }
            !held
        })
    }

    /// With a device or image file that holds something: `ext4`, `LVM2_member`.
    pub fn signature(self, path: &str, kind: &str) -> Host {
        self.set_signature(path, kind);
        self
    }

    /// The file system on a device gets a label.
    pub fn set_label(&self, path: &str, label: &str) {
        self.change(|world| {
            let path = world.backing(path).to_owned();
            if let Some(signature) = world.signatures.get_mut(&path) {
                signature.label = label.to_owned();
            }
        });
    }

    /// Writes a signature, as a faked mkfs does.
    pub fn set_signature(&self, path: &str, kind: &str) {
        let signature = Signature { kind: kind.to_owned(), label: String::new(), uuid: String::new() };
        self.change(|world| {
            let path = world.backing(path).to_owned();
            world.signatures.insert(path, signature);
        });
    }

    /// Gives what a device holds a UUID.
    pub fn set_uuid(&self, path: &str, uuid: &str) {
        self.change(|world| {
            let path = world.backing(path).to_owned();
            world.signatures.entry(path).and_modify(|signature| uuid.clone_into(&mut signature.uuid));
        });
    }

    /// Takes a signature away, as a faked wipefs does.
    pub fn clear_signature(&self, path: &str) {
        self.change(|world| {
            let path = world.backing(path).to_owned();
            world.signatures.remove(&path);
        });
    }

    /// With something mounted.
    pub fn mounted(self, fstype: &str, source: &str, target: &str) -> Host {
        let entry = MountEntry {
            source: source.to_owned(),
            root: "/".to_owned(),
            target: target.to_owned(),
            fstype: fstype.to_owned(),
            options: vec!["rw".to_owned()],
        };
        self.directory(target).with(|world| world.mounts.push(entry))
    }

    /// With a kernel that does not know a file system.
    pub fn without_filesystem(self, fstype: &str) -> Host {
        self.with(|world| world.unsupported.insert(fstype.to_owned()))
    }

    /// With so much room at a mount point.
    pub fn usage(self, target: &str, total: u64, free: u64) -> Host {
        self.with(|world| world.usage.insert(target.to_owned(), Usage { total, free }))
    }

    /// With a mount point that never answers.
    pub fn hung(self, target: &str) -> Host {
        self.with(|world| world.hung.insert(target.to_owned()))
    }

    /// With a device, backing file or mount point that somebody holds: releasing it is EBUSY.
    pub fn busy(self, what: &str) -> Host {
        self.with(|world| world.busy.insert(what.to_owned(), u64::MAX))
    }

    /// With one that somebody holds for a while.
    pub fn busy_for(self, duration: Duration, what: &str) -> Host {
        self.with(|world| {
            world.busy.insert(what.to_owned(), world.boot_ms + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// With a network interface that is up.
    pub fn link(self, name: &str) -> Host {
        self.with(|world| {
            let index = u32::try_from(world.links.len()).map_or(u32::MAX, |links| links + 1);
            let kind = if name == "lo" { "loopback" } else { "device" }.to_owned();
            let mac = "52:54:00:00:00:01".to_owned();
            let link = Link { name: name.to_owned(), index, up: true, carrier: true, mtu: 1500, mac, kind };
            world.links.insert(name.to_owned(), Interface { link, addresses: Vec::new() });
        })
    }

    /// With a bridge that is up.
    pub fn bridge(self, name: &str) -> Host {
        self.link(name).with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.kind = "bridge".to_owned();
            }
        })
    }

    /// With a network namespace that has nothing but `lo`: `container#1`, or the name or path of one.
    pub fn namespace(self, netns: &str) -> Host {
        let lo = NetnsLink {
            name: "lo".to_owned(),
            up: true,
            carrier: true,
            mac: "00:00:00:00:00:00".to_owned(),
            kind: "loopback".to_owned(),
            plugged: false,
        };
        let contents = Contents {
            links: vec![lo],
            addresses: vec![NetnsAddress { dev: "lo".to_owned(), cidr: "127.0.0.1/8".to_owned() }],
            routes: Vec::new(),
        };
        self.with(|world| world.namespaces.insert(netns.to_owned(), contents))
    }

    /// With a link in a network namespace that has an address and that no resource has plugged.
    pub fn inner_address(self, netns: &str, dev: &str, cidr: &str) -> Host {
        let link = NetnsLink {
            name: dev.to_owned(),
            up: true,
            carrier: true,
            mac: "52:54:00:00:00:02".to_owned(),
            kind: "veth".to_owned(),
            plugged: false,
        };
        let network = Route {
            destination: crate::cidr::destination(cidr).unwrap_or_default(),
            gateway: None,
            dev: Some(dev.to_owned()),
        };
        self.with(|world| {
            if let Some(contents) = world.namespaces.get_mut(netns) {
                contents.links.push(link);
                contents.addresses.push(NetnsAddress { dev: dev.to_owned(), cidr: cidr.to_owned() });
                contents.routes.push(network);
            }
        })
    }

    /// The namespace ends, with all that was made in it.
    pub fn end_namespace(&self, netns: &str) {
        self.change(|world| world.namespaces.remove(netns));
    }

    /// With an interface whose cable is out.
    pub fn without_carrier(self, name: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.carrier = false;
            }
        })
    }

    /// With an interface that is administratively down.
    pub fn link_down(self, name: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.up = false;
            }
        })
    }

    /// With an address on an interface: `10.0.0.9/24`.
    pub fn address(self, dev: &str, cidr: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(dev) {
                interface.addresses.push(Address { cidr: cidr.to_owned(), label: String::new() });
            }
        })
    }

    /// With a name that resolves.
    pub fn name(self, name: &str, addresses: &[&str]) -> Host {
        let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
        self.with(|world| world.names.insert(name.to_owned(), addresses))
    }

    /// With another host that answers for an address.
    pub fn neighbour(self, address: &str) -> Host {
        self.with(|world| world.neighbours.insert(address.to_owned()))
    }

    /// With a route.
    pub fn route(self, destination: &str, gateway: Option<&str>, dev: Option<&str>) -> Host {
        let route = Route {
            destination: destination.to_owned(),
            gateway: gateway.map(str::to_owned),
            dev: dev.map(str::to_owned),
        };
        self.with(|world| world.routes.push(route))
    }

    /// With a program that always ends so.
    pub fn program(self, path: &str, status: i32, stdout: &str) -> Host {
        let stdout = stdout.as_bytes().to_vec();
        self.program_with(path, move |_| Output {
            status,
            stdout: stdout.clone(),
            stderr: Vec::new(),
            truncated: false,
        })
    }

    /// With a program that does something.
    pub fn program_with(self, path: &str, program: impl Fn(&Run<'_>) -> Output + 'static) -> Host {
        self.with(|world| world.programs.insert(path.to_owned(), Rc::new(program)))
    }

    /// With a process that the resource started earlier.
    pub fn process(self, argv: &[&str]) -> Host {
        let argv = argv.iter().map(|arg| (*arg).to_owned()).collect();
        self.with(|world| super::imports::process::add_process(world, argv))
    }

    /// With a server that answers. Several answers to the same request are given in turn, the last one for ever. `to` is
    /// the whole address, or `unix:` and the socket and the request's path.
    pub fn answers(self, method: &str, to: &str, status: u16, body: &str) -> Host {
        let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        self.with(|world| world.answers.entry(format!("{method} {to}")).or_default().push_back(response))
    }

    /// With a server that answers whatever is asked of an address that begins so.
    pub fn server(self, base: &str, serve: impl Fn(&Asked<'_>) -> Result<Served, CapabilityError> + 'static) -> Host {
        self.with(|world| world.servers.push((base.to_owned(), Rc::new(serve))))
    }

    /// A block device goes, as one does that is unplugged.
    pub fn remove_device(&self, path: &str) {
        self.change(|world| {
            world.files.remove(path);
            world.devices.remove(path);
        });
    }

    /// With a value that the driver kept earlier. `scope` is `boot` or `persistent`.
    pub fn state(self, scope: &str, key: &str, value: &str) -> Host {
        self.with(|world| world.state.insert((scope.to_owned(), key.to_owned()), value.to_owned()))
    }
}
