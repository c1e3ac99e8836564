//! The functions with which a test prepares the host.

use std::rc::Rc;
use std::time::Duration;

use super::Host;
use super::ledger::HeldThing;
use super::world::{FakeContainers, FakeVolume, FileNode, NetworkInterface, ProgramRun, ServerRequest, ServerResponse};
use crate::CapabilityError;
use crate::bindings::hostler::driver::block::{Device, Signature};
use crate::bindings::hostler::driver::http::Response;
use crate::bindings::hostler::driver::mount::{MountEntry, Usage};
use crate::bindings::hostler::driver::net::{Address, Link, Route};
use crate::bindings::hostler::driver::netns::{Address as NetnsAddress, Contents, Link as NetnsLink};
use crate::bindings::hostler::driver::types::Kv;
use crate::files::FileKind;
use crate::process::Output;

/// An address within a namespace.
fn inner(dev: &str, cidr: &str) -> NetnsAddress {
    NetnsAddress { dev: dev.to_owned(), cidr: cidr.to_owned(), flags: Vec::new() }
}

impl Host {
    /// Adds a file of `size` bytes, and the directories above it.
    pub fn file(self, path: &str, size: u64) -> Host {
        self.with(|world| {
            world.make_parents(path);
            world.files.insert(path.to_owned(), FileNode::of(FileKind::File, size, 0o644));
        })
    }

    /// Adds a file that contains a text.
    pub fn text_file(self, path: &str, text: &str) -> Host {
        self.with(|world| {
            world.make_parents(path);
            let node = FileNode {
                content: text.as_bytes().to_vec(),
                ..FileNode::of(FileKind::File, text.len() as u64, 0o644)
            };
            world.files.insert(path.to_owned(), node);
        })
    }

    /// Adds a directory, and the directories above it.
    pub fn directory(self, path: &str) -> Host {
        self.with(|world| {
            world.make_parents(path);
            world.files.insert(path.to_owned(), FileNode::of(FileKind::Directory, 4096, 0o755));
        })
    }

    /// Adds a block device of `size` bytes.
    pub fn device(self, path: &str, size: u64) -> Host {
        self.add_device(path, size);
        self
    }

    /// Creates a block device, for a faked program that activates one.
    pub fn add_device(&self, path: &str, size: u64) {
        self.change(|world| {
            world.make_parents(path);
            world.files.insert(path.to_owned(), FileNode::of(FileKind::Block, size, 0o660));
            // In both tables: drivers see a device as a file (stat) and as a device (find).
            world.devices.insert(path.to_owned(), Device { path: path.to_owned(), size, read_only: false });
        });
    }

    /// Makes a block device one of device-mapper or an array, with the id that `block::identity_of` gives.
    pub fn identify(&self, path: &str, id: &str) {
        self.change(|world| world.identities.insert(path.to_owned(), id.to_owned()));
    }

    /// Removes a block device. False if it is in use: mounted, or [`Host::busy`].
    pub fn release_device(&self, path: &str) -> bool {
        self.change(|world| {
            // Device-mapper and arrays refuse it with EBUSY.
            let held = world.is_busy(path) || world.mounts.iter().any(|entry| entry.source == path);
            if !held {
                world.devices.remove(path);
                world.identities.remove(path);
                world.files.remove(path);
            }
            !held
        })
    }

    /// Adds a signature to a device or image file: `ext4`, `LVM2_member`.
    pub fn signature(self, path: &str, kind: &str) -> Host {
        self.set_signature(path, kind);
        self
    }

    /// Sets the label of the file system on a device.
    pub fn set_label(&self, path: &str, label: &str) {
        self.change(|world| {
            let path = world.backing(path).to_owned();
            // The label is part of a file system, so a device without one cannot have a label.
            if let Some(signature) = world.signatures.get_mut(&path) {
                signature.label = label.to_owned();
            }
        });
    }

    /// Writes a signature, for a faked mkfs.
    pub fn set_signature(&self, path: &str, kind: &str) {
        let signature = Signature { kind: kind.to_owned(), label: String::new(), uuid: String::new() };
        self.change(|world| {
            let path = world.backing(path).to_owned();
            world.signatures.insert(path, signature);
        });
    }

