//! Links, addresses and routes within a network namespace. Grants: `netns.link`, `netns.addr`, `netns.route`, `netns`.

use std::time::Duration;

use super::net::attribute;
use super::{CapabilityResult, answer_milliseconds, host};
pub use crate::bindings::hostler::driver::netns::{Address, Contents, Link};
use crate::bindings::hostler::driver::types::Kv;
use crate::net::{Holder, Route};

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

impl Contents {
    /// What else the host says of the namespace, see the contract.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        attribute(&self.attributes, key)
    }
}

/// The contents of the namespace, or None if it does not exist now.
pub fn look(netns: &str) -> CapabilityResult<Option<Contents>> {
    Ok(host::netns::look(netns)?)
}

/// The other holder of an address, as seen from a link of the namespace: another link in it, or another host that answers
/// within `timeout`.
pub fn find_holder(netns: &str, dev: &str, address: &str, timeout: Duration) -> CapabilityResult<Option<Holder>> {
    Ok(host::netns::find_holder(netns, dev, address, answer_milliseconds(timeout))?)
}

/// Plugs a link into the namespace. The mode is `bridge`, `macvlan` or `dedicated`. If `name` or `mac` is None, the host
/// chooses it.
pub fn plug(netns: &str, mode: &str, dev: &str, name: Option<&str>, mac: Option<&str>) -> CapabilityResult<Link> {
    // Pairs and not parameters, because a function of WIT can never get another parameter.
    let options = [("name", name), ("mac", mac)];
    let options: Vec<Kv> = options.into_iter().filter_map(|(key, value)| Some(option(key, value?))).collect();
    Ok(host::netns::plug(netns, mode, dev, &options)?)
}

/// Removes the link that this resource plugged in this way. False if there was none.
pub fn unplug(netns: &str, mode: &str, dev: &str) -> CapabilityResult<bool> {
    Ok(host::netns::unplug(netns, mode, dev)?)
}

/// Adds an address, with or without the route to its network. False if the link already has it.
pub fn add_address(netns: &str, dev: &str, cidr: &str, network_route: bool) -> CapabilityResult<bool> {
    Ok(host::netns::add_address(netns, dev, cidr, &[option("network-route", &network_route.to_string())])?)
}

/// Removes an address. False if the link did not have it.
pub fn remove_address(netns: &str, dev: &str, cidr: &str) -> CapabilityResult<bool> {
    Ok(host::netns::remove_address(netns, dev, cidr)?)
}

/// Announces to the neighbours that the address is at this link now.
pub fn announce(netns: &str, dev: &str, address: &str) -> CapabilityResult<()> {
    Ok(host::netns::announce(netns, dev, address)?)
}

/// Adds a route. False if the same route exists already. With `onlink` the kernel assumes that the gateway is on the
/// route's link.
pub fn add_route(netns: &str, route: &Route, onlink: bool) -> CapabilityResult<bool> {
    Ok(host::netns::add_route(netns, route, &[option("onlink", &onlink.to_string())])?)
}

/// Removes a route. False if it did not exist.
pub fn remove_route(netns: &str, route: &Route) -> CapabilityResult<bool> {
    Ok(host::netns::remove_route(netns, route)?)
}

fn option(key: &str, value: &str) -> Kv {
    Kv { key: key.to_owned(), value: value.to_owned() }
}
