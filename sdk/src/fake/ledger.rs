//! The ledger of the in-memory host: what calls of drivers made, and nothing has undone yet.

use super::world::HostState;
use crate::bindings::hostler::driver::holdings::Holding;
use crate::bindings::hostler::driver::mount::MountEntry;
use crate::bindings::hostler::driver::net::Route;
use crate::bindings::hostler::driver::types::Kv;
use crate::holdings::DEVICE;

/// A holding of one resource.
#[derive(Debug, Clone)]
pub(crate) struct FakeHolding {
    pub(crate) rid: String,
    pub(crate) id: String,
    pub(crate) thing: HeldThing,
}

/// The thing itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeldThing {
    Mount {
        fstype: String,
        source: String,
        target: String,
        /// Where it is by now.
        now: String,
    },
    Loop {
        device: String,
        file: String,
        /// The path of the file by now.
        now: String,
    },
    Address {
        netns: Option<String>,
        dev: String,
        cidr: String,
    },
    Route {
        netns: Option<String>,
        route: Route,
    },
    Link {
        netns: String,
        mode: String,
        dev: String,
        name: String,
    },
    Processes,
    Container {
        engine: String,
        id: String,
        name: String,
    },
    Declared {
        scope: String,
        kind: String,
        id: String,
        label: String,
    },
}

impl FakeHolding {
    /// What is only in the kernel's memory does not.
    pub(crate) fn outlives_a_reboot(&self) -> bool {
        match &self.thing {
            // The engine has its containers on disk.
            HeldThing::Container { .. } => true,
            HeldThing::Declared { scope, .. } => scope == "persistent",
            _ => false,
        }
    }

    /// As `wit/holdings.wit` has it.
    pub(crate) fn shown(&self, world: &HostState) -> Holding {
        let mut attributes = self.thing.attributes();
        attributes.extend(self.thing.mount_now(world));
        attributes.extend(self.thing.devices_now(world).map(|path| ("device", path)));
        Holding {
            kind: self.thing.kind().to_owned(),
            id: self.id.clone(),
            label: self.thing.label(),
            attributes: attributes.into_iter().map(|(key, value)| Kv { key: key.to_owned(), value }).collect(),
            present: self.thing.is_present(world),
        }
    }
}

impl HeldThing {
    pub(crate) fn mount(entry: &MountEntry) -> HeldThing {
        HeldThing::Mount {
            fstype: entry.fstype.clone(),
            source: entry.source.clone(),
            target: entry.target.clone(),
            now: entry.target.clone(),
        }
    }

    pub(crate) fn is_mount(&self, entry: &MountEntry) -> bool {
        matches!(self, HeldThing::Mount { fstype, source, now, .. }
            if (fstype, source, now) == (&entry.fstype, &entry.source, &entry.target))
    }

    pub(crate) fn is_address(&self, within: Option<&str>, on: &str, address: &str) -> bool {
        matches!(self, HeldThing::Address { netns, dev, cidr }
            if (netns.as_deref(), dev.as_str(), cidr.as_str()) == (within, on, address))
    }

    pub(crate) fn is_route(&self, within: Option<&str>, same: &Route) -> bool {
        matches!(self, HeldThing::Route { netns, route } if netns.as_deref() == within && route.leads_like(same))
    }

    fn kind(&self) -> &str {
        match self {
            HeldThing::Mount { .. } => "mount",
            HeldThing::Loop { .. } => "loop",
            HeldThing::Address { .. } => "address",
            HeldThing::Route { .. } => "route",
            HeldThing::Link { .. } => "link",
            HeldThing::Processes => "process-group",
            HeldThing::Container { .. } => "container",
            HeldThing::Declared { kind, .. } => kind,
        }
    }

    /// The words of the real host.
    pub(crate) fn label(&self) -> String {
        match self {
            HeldThing::Mount { fstype, source, target, .. } if fstype == source || source == "none" => {
                format!("{fstype} on {target}")
            }
            HeldThing::Mount { fstype, source, target, .. } => format!("{fstype} of {source} on {target}"),
            HeldThing::Loop { device, file, .. } => format!("{device} on {file}"),
            HeldThing::Address { netns, dev, cidr } => format!("{cidr} on {dev}{}", inside(netns.as_deref())),
            HeldThing::Route { netns, route } => {
                let gateway = route.gateway.iter().map(|gateway| format!(" by {gateway}"));
                let dev = route.dev.iter().map(|dev| format!(" on {dev}"));
                let way: String = gateway.chain(dev).collect();
                format!("the route to {}{way}{}", route.destination, inside(netns.as_deref()))
            }
            HeldThing::Link { netns, mode, dev, name } => format!("{name} ({mode} of {dev}) in {netns}"),
            HeldThing::Processes => "processes".to_owned(),
            HeldThing::Container { id, name, .. } => {
                // As engines show an id. Those of tests may be shorter.
                format!("the container {name} ({})", id.get(..12).unwrap_or(id))
            }
            HeldThing::Declared { kind, id, label, .. } if label.is_empty() => format!("{kind} {id}"),
            HeldThing::Declared { label, .. } => label.clone(),
        }
    }

