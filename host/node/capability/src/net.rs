//! `wit/net.wit`: links, addresses and routes of the node's network namespace.

use std::net::IpAddr;
use std::time::Duration;

use grant::op::{ChangeAddress, ChangeLink, ChangeRoute, ProbeAddress, ResolveName, SeeLink, SeeRoute};
use ipnet::IpNet;
use kernel::net::{self as network, Netlink};

use crate::{Effect, Error, Scope};

/// A network interface, as `link` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// Administratively up.
    pub up: bool,
    /// Whether something is at the other end.
    pub carrier: bool,
    /// The largest packet.
    pub mtu: u32,
    /// The hardware address.
    pub mac: String,
    /// `device`, `bridge`, `veth`…
    pub kind: String,
}

/// An address of a link, as `address` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// With its prefix length.
    pub cidr: String,
    /// `eth0:1`, or empty.
    pub label: String,
}

/// A route of the main table, as `route` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A prefix, or `default`.
    pub destination: String,
    /// Through which router.
    pub gateway: Option<String>,
    /// Through which link.
    pub dev: Option<String>,
}

/// Whoever has an address, as `holder` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its hardware address.
    pub mac: String,
    /// Its link, where it is no other host's.
    pub dev: Option<String>,
}

/// The link of that name.
pub async fn find_link(scope: &Scope, dev: &str) -> Result<Option<Link>, Error> {
    let op = SeeLink { dev: dev.to_owned() };
    let found = scope.look_async(op, |permit| async move { Ok(Netlink::open()?.find_link(&permit.op().dev).await?) });
    Ok(found.await?.map(Link::from))
}

/// The addresses of a link, or none if there is no such link.
pub async fn addresses(scope: &Scope, dev: &str) -> Result<Option<Vec<Address>>, Error> {
    let op = SeeLink { dev: dev.to_owned() };
    let list = scope.look_async(op, |permit| async move {
        let netlink = Netlink::open()?;
        let Some(link) = netlink.find_link(&permit.op().dev).await? else { return Ok(None) };
        Ok(Some(netlink.addresses(&link).await?))
    });
    Ok(list.await?.map(|addresses| addresses.into_iter().map(Address::from).collect()))
}

/// The addresses that a host name stands for.
pub async fn resolve(scope: &Scope, name: &str) -> Result<Vec<String>, Error> {
    let op = ResolveName { name: name.to_owned() };
    let resolved = scope.look_async(op, |permit| async move {
        let name = &permit.op().name;
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let found = tokio::net::lookup_host((name.as_str(), 0)).await;
        let addresses = found.map_err(|error| Error::Other(format!("cannot resolve {name}: {error}")))?;
        let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
        // From now on a grant of the name is one of these addresses.
        scope.grants().learn(&permit, &addresses);
        Ok(addresses)
    });
    Ok(distinct(resolved.await?).iter().map(IpAddr::to_string).collect())
}

/// Who else has the address.
pub async fn find_holder(scope: &Scope, dev: &str, address: &str, timeout_ms: u64) -> Result<Option<Holder>, Error> {
    let op = ProbeAddress { dev: dev.to_owned(), address: ip(address)? };
    let timeout = Duration::from_millis(timeout_ms).min(scope.remaining());
    let asked = scope.look_async(op, |permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &op.dev).await?;
        holder(&netlink, None, &link, op.address, timeout).await
    });
    asked.await
}

/// Who has the address but for this link: another link beside it, or another host that answers on it.
pub(crate) async fn holder(
    netlink: &Netlink,
    within: Option<&network::Namespace>,
    link: &network::Link,
    address: IpAddr,
    timeout: Duration,
) -> Result<Option<Holder>, Error> {
    let links: Vec<_> = netlink.links().await?.into_iter().filter(|other| other.index != link.index).collect();
    let found = netlink.addresses_of(&links).await?.into_iter().find(|(_, found)| found.cidr.addr() == address);
    if let Some((dev, _)) = found {
        let mac = links.iter().find(|other| other.name == dev).map(|other| mac_text(&other.mac)).unwrap_or_default();
        return Ok(Some(Holder { mac, dev: Some(dev) }));
    }
    if timeout.is_zero() {
        return Ok(None);
    }
    let claimant = network::claimant(within, link, address, timeout).await?;
    Ok(claimant.map(|mac| Holder { mac: mac_text(&mac), dev: None }))
}

