//! Links, addresses and routes as the contract has them.

use kernel::net as network;

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

/// What the contract says of a link besides.
pub(crate) fn link_attributes(link: &network::NetworkLink, controller: Option<String>) -> Vec<(String, String)> {
    let ipv6 = link.disable_ipv6.then(no_ipv6);
    ipv6.into_iter().chain(controller.map(|controller| ("controller".to_owned(), controller))).collect()
}

/// The attribute of what takes no IPv6 address.
pub(crate) fn no_ipv6() -> (String, String) {
    ("ipv6".to_owned(), "disabled".to_owned())
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

pub(crate) fn mac_text(mac: &[u8]) -> String {
    let bytes: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}
