//! `wit/net.wit`: links, addresses and routes in the network namespace of the node.

use std::net::IpAddr;
use std::time::Duration;

use driver::LogSeverity;
use grant::op::{ChangeAddress, ChangeLink, ChangeRoute, ProbeAddress, ResolveName, SeeLink, SeeRoute};
use holding::{AddressHolding, Holding, NamespaceIdentity, RouteHolding};
use ipnet::IpNet;
use kernel::net::{self as network, AddressRemoval, Netlink, RouteAddition};

use crate::holdings::{HoldingNote, other_owner};
use crate::{CallContext, CapabilityError, Effect};

/// A network interface, as `link` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEntry {
    pub name: String,
    /// The kernel's number of the link.
    pub index: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether something is connected at the other end.
    pub carrier: bool,
    pub mtu: u32,
    /// The hardware address.
    pub mac: String,
    /// `device`, `bridge`, `veth`…
    pub kind: String,
    /// Its other names.
    pub altnames: Vec<String>,
    pub addresses: Vec<AddressEntry>,
    /// What else is known of it.
    pub attributes: Vec<(String, String)>,
}

/// An address of a link, as `address` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressEntry {
    /// The address with the length of its prefix.
    pub cidr: String,
    /// `eth0:1`, or empty.
    pub label: String,
    /// As ip-address(8) prints them.
    pub flags: Vec<String>,
}

/// A route of the main table, as `route` of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteEntry {
    /// A prefix. A driver may also write `default`.
    pub destination: String,
    /// The router that it goes through.
    pub gateway: Option<String>,
    /// The link that it goes through.
    pub dev: Option<String>,
    /// What the kernel says of it. Not read from a driver.
    pub attributes: Vec<(String, String)>,
}

/// The holder of an address, as `holder` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressHolder {
    /// The hardware address of the holder.
    pub mac: String,
    /// The link of this node that has the address. None if another host has it.
    pub dev: Option<String>,
}

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

/// What the contract says of a link besides.
pub(crate) fn link_attributes(link: &network::NetworkLink, controller: Option<String>) -> Vec<(String, String)> {
    let ipv6 = link.disable_ipv6.then(no_ipv6);
    ipv6.into_iter().chain(controller.map(|controller| ("controller".to_owned(), controller))).collect()
}

/// The attribute of what takes no IPv6 address.
pub(crate) fn no_ipv6() -> (String, String) {
    ("ipv6".to_owned(), "disabled".to_owned())
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

/// Finds another link or another host that has the address.
pub async fn find_holder(
    context: &CallContext,
    dev: &str,
    address: &str,
    timeout_ms: u64,
) -> Result<Option<AddressHolder>, CapabilityError> {
    let op = ProbeAddress { dev: dev.to_owned(), address: ip(address)? };
    let timeout = Duration::from_millis(timeout_ms).min(context.remaining());
    let found = context.admit(op)?.waiting(|permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &op.dev).await?;
        let at = LinkPlace { netlink: &netlink, within: None, link: &link };
        holder(context, at, op.address, timeout).await.map(Effect::Nothing)
    });
    found.await
}

/// A link, and where it is asked about.
pub(crate) struct LinkPlace<'a> {
    pub(crate) netlink: &'a Netlink,
    /// Its namespace, if it is not the node's.
    pub(crate) within: Option<&'a network::NetworkNamespace>,
    pub(crate) link: &'a network::NetworkLink,
}

/// The holder of the address, other than this link: another link beside it, or another host that answers on it. A
/// `timeout` of zero asks no other host.
pub(crate) async fn holder(
    context: &CallContext,
    at: LinkPlace<'_>,
    address: IpAddr,
    timeout: Duration,
) -> Result<Option<AddressHolder>, CapabilityError> {
    let LinkPlace { netlink, within, link } = at;
    // The node's other links first: the node does not answer its own frames. A link-local address means another place on
    // each link, and all of them may have it.
    if !network::is_link_local(address) {
        let links: Vec<_> = netlink.links().await?.into_iter().filter(|other| other.index != link.index).collect();
        let found = netlink.addresses_of(&links).await?.into_iter().find(|(_, found)| found.cidr.addr() == address);
        let other = found.as_ref().and_then(|(dev, _)| links.iter().find(|other| other.name == *dev));
        if let (Some((dev, address)), Some(other)) = (found, other) {
            name_owner(context, within, other, address.cidr)?;
            return Ok(Some(AddressHolder { mac: mac_text(&other.mac), dev: Some(dev) }));
        }
    }
    if timeout.is_zero() {
        return Ok(None);
    }
    let claimant = network::claimant(within, link, address, timeout).await?;
    Ok(claimant.map(|mac| AddressHolder { mac: mac_text(&mac), dev: None }))
}