/// Sets a link administratively up.
pub async fn set_up(scope: &Scope, dev: &str) -> Result<(), Error> {
    let op = ChangeLink { dev: dev.to_owned() };
    let set = scope.change_async(op, |permit| async move {
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

/// Adds an address. One that the link has already is `os(EEXIST)`.
pub async fn add_address(scope: &Scope, dev: &str, cidr: &str, label: &str) -> Result<(), Error> {
    let op = ChangeAddress { dev: dev.to_owned(), address: network_of(cidr)? };
    let added = scope.change_async(op, |permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &op.dev).await?;
        if netlink.add_address(&link, op.address, label).await? {
            return Ok(Effect::Touched(()));
        }
        Err(Error::Os { errno: EEXIST, text: format!("{} is on {} already", op.address, op.dev) })
    });
    added.await
}

/// Removes an address. False if it was not there.
pub async fn remove_address(scope: &Scope, dev: &str, cidr: &str) -> Result<bool, Error> {
    let op = ChangeAddress { dev: dev.to_owned(), address: network_of(cidr)? };
    let removed = scope.change_async(op, |permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let Some(link) = netlink.find_link(&op.dev).await? else { return Ok(Effect::Nothing(false)) };
        Ok(touched_if(netlink.remove_address(&link, op.address).await?))
    });
    removed.await
}

/// Tells the neighbours that the address lives here now.
pub async fn announce(scope: &Scope, dev: &str, address: &str) -> Result<(), Error> {
    let address = ip(address)?;
    let op = ChangeAddress { dev: dev.to_owned(), address: IpNet::from(address) };
    let announced = scope.change_async(op, |permit| async move {
        let link = existing(&Netlink::open()?, &permit.op().dev).await?;
        network::announce(None, &link, address).await?;
        Ok(Effect::Touched(()))
    });
    announced.await
}

/// The routes to `destination`, exactly.
pub async fn routes_to(scope: &Scope, destination: &str) -> Result<Vec<Route>, Error> {
    let prefixes = prefixes(destination, None)?;
    let op = SeeRoute { destination: destination.to_owned() };
    let listed = scope.look_async(op, |_| async move {
        let netlink = Netlink::open()?;
        let mut routes = Vec::new();
        for prefix in prefixes {
            routes.extend(netlink.routes_to(prefix).await?);
        }
        Ok(routes)
    });
    Ok(listed.await?.into_iter().map(Route::from).collect())
}

/// Adds a route. False if the same is already there.
pub async fn add_route(scope: &Scope, route: Route) -> Result<bool, Error> {
    let (op, route) = changed_route(route)?;
    let added = scope.change_async(op, |_| async move { Ok(touched_if(Netlink::open()?.add_route(&route).await?)) });
    added.await
}

/// Removes a route. False if it was not there.
pub async fn remove_route(scope: &Scope, route: Route) -> Result<bool, Error> {
    let (op, route) = changed_route(route)?;
    let removed =
        scope.change_async(op, |_| async move { Ok(touched_if(Netlink::open()?.remove_route(&route).await?)) });
    removed.await
}

const EEXIST: i32 = 17;

async fn existing(netlink: &Netlink, dev: &str) -> Result<network::Link, Error> {
    netlink.find_link(dev).await?.ok_or_else(|| Error::NotFound(format!("the link {dev}")))
}

pub(crate) fn touched_if(changed: bool) -> Effect<bool> {
    if changed { Effect::Touched(true) } else { Effect::Nothing(false) }
}