    /// Sets the UUID of the content of a device.
    pub fn set_uuid(&self, path: &str, uuid: &str) {
        self.change(|world| {
            let path = world.backing(path).to_owned();
            // Like the label, a part of what is on the device.
            world.signatures.entry(path).and_modify(|signature| uuid.clone_into(&mut signature.uuid));
        });
    }

    /// Removes a signature, for a faked wipefs.
    pub fn clear_signature(&self, path: &str) {
        self.change(|world| {
            let path = world.backing(path).to_owned();
            world.signatures.remove(&path);
        });
    }

    /// Adds a mount.
    pub fn mounted(self, fstype: &str, source: &str, target: &str) -> Host {
        let entry = MountEntry {
            source: source.to_owned(),
            root: "/".to_owned(),
            target: target.to_owned(),
            fstype: fstype.to_owned(),
            options: vec!["rw".to_owned()],
        };
        // Without a holding: it was there before any driver's call, like one that an operator has mounted.
        self.directory(target).with(|world| world.mounts.push(entry))
    }

    /// Renames a file behind the driver's back. A loop device on it goes along.
    pub fn rename(&self, from: &str, to: &str) {
        self.change(|world| {
            world.make_parents(to);
            if let Some(node) = world.files.remove(from) {
                world.files.insert(to.to_owned(), node);
            }
            if let Some(signature) = world.signatures.remove(from) {
                world.signatures.insert(to.to_owned(), signature);
            }
            // The kernel has the file itself, so that a loop device shows the new name of it
            // (`loop/backing_file` in sysfs).
            world.loops.values_mut().filter(|file| *file == from).for_each(|file| to.clone_into(file));
            for held in &mut world.holdings {
                match &mut held.thing {
                    HeldThing::Loop { now, .. } if now == from => to.clone_into(now),
                    _ => {}
                }
            }
        });
    }

    /// Moves a mount behind the driver's back, or renames the directory that it is on.
    pub fn move_mount(&self, from: &str, to: &str) {
        self.change(|world| {
            world.make_parents(to);
            world.files.entry(to.to_owned()).or_insert_with(|| FileNode::of(FileKind::Directory, 4096, 0o755));
            world
                .mounts
                .iter_mut()
                .filter(|entry| entry.target == from)
                .for_each(|entry| to.clone_into(&mut entry.target));
            for held in &mut world.holdings {
                match &mut held.thing {
                    // A holding is of the thing, and stays present wherever it is by now: a stop must find it there.
                    HeldThing::Mount { now, .. } if now == from => to.clone_into(now),
                    _ => {}
                }
            }
        });
    }

    /// Removes the kernel's support for a file system.
    pub fn without_filesystem(self, fstype: &str) -> Host {
        self.with(|world| world.unsupported.insert(fstype.to_owned()))
    }

    /// Sets the size and the free space of a mount point.
    pub fn usage(self, target: &str, total: u64, free: u64) -> Host {
        self.with(|world| world.usage.insert(target.to_owned(), Usage { total, free }))
    }

    /// Makes a mount point never answer.
    pub fn hung(self, target: &str) -> Host {
        self.with(|world| world.hung.insert(target.to_owned()))
    }

    /// Sets how many errors of the disk the file system on a mount point has counted.
    pub fn count_errors(&self, target: &str, errors: u64) {
        self.change(|world| world.disk_errors.insert(target.to_owned(), errors));
    }

    /// Adds a symbolic link to a directory that exists.
    pub fn symlink(self, link: &str, to: &str) -> Host {
        self.with(|world| {
            world.make_parents(link);
            world.files.insert(link.to_owned(), FileNode::of(FileKind::Symlink, 0, 0o777));
            world.symlinks.insert(link.to_owned(), to.to_owned());
        })
    }

    /// Marks a device, backing file or mount point as in use: releasing it is EBUSY.
    pub fn busy(self, what: &str) -> Host {
        // Until a time that never comes.
        self.with(|world| world.busy.insert(what.to_owned(), u64::MAX))
    }

