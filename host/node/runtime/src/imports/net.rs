//! `wit/net.wit`: the node's network.

use bindings::driver::hostler::driver::net::{Address, Holder, Host, Link, Route};
use capability::net;

use super::bounds::within_bounds;
use super::{ImportAnswer, answer, kvs, pairs};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn find_link(&mut self, dev: String) -> ImportAnswer<Option<Link>> {
        within_bounds!(dev);
        answer(net::find_link(&self.scope, &dev).await.map(|found| found.map(link)))
    }

    async fn resolve(&mut self, name: String) -> ImportAnswer<Vec<String>> {
        within_bounds!(name);
        answer(net::resolve(&self.scope, &name).await)
    }

    async fn find_holder(&mut self, dev: String, address: String, timeout_ms: u64) -> ImportAnswer<Option<Holder>> {
        within_bounds!(dev, address);
        answer(net::find_holder(&self.scope, &dev, &address, timeout_ms).await.map(|found| found.map(holder)))
    }

    async fn set_up(&mut self, dev: String) -> ImportAnswer<()> {
        within_bounds!(dev);
        answer(net::set_up(&self.scope, &dev).await)
    }

    async fn add_address(&mut self, dev: String, cidr: String, label: String) -> ImportAnswer<()> {
        within_bounds!(dev, cidr, label);
        answer(net::add_address(&self.scope, &dev, &cidr, &label).await)
    }

    async fn remove_address(&mut self, dev: String, cidr: String) -> ImportAnswer<bool> {
        within_bounds!(dev, cidr);
        answer(net::remove_address(&self.scope, &dev, &cidr).await)
    }

    async fn announce(&mut self, dev: String, address: String) -> ImportAnswer<()> {
        within_bounds!(dev, address);
        answer(net::announce(&self.scope, &dev, &address).await)
    }

    async fn routes_to(&mut self, destination: String) -> ImportAnswer<Vec<Route>> {
        within_bounds!(destination);
        let found = net::routes_to(&self.scope, &destination).await;
        answer(found.map(|list| list.into_iter().map(to_route).collect::<Vec<_>>()))
    }

    async fn add_route(&mut self, r: Route) -> ImportAnswer<bool> {
        within_bounds!(r);
        answer(net::add_route(&self.scope, from_route(r)).await)
    }

    async fn remove_route(&mut self, r: Route) -> ImportAnswer<bool> {
        within_bounds!(r);
        answer(net::remove_route(&self.scope, from_route(r)).await)
    }
}

pub(super) fn holder(found: net::AddressHolder) -> Holder {
    let net::AddressHolder { mac, dev } = found;
    Holder { mac, dev }
}

fn link(found: net::LinkEntry) -> Link {
    let net::LinkEntry { name, index, up, carrier, mtu, mac, kind, altnames, addresses, attributes } = found;
    let addresses = addresses.into_iter().map(address).collect();
    Link { name, index, up, carrier, mtu, mac, kind, altnames, addresses, attributes: kvs(attributes) }
}

fn address(found: net::AddressEntry) -> Address {
    let net::AddressEntry { cidr, label, flags } = found;
    Address { cidr, label, flags }
}

pub(super) fn to_route(found: net::RouteEntry) -> Route {
    let net::RouteEntry { destination, gateway, dev, attributes } = found;
    Route { destination, gateway, dev, attributes: kvs(attributes) }
}

pub(super) fn from_route(asked: Route) -> net::RouteEntry {
    let Route { destination, gateway, dev, attributes } = asked;
    net::RouteEntry { destination, gateway, dev, attributes: pairs(attributes) }
}
