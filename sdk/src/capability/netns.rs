//! Links, addresses and routes within a network namespace. Grants: `netns.link`, `netns.addr`, `netns.route`, `netns`.

use std::time::Duration;

use super::{Answer, host, milliseconds};
pub use crate::bindings::hostler::driver::netns::{Address, Contents, Link};
use crate::bindings::hostler::driver::types::Kv;
use crate::net::{Holder, Route};

/// What is in the namespace, or none if there is no such namespace now.
pub fn look(netns: &str) -> Answer<Option<Contents>> {
    Ok(host::netns::look(netns)?)
}

/// Who else has the address, for a link of the namespace: another link in it, or another host that answers within `timeout`.
pub fn find_holder(netns: &str, dev: &str, address: &str, timeout: Duration) -> Answer<Option<Holder>> {
    Ok(host::netns::find_holder(netns, dev, address, milliseconds(timeout))?)
}

/// Plugs a link into the namespace: `bridge`, `macvlan` or `dedicated`. `name` and `mac` are left to the host where they are
/// none.
pub fn plug(netns: &str, mode: &str, dev: &str, name: Option<&str>, mac: Option<&str>) -> Answer<Link> {
    let options = [("name", name), ("mac", mac)];
    let options: Vec<Kv> = options.into_iter().filter_map(|(key, value)| Some(option(key, value?))).collect();
    Ok(host::netns::plug(netns, mode, dev, &options)?)
}

/// Takes out what this resource has plugged so. False if there was nothing.
pub fn unplug(netns: &str, mode: &str, dev: &str) -> Answer<bool> {
    Ok(host::netns::unplug(netns, mode, dev)?)
}

/// Adds an address, with or without the route to its network. False if it was there.
pub fn add_address(netns: &str, dev: &str, cidr: &str, network_route: bool) -> Answer<bool> {
    Ok(host::netns::add_address(netns, dev, cidr, &[option("network-route", &network_route.to_string())])?)
}

/// Removes an address. False if it was not there.
pub fn remove_address(netns: &str, dev: &str, cidr: &str) -> Answer<bool> {
    Ok(host::netns::remove_address(netns, dev, cidr)?)
}

/// Tells the neighbours that the address lives here now.
pub fn announce(netns: &str, dev: &str, address: &str) -> Answer<()> {
    Ok(host::netns::announce(netns, dev, address)?)
}

/// Adds a route. False if the same is there. With `onlink` the gateway is taken to be on the link of the route.
pub fn add_route(netns: &str, route: &Route, onlink: bool) -> Answer<bool> {
    Ok(host::netns::add_route(netns, route, &[option("onlink", &onlink.to_string())])?)
}

/// Removes a route. False if it was not there.
pub fn remove_route(netns: &str, route: &Route) -> Answer<bool> {
    Ok(host::netns::remove_route(netns, route)?)
}

fn option(key: &str, value: &str) -> Kv {
    Kv { key: key.to_owned(), value: value.to_owned() }
}