/// Says which resource of this node holds the address that is in the way, if one does.
fn name_owner(
    context: &CallContext,
    within: Option<&network::NetworkNamespace>,
    link: &network::NetworkLink,
    address: IpNet,
) -> Result<(), CapabilityError> {
    let netns = within.map(crate::netns::identity).transpose()?;
    let thing = Holding::from(address_holding(netns, link, address));
    if let Some(owner) = other_owner(context, &thing) {
        context.say(LogSeverity::Info, &format!("{thing} is held by {owner}"));
    }
    Ok(())
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

/// Adds an address. Fails with `os(EEXIST)` if the link has it already.
pub async fn add_address(context: &CallContext, dev: &str, cidr: &str, label: &str) -> Result<(), CapabilityError> {
    let op = ChangeAddress { dev: dev.to_owned(), address: network_of(cidr)? };
    let ledger = context.ledger();
    let added = context.admit(op)?.waiting(|permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &op.dev).await?;
        let occupied =
            || CapabilityError::Os { errno: EEXIST, text: format!("{} is on {} already", op.address, op.dev) };
        // Looked up before, so that a crash in the next moment does not leave a note about an address of somebody else.
        if netlink.addresses(&link).await?.iter().any(|there| there.cidr == op.address) {
            return Err(occupied());
        }
        let held = address_holding(None, &link, op.address);
        let note = ledger.intend(held.clone())?;
        match noted(note, held, netlink.add_address(&link, op.address, label).await)? {
            true => Ok(Effect::Touched(())),
            false => Err(occupied()),
        }
    });
    added.await
}

/// Removes an address. Returns false if it was not there.
pub async fn remove_address(context: &CallContext, dev: &str, cidr: &str) -> Result<bool, CapabilityError> {
    let op = ChangeAddress { dev: dev.to_owned(), address: network_of(cidr)? };
    let ledger = context.ledger();
    let removed = context.admit(op)?.waiting(|permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        // Without the link there is no address to remove, which is what was wanted.
        let Some(link) = netlink.find_link(&op.dev).await? else { return Ok(Effect::Nothing(false)) };
        let removal = netlink.remove_address(&link, op.address).await?;
        tell_of_others(context, &link.name, &removal);
        let gone = Holding::from(address_holding(None, &link, op.address));
        ledger.released(|held| held.is_same(&gone));
        Ok(Effect::whether(removal.removed))
    });
    removed.await
}

/// Says what the kernel removed along with an address, which was not the resource's.
pub(crate) fn tell_of_others(context: &CallContext, dev: &str, removal: &AddressRemoval) {
    let AddressRemoval { restored, lost, lost_routes, .. } = removal;
    if !restored.is_empty() {
        let text = format!("the kernel removed {} from {dev} along with it, and has it back now", listed(restored));
        context.say(LogSeverity::Warn, &text);
    }
    for (cidr, error) in lost {
        let text = format!("the kernel removed {cidr} from {dev} along with it: {}", error.sentence());
        context.say(LogSeverity::Error, &text);
    }
    for route in lost_routes {
        let text = format!("with the last address of {dev} the kernel removed the route {route}");
        context.say(LogSeverity::Warn, &text);
    }
}

