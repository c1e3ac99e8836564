//! Links, addresses and routes of the node's network namespace. Grants: `net.link`, `net.addr`, `net.route`.

use std::time::Duration;

use super::{CapabilityResult, answer_milliseconds, host};
pub use crate::bindings::hostler::driver::net::{Address, Holder, Link, Route};

/// The link of this name, or None if there is no such link.
pub fn find_link(dev: &str) -> CapabilityResult<Option<Link>> {
    Ok(host::net::find_link(dev)?)
}

/// The addresses of a link, or None if there is no such link.
pub fn addresses(dev: &str) -> CapabilityResult<Option<Vec<Address>>> {
    Ok(host::net::addresses(dev)?)
}

/// The addresses of a host name. A numeric address is returned as it is.
pub fn resolve(name: &str) -> CapabilityResult<Vec<String>> {
    Ok(host::net::resolve(name)?)
}

/// The other holder of an address: another link of the node, or another host that answers within `timeout`. Other hosts are
/// not asked if the timeout is zero or the link has no neighbours, such as `lo`.
pub fn find_holder(dev: &str, address: &str, timeout: Duration) -> CapabilityResult<Option<Holder>> {
    Ok(host::net::find_holder(dev, address, answer_milliseconds(timeout))?)
}

/// Sets a link administratively up.
pub fn set_up(dev: &str) -> CapabilityResult<()> {
    Ok(host::net::set_up(dev)?)
}

/// Adds an address with its prefix length. `label` is what old tools such as ifconfig(8) show, and may be empty.
pub fn add_address(dev: &str, cidr: &str, label: &str) -> CapabilityResult<()> {
    Ok(host::net::add_address(dev, cidr, label)?)
}

/// Removes an address. False if the link did not have it.
pub fn remove_address(dev: &str, cidr: &str) -> CapabilityResult<bool> {
    Ok(host::net::remove_address(dev, cidr)?)
}

/// Announces to the neighbours that the address is at this link now.
pub fn announce(dev: &str, address: &str) -> CapabilityResult<()> {
    Ok(host::net::announce(dev, address)?)
}

/// The routes to exactly this destination.
pub fn routes_to(destination: &str) -> CapabilityResult<Vec<Route>> {
    Ok(host::net::routes_to(destination)?)
}

/// Adds a route. False if the same route exists already.
pub fn add_route(route: &Route) -> CapabilityResult<bool> {
    Ok(host::net::add_route(route)?)
}

/// Removes a route. False if it did not exist.
pub fn remove_route(route: &Route) -> CapabilityResult<bool> {
    Ok(host::net::remove_route(route)?)
}
