//! The imports of `wit/net.wit`.

use grant::op::ChangeRoute;

use super::{ImportResult, not_found, os};
pub(crate) use crate::bindings::hostler::driver::net::{Address, Holder, Link, Route};
use crate::errno::EEXIST;
use crate::fake::Host;
use crate::fake::ledger::HeldThing;
use crate::fake::world::{HostState, NetworkInterface};

pub(crate) fn find_link(dev: &str) -> ImportResult<Option<Link>> {
    let found =
        |interface: &NetworkInterface| Link { addresses: interface.addresses.clone(), ..interface.link.clone() };
    Host::read("net.find-link", dev, |world| Ok(named(world, dev).map(|interface| found(interface))))
}

/// The interface with this name or alternative name.
fn named<'w>(world: &'w mut HostState, name: &str) -> Option<&'w mut NetworkInterface> {
    world.links.values_mut().find(|interface| interface.link.is_called(name))
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
        let Some(interface) = named(world, dev).map(|interface| interface.clone()) else { return not_found(dev) };
        // As the contract says: lo has no neighbours, and a timeout of 0 asks none.
        let asks = interface.link.kind != "loopback" && timeout_ms > 0;
        let has = |other: &NetworkInterface| {
            other.addresses.iter().any(|found| found.cidr.split('/').next() == Some(address))
        };
        if let Some((name, other)) =
            world.links.iter().find(|(name, other)| **name != interface.link.name && has(other))
        {
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
        let Some(interface) = named(world, dev) else { return not_found(dev) };
        interface.link.up = true;
        world.changes += 1;
        Ok(())
    })
}

pub(crate) fn add_address(dev: &str, cidr: &str, label: &str) -> ImportResult<()> {
    Host::mutate("net.add-address", &format!("{dev} {cidr}"), |world| {
        let Some(interface) = named(world, dev) else { return not_found(dev) };
        // The kernel's answer to an address that the link has already.
        if interface.addresses.iter().any(|address| address.cidr == cidr) {
            return os(EEXIST, format!("add {cidr} to {dev}"));
        }
        interface.addresses.push(Address { cidr: cidr.to_owned(), label: label.to_owned(), flags: Vec::new() });
        let dev = interface.link.name.clone();
        world.hold(HeldThing::Address { netns: None, dev, cidr: cidr.to_owned() });
        world.changes += 1;
        Ok(())
    })
}

pub(crate) fn remove_address(dev: &str, cidr: &str) -> ImportResult<bool> {
    Host::mutate("net.remove-address", &format!("{dev} {cidr}"), |world| {
        let Some(interface) = named(world, dev) else { return not_found(dev) };
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
        if named(world, dev).is_some() { Ok(()) } else { not_found(dev) }
    })
}

pub(crate) fn routes_to(destination: &str) -> ImportResult<Vec<Route>> {
    Host::read("net.routes-to", destination, |world| {
        let destination = whole(&Route::new(destination, None, None)).destination;
        Ok(world.routes.iter().filter(|route| route.destination == destination).cloned().collect())
    })
}

pub(crate) fn add_route(r: &Route) -> ImportResult<bool> {
    Host::current("net.add-route").hold("net.add-route", &change_of(r));
    Host::mutate("net.add-route", &r.destination, |world| {
        let route = whole(r);
        if world.routes.iter().any(|there| there.leads_like(&route)) {
            return Ok(false);
        }
        world.routes.push(route.clone());
        world.hold(HeldThing::Route { netns: None, route });
        world.changes += 1;
        Ok(true)
    })
}

pub(crate) fn remove_route(r: &Route) -> ImportResult<bool> {
    Host::current("net.remove-route").hold("net.remove-route", &change_of(r));
    Host::mutate("net.remove-route", &r.destination, |world| {
        let before = world.routes.len();
        let route = whole(r);
        world.routes.retain(|there| !there.leads_like(&route) || !is_own(there));
        let removed = world.routes.len() < before;
        world.forget(|held| held.is_route(None, &route));
        world.changes += u32::from(removed);
        Ok(removed)
    })
}

/// The operation on a route.
pub(super) fn change_of(route: &Route) -> ChangeRoute {
    let gateway = route.gateway.as_ref().and_then(|gateway| gateway.parse().ok());
    ChangeRoute { destination: route.destination.clone(), gateway, dev: route.dev.clone() }
}

/// The route as the kernel has it: `default` is of one family.
pub(super) fn whole(route: &Route) -> Route {
    let gateway = route.gateway.as_ref().and_then(|gateway| gateway.parse().ok());
    let destination = crate::cidr::destination(&route.destination, gateway);
    Route {
        destination: destination.unwrap_or_else(|| route.destination.clone()),
        attributes: Vec::new(),
        ..route.clone()
    }
}

/// Whether the host added the route, and no other program.
pub(super) fn is_own(route: &Route) -> bool {
    route.attribute("proto").is_none_or(|proto| proto == "static")
}