    /// Marks a device, backing file or mount point as in use for a while.
    pub fn busy_for(self, duration: Duration, what: &str) -> Host {
        self.with(|world| {
            world.busy.insert(what.to_owned(), world.boot_ms + u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// Adds a network interface that is up.
    pub fn link(self, name: &str) -> Host {
        self.with(|world| {
            // The kernel counts from 1, which is lo.
            let index = u32::try_from(world.links.len()).map_or(u32::MAX, |links| links + 1);
            let kind = if name == "lo" { "loopback" } else { "device" }.to_owned();
            let mac = "52:54:00:00:00:01".to_owned();
            let link = Link {
                name: name.to_owned(),
                index,
                up: true,
                carrier: true,
                mtu: 1500,
                mac,
                kind,
                altnames: Vec::new(),
                addresses: Vec::new(),
                attributes: Vec::new(),
            };
            world.links.insert(name.to_owned(), NetworkInterface { link, addresses: Vec::new() });
        })
    }

    /// Adds a bridge that is up.
    pub fn bridge(self, name: &str) -> Host {
        self.link(name).with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.kind = "bridge".to_owned();
            }
        })
    }

    /// Adds a network namespace that contains only `lo`. It is called `container#1`, or by a name or path.
    pub fn namespace(self, netns: &str) -> Host {
        let lo = NetnsLink {
            name: "lo".to_owned(),
            up: true,
            carrier: true,
            mac: "00:00:00:00:00:00".to_owned(),
            kind: "loopback".to_owned(),
            plugged: false,
            altnames: Vec::new(),
            attributes: Vec::new(),
        };
        let contents = Contents {
            links: vec![lo],
            addresses: vec![inner("lo", "127.0.0.1/8")],
            routes: Vec::new(),
            attributes: Vec::new(),
        };
        self.with(|world| world.namespaces.insert(netns.to_owned(), contents))
    }

    /// Adds a link with an address to a network namespace, which no resource plugged.
    pub fn inner_address(self, netns: &str, dev: &str, cidr: &str) -> Host {
        let link = NetnsLink {
            name: dev.to_owned(),
            up: true,
            carrier: true,
            mac: "52:54:00:00:00:02".to_owned(),
            kind: "veth".to_owned(),
            plugged: false,
            altnames: Vec::new(),
            attributes: Vec::new(),
        };
        // With an address, the kernel also adds the route to its network.
        let network = Route::new(&crate::cidr::destination(cidr, None).unwrap_or_default(), None, Some(dev));
        self.with(|world| {
            if let Some(contents) = world.namespaces.get_mut(netns) {
                contents.links.push(link);
                contents.addresses.push(inner(dev, cidr));
                contents.routes.push(network);
            }
        })
    }

    /// Removes a namespace with everything in it.
    pub fn end_namespace(&self, netns: &str) {
        // An interface that was moved into it is back on the node at the next `unplug`. The
        // kernel brings it back at once.
        self.change(|world| world.namespaces.remove(netns));
    }

    /// Removes the carrier of an interface.
    pub fn without_carrier(self, name: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.carrier = false;
            }
        })
    }

    /// Sets an interface administratively down.
    pub fn link_down(self, name: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.up = false;
            }
        })
    }

    /// Adds an address to an interface: `10.0.0.9/24`.
    pub fn address(self, dev: &str, cidr: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(dev) {
                let address = Address { cidr: cidr.to_owned(), label: String::new(), flags: Vec::new() };
                interface.addresses.push(address);
            }
        })
    }

    /// Adds a flag of ip-address(8) to an address of the node: `dadfailed`.
    pub fn address_flag(self, cidr: &str, flag: &str) -> Host {
        self.with(|world| {
            let addresses = world.links.values_mut().flat_map(|interface| &mut interface.addresses);
            addresses.filter(|address| address.cidr == cidr).for_each(|address| address.flags.push(flag.to_owned()));
        })
    }

    /// Gives an interface another name, see `altname` in ip-link(8).
    pub fn altname(self, name: &str, altname: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.altnames.push(altname.to_owned());
            }
        })
    }

    /// Adds what else the host says of an interface: `ipv6`, `disabled`.
    pub fn link_attribute(self, name: &str, key: &str, value: &str) -> Host {
        self.with(|world| {
            if let Some(interface) = world.links.get_mut(name) {
                interface.link.attributes.push(Kv { key: key.to_owned(), value: value.to_owned() });
            }
        })
    }

    /// Makes a namespace take no IPv6 address on a new link.
    pub fn without_ipv6_in(self, netns: &str) -> Host {
        self.with(|world| {
            if let Some(contents) = world.namespaces.get_mut(netns) {
                contents.attributes.push(Kv { key: "ipv6".to_owned(), value: "disabled".to_owned() });
            }
        })
    }

    /// Adds a host name and its addresses.
    pub fn name(self, name: &str, addresses: &[&str]) -> Host {
        let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
        self.with(|world| world.names.insert(name.to_owned(), addresses))
    }

    /// Adds another host that has an address.
    pub fn neighbour(self, address: &str) -> Host {
        self.with(|world| world.neighbours.insert(address.to_owned()))
    }

    /// Adds a route.
    pub fn route(self, destination: &str, gateway: Option<&str>, dev: Option<&str>) -> Host {
        self.with(|world| world.routes.push(Route::new(destination, gateway, dev)))
    }

    /// Adds a route with what the kernel says of it: `proto`, `dhcp`.
    pub fn route_like(self, route: Route, attributes: &[(&str, &str)]) -> Host {
        let attribute = |(key, value): &(&str, &str)| Kv { key: (*key).to_owned(), value: (*value).to_owned() };
        let attributes = attributes.iter().map(attribute).collect();
        self.with(|world| world.routes.push(Route { attributes, ..route }))
    }

    /// Adds a program that always exits with this status and output.
    pub fn program(self, path: &str, status: i32, stdout: &str) -> Host {
        let stdout = stdout.as_bytes().to_vec();
        self.program_with(path, move |_| Output {
            status,
            stdout: stdout.clone(),
            stderr: Vec::new(),
            truncated: false,
        })
    }

    /// Adds a program with this behaviour.
    pub fn program_with(self, path: &str, program: impl Fn(&ProgramRun<'_>) -> Output + 'static) -> Host {
        self.with(|world| world.programs.insert(path.to_owned(), Rc::new(program)))
    }

    /// Adds a process that the resource started earlier.
    pub fn process(self, argv: &[&str]) -> Host {
        let argv = argv.iter().map(|arg| (*arg).to_owned()).collect();
        self.with(|world| super::imports::process::add_process(world, argv))
    }

    /// Adds a response to a request. Several responses to the same request are given in turn; the last one stays. `to` is the
    /// whole URL, or `unix:` followed by the socket and the request's path.
    pub fn answers(self, method: &str, to: &str, status: u16, body: &str) -> Host {
        let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        self.with(|world| world.answers.entry(format!("{method} {to}")).or_default().push_back(response))
    }

    /// Adds a server that answers all requests to URLs with this prefix.
    pub fn server(
        self,
        base: &str,
        serve: impl Fn(&ServerRequest<'_>) -> Result<ServerResponse, CapabilityError> + 'static,
    ) -> Host {
        self.with(|world| world.servers.push((base.to_owned(), Rc::new(serve))))
    }

    /// Lets the host look at the containers of the engine on this socket, and stop them.
    pub fn containers(self, socket: &str, containers: impl FakeContainers + 'static) -> Host {
        self.with(|world| world.containers.insert(socket.to_owned(), Rc::new(containers)))
    }

    /// Records that the running driver's request made a container, as the host does.
    pub fn hold_container(&self, socket: &str, id: &str, name: &str) {
        let [engine, id, name] = [socket, id, name].map(str::to_owned);
        self.change(|world| world.hold(HeldThing::Container { engine, id, name }));
    }

    /// Records that a container was removed.
    pub fn forget_container(&self, removed: &str) {
        self.change(|world| world.forget(|held| matches!(held, HeldThing::Container { id, .. } if id == removed)));
    }

    /// Removes a block device, as if it were unplugged.
    pub fn remove_device(&self, path: &str) {
        self.change(|world| {
            // The signature stays, as on a disk that may be plugged in again.
            world.files.remove(path);
            world.devices.remove(path);
        });
    }

    /// Adds a volume, or replaces one.
    pub fn volume(self, name: &str, volume: FakeVolume) -> Host {
        self.with(|world| world.volumes.insert(name.to_owned(), volume))
    }

    /// Adds a value that the driver stored earlier. `scope` is `boot` or `persistent`.
    pub fn state(self, scope: &str, key: &str, value: &str) -> Host {
        self.with(|world| world.state.insert((scope.to_owned(), key.to_owned()), value.to_owned()))
    }
}
