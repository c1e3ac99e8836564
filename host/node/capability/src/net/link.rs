//! Links: found by their names, set up; and the addresses of host names.

use std::net::IpAddr;

use grant::op::{ChangeLink, ResolveName, SeeLink};
use kernel::net::{self as network, Netlink};

use super::entry::{AddressEntry, LinkEntry, link_attributes};
use crate::{CallContext, CapabilityError, Effect};

/// Finds a link by one of its names, with its addresses.
pub async fn find_link(context: &CallContext, dev: &str) -> Result<Option<LinkEntry>, CapabilityError> {
    let op = SeeLink { dev: dev.to_owned() };
    let found = context.admit(op)?.waiting(|permit| async move {
        let netlink = Netlink::open()?;
        let Some(link) = netlink.find_link(&permit.op().dev).await? else { return Ok(Effect::Nothing(None)) };
        let addresses = netlink.addresses(&link).await?.into_iter().map(AddressEntry::from).collect();
        let controller = match link.controller {
            Some(index) => netlink.link_at(index).await?.map(|controller| controller.name),
            None => None,
        };
        let attributes = link_attributes(&link, controller);
        Ok(Effect::Nothing(Some(LinkEntry { addresses, attributes, ..LinkEntry::from(link) })))
    });
    found.await
}

/// Resolves a host name to its addresses.
pub async fn resolve(context: &CallContext, name: &str) -> Result<Vec<String>, CapabilityError> {
    let op = ResolveName { name: name.to_owned() };
    let resolved = context.admit(op)?.waiting(|permit| async move {
        let name = &permit.op().name;
        // An address needs no resolver, and no grant learns anything from it.
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(Effect::Nothing(vec![address]));
        }
        let found = tokio::net::lookup_host((name.as_str(), 0)).await;
        let addresses = found.map_err(|error| CapabilityError::Other(format!("cannot resolve {name}: {error}")))?;
        let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
        // From now on a grant that names the host covers these addresses, and only these.
        context.grants().learn(&permit, &addresses);
        Ok(Effect::Nothing(addresses))
    });
    Ok(distinct(resolved.await?).iter().map(IpAddr::to_string).collect())
}

/// Sets a link administratively up.
pub async fn set_up(context: &CallContext, dev: &str) -> Result<(), CapabilityError> {
    let op = ChangeLink { dev: dev.to_owned() };
    let set = context.admit(op)?.waiting(|permit| async move {
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &permit.op().dev).await?;
        if link.up {
            return Ok(Effect::Nothing(()));
        }
        netlink.set_up(&link).await?;
        Ok(Effect::Touched(()))
    });
    set.await
}

pub(super) async fn existing(netlink: &Netlink, dev: &str) -> Result<network::NetworkLink, CapabilityError> {
    netlink.find_link(dev).await?.ok_or_else(|| CapabilityError::NotFound(format!("the link {dev}")))
}

/// The addresses in their order, each once: a resolver lists an address for every kind of socket.
fn distinct(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut seen = std::collections::HashSet::new();
    addresses.into_iter().filter(|address| seen.insert(*address)).collect()
}
