//! The imports of `wit/netns.wit`.

use grant::op::ChangeNetnsRoute;

use super::net::{change_of, is_own, neighbour, whole};
use super::{ImportResult, not_found, os};
use crate::bindings::hostler::driver::net::{Holder, Route};
use crate::bindings::hostler::driver::netns::{Address, Contents, Link};
use crate::bindings::hostler::driver::types::{CapabilityError, Kv};
use crate::cidr::{destination, holds};
use crate::errno::{EEXIST, ENETUNREACH};
use crate::fake::Host;
use crate::fake::ledger::HeldThing;
use crate::fake::world::HostState;

pub(crate) fn look(netns: &str) -> ImportResult<Option<Contents>> {
    Host::read("netns.look", netns, |world| Ok(world.namespaces.get(netns).cloned()))
}

pub(crate) fn find_holder(netns: &str, dev: &str, address: &str, timeout_ms: u64) -> ImportResult<Option<Holder>> {
    Host::read("netns.find-holder", &format!("{netns} {dev} {address}"), |world| {
        inside(world, netns, dev)?;
        Ok(neighbour(world, address, timeout_ms))
    })
}

pub(crate) fn plug(netns: &str, mode: &str, dev: &str, options: &[Kv]) -> ImportResult<Link> {
    let option = |key: &str| options.iter().find(|option| option.key == key).map(|option| option.value.clone());
    Host::mutate("netns.plug", &format!("{netns} {mode} {dev}"), |world| {
        let Some(contents) = world.namespaces.get_mut(netns) else { return not_found(netns) };
        // A link that this resource plugged stays: plug is idempotent.
        if let Some(own) = contents.links.iter().find(|link| link.plugged) {
            return Ok(own.clone());
        }
        let Some(interface) = world.links.get(dev) else { return not_found(dev) };
        let kind = match (mode, interface.link.kind.as_str()) {
            ("bridge", "bridge") => "veth",
            ("bridge", _) => return Err(CapabilityError::Invalid(format!("{dev} is not a bridge"))),
            ("macvlan", _) => "macvlan",
            // A dedicated interface is moved as it is.
            (_, kind) => kind,
        };
        let taken = |name: &str| contents.links.iter().any(|link| link.name == name);
        let free = (0..).map(|number| format!("eth{number}")).find(|name| !taken(name)).unwrap_or_default();
        let name = option("name").unwrap_or(free);
        if taken(&name) {
            return os(EEXIST, format!("move {name} into the network namespace"));
        }
        let mac = option("mac").unwrap_or_else(|| interface.link.mac.clone());
        let link = Link {
            name,
            up: true,
            carrier: interface.link.up,
            mac,
            kind: kind.to_owned(),
            plugged: true,
            altnames: Vec::new(),
            attributes: contents.attributes.clone(),
        };
        contents.links.push(link.clone());
        let held = HeldThing::Link {
            netns: netns.to_owned(),
            mode: mode.to_owned(),
            dev: dev.to_owned(),
            name: link.name.clone(),
        };
        // A dedicated interface leaves the node, until unplug returns it.
        if mode == "dedicated" {
            let lent = world.links.remove(dev);
            world.lent.extend(lent.map(|interface| (netns.to_owned(), interface)));
        }
        world.hold(held);
        world.changes += 1;
        Ok(link)
    })
}

pub(crate) fn unplug(netns: &str, mode: &str, dev: &str) -> ImportResult<bool> {
    Host::mutate("netns.unplug", &format!("{netns} {mode} {dev}"), |world| Ok(take_out(world, netns)))
}

/// Removes the link that was plugged into the namespace. False if there is none.
pub(super) fn take_out(world: &mut HostState, netns: &str) -> bool {
    // Looked up even if the namespace is gone: the kernel then returns its interfaces to the node.
    let lent = world.lent.remove(netns);
    let given_back = lent.is_some();
    world.links.extend(lent.map(|interface| (interface.link.name.clone(), interface)));
    let own = world.namespaces.get_mut(netns).is_some_and(take_own);
    world.forget(|held| matches!(held, HeldThing::Link { netns: of, .. } if of == netns));
    world.changes += u32::from(own || given_back);
    own || given_back
}

/// Removes the link that was plugged, with its addresses and routes. False if there is none.
fn take_own(contents: &mut Contents) -> bool {
    let Some(at) = contents.links.iter().position(|link| link.plugged) else { return false };
    let name = contents.links.remove(at).name;
    contents.addresses.retain(|address| address.dev != name);
    contents.routes.retain(|route| route.dev.as_ref() != Some(&name));
    true
}

