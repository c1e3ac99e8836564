//! `wit/netns.wit`: network namespaces of others.

use bindings::driver::hostler::driver::net::{Holder, Route};
use bindings::driver::hostler::driver::netns::{Address, Contents, Host, Link};
use bindings::driver::hostler::driver::types::Kv;
use capability::netns;

use super::bounds::within_bounds;
use super::net::{from_route, holder, to_route};
use super::{ImportAnswer, answer, kvs, pairs};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn look(&mut self, netns: String) -> ImportAnswer<Option<Contents>> {
        within_bounds!(netns);
        answer(netns::look(&self.scope, &netns).await.map(|found| found.map(contents)))
    }

    async fn find_holder(
        &mut self,
        netns: String,
        dev: String,
        address: String,
        timeout_ms: u64,
    ) -> ImportAnswer<Option<Holder>> {
        within_bounds!(netns, dev, address);
        let found = netns::find_holder(&self.scope, &netns, &dev, &address, timeout_ms).await;
        answer(found.map(|found| found.map(holder)))
    }

    async fn plug(&mut self, netns: String, mode: String, dev: String, options: Vec<Kv>) -> ImportAnswer<Link> {
        within_bounds!(netns, mode, dev, options);
        answer(netns::plug(&self.scope, &netns, &mode, &dev, &pairs(options)).await.map(link))
    }

    async fn unplug(&mut self, netns: String, mode: String, dev: String) -> ImportAnswer<bool> {
        within_bounds!(netns, mode, dev);
        answer(netns::unplug(&self.scope, &netns, &mode, &dev).await)
    }

    async fn add_address(&mut self, netns: String, dev: String, cidr: String, options: Vec<Kv>) -> ImportAnswer<bool> {
        within_bounds!(netns, dev, cidr, options);
        answer(netns::add_address(&self.scope, &netns, &dev, &cidr, &pairs(options)).await)
    }

    async fn remove_address(&mut self, netns: String, dev: String, cidr: String) -> ImportAnswer<bool> {
        within_bounds!(netns, dev, cidr);
        answer(netns::remove_address(&self.scope, &netns, &dev, &cidr).await)
    }

    async fn announce(&mut self, netns: String, dev: String, address: String) -> ImportAnswer<()> {
        within_bounds!(netns, dev, address);
        answer(netns::announce(&self.scope, &netns, &dev, &address).await)
    }

    async fn add_route(&mut self, netns: String, r: Route, options: Vec<Kv>) -> ImportAnswer<bool> {
        within_bounds!(netns, r, options);
        answer(netns::add_route(&self.scope, &netns, from_route(r), &pairs(options)).await)
    }

    async fn remove_route(&mut self, netns: String, r: Route) -> ImportAnswer<bool> {
        within_bounds!(netns, r);
        answer(netns::remove_route(&self.scope, &netns, from_route(r)).await)
    }
}

fn contents(found: netns::NetnsContents) -> Contents {
    let address = |netns::NetnsAddress { dev, cidr, flags }| Address { dev, cidr, flags };
    Contents {
        links: found.links.into_iter().map(link).collect(),
        addresses: found.addresses.into_iter().map(address).collect(),
        routes: found.routes.into_iter().map(to_route).collect(),
        attributes: kvs(found.attributes),
    }
}

fn link(found: netns::NetnsLink) -> Link {
    let netns::NetnsLink { name, up, carrier, mac, kind, plugged, altnames, attributes } = found;
    Link { name, up, carrier, mac, kind, plugged, altnames, attributes: kvs(attributes) }
}