    fn attributes(&self) -> Vec<(&'static str, String)> {
        let known = |list: Vec<(&'static str, Option<&String>)>| -> Vec<(&'static str, String)> {
            list.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))).collect()
        };
        match self {
            HeldThing::Mount { fstype, source, target, now } => known(vec![
                ("source", Some(source)),
                ("target", Some(target)),
                ("fstype", Some(fstype)),
                ("target-now", Some(now).filter(|now| *now != target)),
            ]),
            HeldThing::Loop { device, file, now } => known(vec![
                ("device", Some(device)),
                ("file", Some(file)),
                ("file-now", Some(now).filter(|now| *now != file)),
            ]),
            HeldThing::Address { netns, dev, cidr } => {
                known(vec![("netns", netns.as_ref()), ("dev", Some(dev)), ("cidr", Some(cidr))])
            }
            HeldThing::Route { netns, route } => known(vec![
                ("netns", netns.as_ref()),
                ("destination", Some(&route.destination)),
                ("gateway", route.gateway.as_ref()),
                ("dev", route.dev.as_ref()),
            ]),
            HeldThing::Link { netns, mode, dev, name } => {
                known(vec![("netns", Some(netns)), ("mode", Some(mode)), ("dev", Some(dev)), ("name", Some(name))])
            }
            HeldThing::Processes => Vec::new(),
            HeldThing::Container { engine, id, name } => {
                known(vec![("engine", Some(engine)), ("name", Some(name)), ("container", Some(id))])
            }
            HeldThing::Declared { scope, .. } => known(vec![("scope", Some(scope))]),
        }
    }

    /// The options of a mount, and what hides it.
    fn mount_now(&self, world: &HostState) -> Vec<(&'static str, String)> {
        // The last one of several that are alike, which is the topmost.
        let Some(at) = world.mounts.iter().rposition(|entry| self.is_mount(entry)) else { return Vec::new() };
        let own = &world.mounts[at];
        let over = world.mounts[at + 1..].iter().find(|entry| entry.target == own.target);
        let over = over.map(|over| ("hidden-by", format!("{} {}", over.fstype, over.source)));
        std::iter::once(("options", own.options.join(","))).chain(over).collect()
    }

    /// The devices that exist of a declared one.
    pub(crate) fn devices_now(&self, world: &HostState) -> impl Iterator<Item = String> {
        let id = match self {
            HeldThing::Declared { kind, id, .. } if kind == DEVICE => Some(id),
            _ => None,
        };
        let there = world
            .identities
            .iter()
            .filter(|(path, known)| world.devices.contains_key(*path) && id.is_some_and(|id| is_like(id, known)));
        there.map(|(path, _)| path.clone()).collect::<Vec<_>>().into_iter()
    }

    fn is_present(&self, world: &HostState) -> bool {
        let within = |netns: &String| world.namespaces.get(netns);
        match self {
            HeldThing::Mount { .. } => world.mounts.iter().any(|entry| self.is_mount(entry)),
            HeldThing::Loop { device, now, .. } => world.loops.get(device) == Some(now),
            HeldThing::Address { netns: None, dev, cidr } => {
                world.links.get(dev).is_some_and(|link| link.addresses.iter().any(|address| address.cidr == *cidr))
            }
            HeldThing::Address { netns: Some(netns), dev, cidr } => within(netns)
                .is_some_and(|seen| seen.addresses.iter().any(|found| (&found.dev, &found.cidr) == (dev, cidr))),
            HeldThing::Route { netns: None, route } => world.routes.iter().any(|there| there.leads_like(route)),
            HeldThing::Route { netns: Some(netns), route } => {
                within(netns).is_some_and(|seen| seen.routes.iter().any(|there| there.leads_like(route)))
            }
            HeldThing::Link { netns, .. } => {
                let plugged = within(netns).is_some_and(|seen| seen.links.iter().any(|link| link.plugged));
                // A dedicated interface is still away from the node when its namespace is gone, until it is given back.
                plugged || world.lent.contains_key(netns)
            }
            HeldThing::Processes => !world.processes.is_empty(),
            HeldThing::Container { engine, id, .. } => {
                world.containers.get(engine).is_some_and(|containers| containers.runs(id))
            }
            // Of what only the driver knows, the host cannot say that it is gone.
            HeldThing::Declared { kind, .. } => kind != DEVICE || self.devices_now(world).next().is_some(),
        }
    }
}

/// Whether an id is like one in which `*` stands for any text.
fn is_like(pattern: &str, id: &str) -> bool {
    // A group of volumes is one holding for all of its devices: `dm:LVM-GROUP*`.
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == id };
    id.strip_prefix(head).is_some_and(|id| (0..=id.len()).any(|at| is_like(rest, &id[at..])))
}

fn inside(netns: Option<&str>) -> String {
    netns.map_or_else(String::new, |netns| format!(" in {netns}"))
}

impl HostState {
    /// Records that the running driver's call made a thing.
    pub(crate) fn hold(&mut self, thing: HeldThing) {
        self.next_holding += 1;
        let id = match &thing {
            // The driver's own id, by which it is withdrawn. All others are opaque, as on a node.
            HeldThing::Declared { id, .. } => id.clone(),
            _ => format!("boot.{}", self.next_holding),
        };
        self.holdings.push(FakeHolding { rid: self.rid.clone(), id, thing });
    }

    /// The same, unless the resource holds it already.
    pub(crate) fn hold_once(&mut self, thing: HeldThing) {
        // The processes of a resource are one group, however many it starts.
        if !self.holdings.iter().any(|held| held.rid == self.rid && held.thing == thing) {
            self.hold(thing);
        }
    }

    /// Records that these are gone.
    pub(crate) fn forget(&mut self, which: impl Fn(&HeldThing) -> bool) {
        self.holdings.retain(|held| !which(&held.thing));
    }

    /// Records that one of these is gone, the latest.
    pub(crate) fn forget_one(&mut self, which: impl Fn(&HeldThing) -> bool) {
        // Two mounts that are alike may lie on each other, and one call takes off the upper one alone.
        if let Some(at) = self.holdings.iter().rposition(|held| which(&held.thing)) {
            self.holdings.remove(at);
        }
    }
}