pub(crate) fn add_address(netns: &str, dev: &str, cidr: &str, options: &[Kv]) -> ImportResult<bool> {
    // An option that is left out is true.
    let network_route = options.iter().all(|option| option.key != "network-route" || option.value == "true");
    Host::mutate("netns.add-address", &format!("{netns} {dev} {cidr}"), |world| {
        let contents = inside(world, netns, dev)?;
        if contents.addresses.iter().any(|address| address.cidr == cidr) {
            return Ok(false);
        }
        contents.addresses.push(Address { dev: dev.to_owned(), cidr: cidr.to_owned(), flags: Vec::new() });
        if network_route {
            let destination = destination(cidr, None).unwrap_or_default();
            contents.routes.push(Route::new(&destination, None, Some(dev)));
        }
        let [netns, dev, cidr] = [netns, dev, cidr].map(str::to_owned);
        world.hold(HeldThing::Address { netns: Some(netns), dev, cidr });
        world.changes += 1;
        Ok(true)
    })
}

pub(crate) fn remove_address(netns: &str, dev: &str, cidr: &str) -> ImportResult<bool> {
    Host::mutate("netns.remove-address", &format!("{netns} {dev} {cidr}"), |world| {
        let contents = inside(world, netns, dev)?;
        let before = contents.addresses.len();
        contents.addresses.retain(|address| address.dev != dev || address.cidr != cidr);
        let removed = contents.addresses.len() < before;
        // With an address, the kernel also removes the route to its network.
        let network = destination(cidr, None).unwrap_or_default();
        contents.routes.retain(|route| route.destination != network || route.gateway.is_some());
        world.forget(|held| held.is_address(Some(netns), dev, cidr));
        world.changes += u32::from(removed);
        Ok(removed)
    })
}

pub(crate) fn announce(netns: &str, dev: &str, address: &str) -> ImportResult<()> {
    Host::mutate("netns.announce", &format!("{netns} {dev} {address}"), |world| inside(world, netns, dev).map(drop))
}

/// Like the kernel, this accepts a gateway only if a route reaches it, or with `onlink`.
pub(crate) fn add_route(netns: &str, r: &Route, options: &[Kv]) -> ImportResult<bool> {
    let onlink = options.iter().any(|option| option.key == "onlink" && option.value == "true");
    Host::current("netns.add-route").hold("netns.add-route", &change_in(netns, r));
    Host::mutate("netns.add-route", &format!("{netns} {}", r.destination), |world| {
        let Some(contents) = world.namespaces.get_mut(netns) else { return not_found(netns) };
        let route = whole(r);
        if contents.routes.iter().any(|there| there.leads_like(&route)) {
            return Ok(false);
        }
        let router = r.gateway.as_ref().and_then(|gateway| gateway.parse().ok());
        let reached = |router| contents.routes.iter().any(|route| holds(&route.destination, router));
        if router.is_some_and(|router| !onlink && !reached(router)) {
            return os(ENETUNREACH, format!("add the route to {}", r.destination));
        }
        contents.routes.push(route.clone());
        world.hold(HeldThing::Route { netns: Some(netns.to_owned()), route });
        world.changes += 1;
        Ok(true)
    })
}

pub(crate) fn remove_route(netns: &str, r: &Route) -> ImportResult<bool> {
    Host::current("netns.remove-route").hold("netns.remove-route", &change_in(netns, r));
    Host::mutate("netns.remove-route", &format!("{netns} {}", r.destination), |world| {
        let Some(contents) = world.namespaces.get_mut(netns) else { return not_found(netns) };
        let before = contents.routes.len();
        let route = whole(r);
        contents.routes.retain(|there| !there.leads_like(&route) || !is_own(there));
        let removed = contents.routes.len() < before;
        world.forget(|held| held.is_route(Some(netns), &route));
        world.changes += u32::from(removed);
        Ok(removed)
    })
}

/// The operation on a route in a namespace.
fn change_in(netns: &str, route: &Route) -> ChangeNetnsRoute {
    ChangeNetnsRoute { route: change_of(route), netns: netns.to_owned() }
}

/// The namespace, if it contains that link.
fn inside<'w>(world: &'w mut HostState, netns: &str, dev: &str) -> ImportResult<&'w mut Contents> {
    let contents = world.namespaces.get_mut(netns);
    match contents.filter(|contents| contents.links.iter().any(|link| link.name == dev)) {
        Some(contents) => Ok(contents),
        None => not_found(&format!("{dev} in {netns}")),
    }
}
