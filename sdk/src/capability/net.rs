//! Links, addresses and routes of the node's network namespace. Grants: `net.link`, `net.addr`, `net.route`.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::{CapabilityResult, answer_milliseconds, host};
pub use crate::bindings::hostler::driver::net::{Address, Holder, Link, Route};
use crate::bindings::hostler::driver::types::Kv;

impl Link {
    /// What else the host says of the link, see the contract.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        attribute(&self.attributes, key)
    }

    /// Whether this is one of the names of the link.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.altnames.iter().any(|own| own == name)
    }
}

impl Route {
    /// A route to add, to remove, or to compare with.
    pub fn new(destination: &str, gateway: Option<&str>, dev: Option<&str>) -> Route {
        let [gateway, dev] = [gateway, dev].map(|text| text.map(str::to_owned));
        Route { destination: destination.to_owned(), gateway, dev, attributes: Vec::new() }
    }

    /// What the kernel says of the route, see the contract.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        attribute(&self.attributes, key)
    }

    /// Whether both lead to the same destination, by the same gateway and the same link.
    pub fn leads_like(&self, other: &Route) -> bool {
        // As addresses, because IPv6 has several spellings.
        let router = |route: &Route| route.gateway.as_ref().map(|gateway| gateway.parse::<IpAddr>());
        self.destination == other.destination && router(self) == router(other) && self.dev == other.dev
    }
}

/// The route as ip-route(8) writes it: `10.1.0.0/16 via 10.0.0.1 dev eth0`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.destination)?;
        self.gateway.iter().try_for_each(|gateway| write!(f, " via {gateway}"))?;
        self.dev.iter().try_for_each(|dev| write!(f, " dev {dev}"))
    }
}

pub(super) fn attribute<'a>(attributes: &'a [Kv], key: &str) -> Option<&'a str> {
    attributes.iter().find(|known| known.key == key).map(|known| known.value.as_str())
}

/// The link of this name with its addresses, or None if there is no such link.
pub fn find_link(dev: &str) -> CapabilityResult<Option<Link>> {
    Ok(host::net::find_link(dev)?)
}

/// The addresses of a host name. A numeric address is returned as it is.
pub fn resolve(name: &str) -> CapabilityResult<Vec<String>> {
    Ok(host::net::resolve(name)?)
}

/// The other holder of an address: another link of the node (except for a link-local address), or another host that answers within `timeout`. Other hosts are
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

/// Removes an address with exactly this prefix. False if the link did not have it.
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

/// Adds a route. False if one with the same destination, gateway and link exists already.
pub fn add_route(route: &Route) -> CapabilityResult<bool> {
    Ok(host::net::add_route(route)?)
}

/// Removes a route that the host added. False if it does not exist; one that another program added stays.
pub fn remove_route(route: &Route) -> CapabilityResult<bool> {
    Ok(host::net::remove_route(route)?)
}
