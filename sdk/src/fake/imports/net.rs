//! The imports of `wit/net.wit`.

use super::{ImportResult, not_found, os};
pub(crate) use crate::bindings::hostler::driver::net::{Address, Holder, Link, Route};
use crate::errno::EEXIST;
use crate::fake::Host;
use crate::fake::ledger::HeldThing;
use crate::fake::world::{HostState, NetworkInterface};

pub(crate) fn find_link(dev: &str) -> ImportResult<Option<Link>> {
    Host::read("net.find-link", dev, |world| Ok(world.links.get(dev).map(|interface| interface.link.clone())))
}

pub(crate) fn addresses(dev: &str) -> ImportResult<Option<Vec<Address>>> {
    Host::read("net.addresses", dev, |world| Ok(world.links.get(dev).map(|interface| interface.addresses.clone())))
}

pub(crate) fn resolve(name: &str) -> ImportResult<Vec<String>> {
    Host::read("net.resolve", name, |world| {
        if name.parse::<std::net::IpAddr>().is_ok() {
            return Ok(vec![name.to_owned()]);
        }
        world.names.get(name).cloned().map_or_else(|| not_found(name), Ok)
    })
}

pub(crate) fn find_holder(dev: &str, address: &str, timeout_ms: u64) -> ImportResult<Option<Holder>> {
    Host::read("net.find-holder", &format!("{dev} {address}"), |world| {
        let Some(interface) = world.links.get(dev) else { return not_found(dev) };
        // As the contract says: lo has no neighbours, and a timeout of 0 asks none.
        let asks = interface.link.kind != "loopback" && timeout_ms > 0;
        let has = |other: &NetworkInterface| {
            other.addresses.iter().any(|found| found.cidr.split('/').next() == Some(address))
        };
        if let Some((name, other)) = world.links.iter().find(|(name, other)| *name != dev && has(other)) {
            return Ok(Some(Holder { mac: other.link.mac.clone(), dev: Some(name.clone()) }));
        }
        Ok(if asks { neighbour(world, address, timeout_ms) } else { None })
    })
}

/// The neighbour that has the address.
pub(super) fn neighbour(world: &mut HostState, address: &str, timeout_ms: u64) -> Option<Holder> {
    if world.neighbours.contains(address) {
        return Some(Holder { mac: "02:00:00:00:00:99".to_owned(), dev: None });
    }
    // An unanswered probe takes the whole timeout.
    world.boot_ms += timeout_ms;
    None
}

pub(crate) fn set_up(dev: &str) -> ImportResult<()> {
    Host::mutate("net.set-up", dev, |world| {
        let Some(interface) = world.links.get_mut(dev) else { return not_found(dev) };
        interface.link.up = true;
        world.changes += 1;
        Ok(())
    })
}

pub(crate) fn add_address(dev: &str, cidr: &str, label: &str) -> ImportResult<()> {
    Host::mutate("net.add-address", &format!("{dev} {cidr}"), |world| {
        let Some(interface) = world.links.get_mut(dev) else { return not_found(dev) };
        if interface.addresses.iter().any(|address| address.cidr == cidr) {
            return os(EEXIST, format!("add {cidr} to {dev}"));
        }
        interface.addresses.push(Address { cidr: cidr.to_owned(), label: label.to_owned() });
        world.hold(HeldThing::Address { netns: None, dev: dev.to_owned(), cidr: cidr.to_owned() });
        world.changes += 1;
        Ok(())
    })
}

pub(crate) fn remove_address(dev: &str, cidr: &str) -> ImportResult<bool> {
    Host::mutate("net.remove-address", &format!("{dev} {cidr}"), |world| {
        let Some(interface) = world.links.get_mut(dev) else { return not_found(dev) };
        let before = interface.addresses.len();
        interface.addresses.retain(|address| address.cidr != cidr);
        let removed = interface.addresses.len() < before;
        world.forget(|held| held.is_address(None, dev, cidr));
        world.changes += u32::from(removed);
        Ok(removed)
    })
}

pub(crate) fn announce(dev: &str, address: &str) -> ImportResult<()> {
    Host::mutate("net.announce", &format!("{dev} {address}"), |world| {
        // Not counted as a change, unlike on the host: a driver may announce an address again that is already there.
        if world.links.contains_key(dev) { Ok(()) } else { not_found(dev) }
    })
}

pub(crate) fn routes_to(destination: &str) -> ImportResult<Vec<Route>> {
    Host::read("net.routes-to", destination, |world| {
        Ok(world.routes.iter().filter(|route| route.destination == destination).cloned().collect())
    })
}

pub(crate) fn add_route(r: &Route) -> ImportResult<bool> {
    Host::mutate("net.add-route", &r.destination, |world| {
        if world.routes.contains(r) {
            return Ok(false);
        }
        world.routes.push(r.clone());
        world.hold(HeldThing::Route { netns: None, route: r.clone() });
        world.changes += 1;
        Ok(true)
    })
}

pub(crate) fn remove_route(r: &Route) -> ImportResult<bool> {
    Host::mutate("net.remove-route", &r.destination, |world| {
        let before = world.routes.len();
        world.routes.retain(|route| route != r);
        let removed = world.routes.len() < before;
        world.forget(|held| held.is_route(None, r));
        world.changes += u32::from(removed);
        Ok(removed)
    })
}
