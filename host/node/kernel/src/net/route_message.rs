//! Reads a route from the kernel's message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteType, RouteVia,
};

use crate::net::{KernelRoute, RouteOrigin};

/// The route without the name of its link.
pub(super) fn parse(message: &RouteMessage, like: IpNet) -> KernelRoute {
    let header = &message.header;
    let mut to = match like {
        IpNet::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpNet::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let (mut gateway, mut index, mut special) = (None, None, kind(header.kind).to_owned());
    let mut origin = RouteOrigin { table: header.table.into(), protocol: header.protocol.into(), metric: 0 };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = ip(address).unwrap_or(to),
            RouteAttribute::Gateway(address) => gateway = ip(address),
            // An IPv4 route by an IPv6 router.
            RouteAttribute::Via(RouteVia::Inet6(router)) => gateway = Some((*router).into()),
            RouteAttribute::Oif(number) => index = Some(*number),
            RouteAttribute::Priority(metric) => origin.metric = *metric,
            RouteAttribute::Table(table) => origin.table = *table,
            RouteAttribute::MultiPath(hops) => special = hops.iter().map(hop).collect::<Vec<_>>().join(" "),
            _ => {}
        }
    }
    let destination = IpNet::new(to, header.destination_prefix_length).unwrap_or(IpNet::from(to));
    let linkdown = header.flags.intersects(RouteFlags::Linkdown | RouteFlags::Dead);
    KernelRoute { destination, gateway, dev: None, index, origin, linkdown, special }
}

/// The kind of a route that does not lead anywhere.
fn kind(kind: RouteType) -> &'static str {
    match kind {
        RouteType::BlackHole => "blackhole",
        RouteType::Unreachable => "unreachable",
        RouteType::Prohibit => "prohibit",
        RouteType::Throw => "throw",
        _ => "",
    }
}

/// One router of several.
fn hop(hop: &RouteNextHop) -> String {
    let gateway = hop.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        _ => None,
    });
    match gateway {
        Some(gateway) => format!("nexthop via {gateway}"),
        None => format!("nexthop dev {}", hop.interface_index),
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}
