//! Links, addresses and routes of the node's network namespace. Grants: `net.link`, `net.addr`, `net.route`.

use std::time::Duration;

use super::{Answer, host, milliseconds};
pub use crate::bindings::hostler::driver::net::{Address, Holder, Link, Route};

/// The link, or none if there is none of that name.
pub fn find_link(dev: &str) -> Answer<Option<Link>> {
    Ok(host::net::find_link(dev)?)
}

/// The addresses of a link, or none if there is no such link.
pub fn addresses(dev: &str) -> Answer<Option<Vec<Address>>> {
    Ok(host::net::addresses(dev)?)
}

/// The addresses that a host name stands for, numeric ones included.
pub fn resolve(name: &str) -> Answer<Vec<String>> {
    Ok(host::net::resolve(name)?)
}

/// Who else has the address: another link of the node, or another host that answers within `timeout`. Nobody else is asked with
/// a timeout of zero, or on a link without neighbours, such as `lo`.
pub fn find_holder(dev: &str, address: &str, timeout: Duration) -> Answer<Option<Holder>> {
    Ok(host::net::find_holder(dev, address, milliseconds(timeout))?)
}

/// Sets a link administratively up.
pub fn set_up(dev: &str) -> Answer<()> {
    Ok(host::net::set_up(dev)?)
}

/// Adds an address with its prefix length. `label` is for the eyes of old tools, and may be empty.
pub fn add_address(dev: &str, cidr: &str, label: &str) -> Answer<()> {
    Ok(host::net::add_address(dev, cidr, label)?)
}

/// Removes an address. False if it was not there.
pub fn remove_address(dev: &str, cidr: &str) -> Answer<bool> {
    Ok(host::net::remove_address(dev, cidr)?)
}

/// Tells the neighbours that the address lives here now.
pub fn announce(dev: &str, address: &str) -> Answer<()> {
    Ok(host::net::announce(dev, address)?)
}

/// The routes to `destination`, exactly.
pub fn routes_to(destination: &str) -> Answer<Vec<Route>> {
    Ok(host::net::routes_to(destination)?)
}

/// Adds a route. False if the same is already there.
pub fn add_route(route: &Route) -> Answer<bool> {
    Ok(host::net::add_route(route)?)
}

/// Removes a route. False if it was not there.
pub fn remove_route(route: &Route) -> Answer<bool> {
    Ok(host::net::remove_route(route)?)
}