pub(crate) fn changed_route(route: Route) -> Result<(ChangeRoute, network::Route), Error> {
    let gateway = route.gateway.as_deref().map(ip).transpose()?;
    let destination = *prefixes(&route.destination, gateway)?
        .first()
        .ok_or_else(|| Error::Invalid(format!("{:?} is no destination", route.destination)))?;
    if gateway.is_none() && route.dev.is_none() {
        return Err(Error::Invalid(format!("the route to {} needs a gateway or a link", route.destination)));
    }
    let op = ChangeRoute { destination: route.destination, gateway, dev: route.dev.clone() };
    Ok((op, network::Route { destination, gateway, dev: route.dev }))
}

/// What a destination stands for. `default` is of the gateway's family, or of both where there is none.
fn prefixes(destination: &str, gateway: Option<IpAddr>) -> Result<Vec<IpNet>, Error> {
    if destination != "default" {
        return destination
            .parse()
            .map(|prefix| vec![prefix])
            .map_err(|_| expected("a prefix or `default`", destination));
    }
    let of_family = |is_ipv4| gateway.is_none_or(|gateway| gateway.is_ipv4() == is_ipv4);
    let ipv4 = IpNet::V4(ipnet::Ipv4Net::default());
    let ipv6 = IpNet::V6(ipnet::Ipv6Net::default());
    Ok([ipv4, ipv6].into_iter().filter(|prefix| of_family(matches!(prefix, IpNet::V4(_)))).collect())
}

pub(crate) fn ip(text: &str) -> Result<IpAddr, Error> {
    text.parse().map_err(|_| expected("an address", text))
}

pub(crate) fn network_of(text: &str) -> Result<IpNet, Error> {
    text.parse().map_err(|_| expected("an address with the length of its prefix", text))
}

fn expected(what: &str, found: &str) -> Error {
    Error::Invalid(format!("{found:?} is not {what}"))
}

/// In their order, each once: a resolver lists an address for every kind of socket.
fn distinct(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut seen = std::collections::HashSet::new();
    addresses.into_iter().filter(|address| seen.insert(*address)).collect()
}

pub(crate) fn mac_text(mac: &[u8]) -> String {
    let bytes: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

impl From<network::Link> for Link {
    fn from(link: network::Link) -> Link {
        Link {
            name: link.name,
            index: link.index,
            up: link.up,
            carrier: link.carrier,
            mtu: link.mtu,
            mac: mac_text(&link.mac),
            kind: link.kind,
        }
    }
}

impl From<network::Address> for Address {
    fn from(address: network::Address) -> Address {
        Address { cidr: address.cidr.to_string(), label: address.label }
    }
}

impl From<network::Route> for Route {
    fn from(route: network::Route) -> Route {
        let is_default = route.destination.prefix_len() == 0;
        Route {
            destination: if is_default { "default".to_owned() } else { route.destination.to_string() },
            gateway: route.gateway.map(|gateway| gateway.to_string()),
            dev: route.dev,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_of_the_gateways_family_or_of_both() {
        let check = |destination, gateway: Option<&str>, expected: &[&str]| {
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            let prefixes: Vec<_> = prefixes(destination, gateway).unwrap().iter().map(IpNet::to_string).collect();
            assert_eq!(prefixes, expected);
        };
        check("default", None, &["0.0.0.0/0", "::/0"]);
        check("default", Some("10.0.0.1"), &["0.0.0.0/0"]);
        check("default", Some("fd00::1"), &["::/0"]);
        check("10.1.0.0/16", Some("10.0.0.1"), &["10.1.0.0/16"]);
        assert!(prefixes("10.1.0.0", None).is_err());
    }

    #[test]
    fn a_route_leads_somewhere() {
        let route = Route { destination: "default".to_owned(), gateway: None, dev: None };
        assert_eq!(
            changed_route(route),
            Err(Error::Invalid("the route to default needs a gateway or a link".to_owned()))
        );
    }
}