fn listed(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Announces to the neighbours that this node now has the address.
pub async fn announce(context: &CallContext, dev: &str, address: &str) -> Result<(), CapabilityError> {
    let address = ip(address)?;
    // A grant to change an address covers its announcement, with any prefix length.
    let op = ChangeAddress { dev: dev.to_owned(), address: IpNet::from(address) };
    let announced = context.admit(op)?.waiting(|permit| async move {
        let link = existing(&Netlink::open()?, &permit.op().dev).await?;
        network::announce(None, &link, address).await?;
        Ok(Effect::Touched(()))
    });
    announced.await
}

/// Lists the routes to exactly `destination`.
pub async fn routes_to(context: &CallContext, destination: &str) -> Result<Vec<RouteEntry>, CapabilityError> {
    let prefix = prefix_of(destination, None)?;
    let op = SeeRoute { destination: prefix.to_string() };
    let listed =
        context.admit(op)?.waiting(|_| async move { Ok(Effect::Nothing(Netlink::open()?.routes_to(prefix).await?)) });
    Ok(listed.await?.into_iter().map(RouteEntry::from).collect())
}

/// Adds a route. Returns false if the same one is there already.
pub async fn add_route(context: &CallContext, route: RouteEntry) -> Result<bool, CapabilityError> {
    let (op, route) = changed_route(route)?;
    let ledger = context.ledger();
    let added = context.admit(op)?.waiting(|_| async move {
        let note = ledger.intend(route_holding(None, &route))?;
        Ok(Effect::whether(noted_route(note, None, Netlink::open()?.add_route(&route, false).await)?))
    });
    added.await
}

/// Removes a route. Returns false if it was not there.
pub async fn remove_route(context: &CallContext, route: RouteEntry) -> Result<bool, CapabilityError> {
    let (op, route) = changed_route(route)?;
    let ledger = context.ledger();
    let removed = context.admit(op)?.waiting(|_| async move {
        let removed = Netlink::open()?.remove_route(&route).await?;
        let gone = Holding::from(route_holding(None, &route));
        ledger.released(|held| held.is_same(&gone));
        Ok(Effect::whether(removed))
    });
    removed.await
}

/// What a link with this address is held as.
pub(crate) fn address_holding(
    netns: Option<NamespaceIdentity>,
    link: &network::NetworkLink,
    address: IpNet,
) -> AddressHolding {
    AddressHolding { netns, index: link.index, dev: link.name.clone(), cidr: address.to_string(), primary: None }
}

pub(crate) fn route_holding(netns: Option<NamespaceIdentity>, route: &network::KernelRoute) -> RouteHolding {
    RouteHolding {
        netns,
        destination: route.destination.to_string(),
        gateway: route.gateway.map(|gateway| gateway.to_string()),
        dev: route.dev.clone(),
        index: route.index,
        table: route.origin.table,
        protocol: Some(route.origin.protocol),
        metric: Some(route.origin.metric),
    }
}

/// The same of a route, with what the kernel made of it.
pub(crate) fn noted_route(
    note: HoldingNote,
    netns: Option<NamespaceIdentity>,
    added: Result<RouteAddition, kernel::KernelError>,
) -> Result<bool, CapabilityError> {
    match &added {
        Ok(RouteAddition::Added(route)) => note.held(route_holding(netns, route)),
        Ok(RouteAddition::Present(_)) | Err(_) => note.nothing(),
    }
    Ok(matches!(added?, RouteAddition::Added(_)))
}

/// Records what became of the thing that was to be added: it was, it was there already, or it cannot be.
pub(crate) fn noted(
    note: HoldingNote,
    holding: impl Into<Holding>,
    added: Result<bool, kernel::KernelError>,
) -> Result<bool, CapabilityError> {
    match &added {
        Ok(true) => note.held(holding),
        Ok(false) | Err(_) => note.nothing(),
    }
    Ok(added?)
}

/// errno(3), as the contract passes it on.
const EEXIST: i32 = 17;

async fn existing(netlink: &Netlink, dev: &str) -> Result<network::NetworkLink, CapabilityError> {
    netlink.find_link(dev).await?.ok_or_else(|| CapabilityError::NotFound(format!("the link {dev}")))
}

pub(crate) fn changed_route(route: RouteEntry) -> Result<(ChangeRoute, network::KernelRoute), CapabilityError> {
    let gateway = route.gateway.as_deref().map(ip).transpose()?;
    let destination = prefix_of(&route.destination, gateway)?;
    if gateway.is_none() && route.dev.is_none() {
        return Err(CapabilityError::Invalid(format!("the route to {} needs a gateway or a link", route.destination)));
    }
    // With its family: whether `default` is of IPv4 or IPv6 does not matter to the one grant line, but to the other.
    let op = ChangeRoute { destination: destination.to_string(), gateway, dev: route.dev.clone() };
    Ok((op, network::KernelRoute::new(destination, gateway, route.dev)))
}

/// The prefix that a destination means. `default` is that of the gateway's family, and of IPv4 without a gateway.
fn prefix_of(destination: &str, gateway: Option<IpAddr>) -> Result<IpNet, CapabilityError> {
    match (destination, gateway) {
        ("default", Some(IpAddr::V6(_))) => Ok(IpNet::V6(ipnet::Ipv6Net::default())),
        ("default", _) => Ok(IpNet::V4(ipnet::Ipv4Net::default())),
        _ => destination.parse().map_err(|_| expected("a prefix or `default`", destination)),
    }
}

pub(crate) fn ip(text: &str) -> Result<IpAddr, CapabilityError> {
    text.parse().map_err(|_| expected("an address", text))
}

pub(crate) fn network_of(text: &str) -> Result<IpNet, CapabilityError> {
    text.parse().map_err(|_| expected("an address with the length of its prefix", text))
}

fn expected(what: &str, found: &str) -> CapabilityError {
    CapabilityError::Invalid(format!("{found:?} is not {what}"))
}

/// The addresses in their order, each once: a resolver lists an address for every kind of socket.
fn distinct(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let mut seen = std::collections::HashSet::new();
    addresses.into_iter().filter(|address| seen.insert(*address)).collect()
}

pub(crate) fn mac_text(mac: &[u8]) -> String {
    let bytes: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

impl From<network::NetworkLink> for LinkEntry {
    fn from(link: network::NetworkLink) -> LinkEntry {
        LinkEntry {
            name: link.name,
            index: link.index,
            up: link.up,
            carrier: link.carrier,
            mtu: link.mtu,
            mac: mac_text(&link.mac),
            kind: link.kind,
            altnames: link.altnames,
            addresses: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

impl From<network::LinkAddress> for AddressEntry {
    fn from(address: network::LinkAddress) -> AddressEntry {
        let flags = address.flags.into_iter().map(str::to_owned).collect();
        AddressEntry { cidr: address.cidr.to_string(), label: address.label, flags }
    }
}

impl From<network::KernelRoute> for RouteEntry {
    fn from(route: network::KernelRoute) -> RouteEntry {
        let named = |name: &str, value: String| (!value.is_empty()).then(|| (name.to_owned(), value));
        let attributes = [
            named("proto", route.origin.protocol_name()),
            named("metric", route.origin.metric.to_string()),
            named("linkdown", if route.linkdown { "true".to_owned() } else { String::new() }),
            named("special", route.special),
        ];
        RouteEntry {
            destination: route.destination.to_string(),
            gateway: route.gateway.map(|gateway| gateway.to_string()),
            dev: route.dev,
            attributes: attributes.into_iter().flatten().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_of_the_gateways_family_or_of_ipv4() {
        let check = |destination, gateway: Option<&str>, expected: &str| {
            let gateway = gateway.map(|gateway| gateway.parse().unwrap());
            assert_eq!(prefix_of(destination, gateway).unwrap().to_string(), expected);
        };
        check("default", None, "0.0.0.0/0");
        check("default", Some("10.0.0.1"), "0.0.0.0/0");
        check("default", Some("fd00::1"), "::/0");
        check("::/0", None, "::/0");
        check("10.1.0.0/16", Some("10.0.0.1"), "10.1.0.0/16");
        assert!(prefix_of("10.1.0.0", None).is_err());
    }

    #[test]
    fn a_route_leads_somewhere() {
        let route = RouteEntry { destination: "default".to_owned(), ..RouteEntry::default() };
        assert_eq!(
            changed_route(route),
            Err(CapabilityError::Invalid("the route to default needs a gateway or a link".to_owned()))
        );
    }
}
