//! The routes of the main table: listed, added and removed.

use std::fmt;
use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::route::{
    RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope,
};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::NetworkLink;
use crate::net::netlink::{Netlink, errno_of, failed};
use crate::net::route_message::parse;

/// The metric of an IPv6 route that is added without one: IP6_RT_PRIO_USER.
const IPV6_METRIC: u32 = 1024;

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelRoute {
    /// The destination. The default routes go to 0.0.0.0/0 and ::/0.
    pub destination: IpNet,
    /// The router that it goes through.
    pub gateway: Option<IpAddr>,
    /// The name of the link that it goes through.
    pub dev: Option<String>,
    /// The number of that link, which stays the same when the link is renamed. None if nobody asked the kernel for it.
    pub index: Option<u32>,
    pub origin: RouteOrigin,
    /// Whether its link has no carrier, so that it leads nowhere.
    pub linkdown: bool,
    /// What else it is: `blackhole`, or the routers of one that has several, as ip-route(8) writes it. Mostly empty.
    pub special: String,
}

/// Which of several routes to a destination it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteOrigin {
    pub table: u32,
    /// RTPROT_* of linux/rtnetlink.h: who made it.
    pub protocol: u8,
    /// Of two routes, the one with the lower number is used.
    pub metric: u32,
}

impl RouteOrigin {
    /// The origin of the routes that are added here.
    pub fn own(destination: IpNet) -> RouteOrigin {
        let metric = if matches!(destination, IpNet::V4(_)) { 0 } else { IPV6_METRIC };
        RouteOrigin { table: RouteHeader::RT_TABLE_MAIN.into(), protocol: RouteProtocol::Static.into(), metric }
    }

    /// The protocol as ip-route(8) writes it: `static`, `dhcp`, `kernel`.
    pub fn protocol_name(&self) -> String {
        // The library's names are those of the kernel's comments, in part.
        match RouteProtocol::from(self.protocol) {
            RouteProtocol::Dhcp => "dhcp".to_owned(),
            RouteProtocol::KeepAlived => "keepalived".to_owned(),
            RouteProtocol::Other(number) => number.to_string(),
            other => other.to_string(),
        }
    }
}

impl KernelRoute {
    /// A route as it is added here.
    pub fn new(destination: IpNet, gateway: Option<IpAddr>, dev: Option<String>) -> KernelRoute {
        let origin = RouteOrigin::own(destination);
        KernelRoute { destination, gateway, dev, index: None, origin, linkdown: false, special: String::new() }
    }
}

/// The route as ip-route(8) writes it.
impl fmt::Display for KernelRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KernelRoute { destination, gateway, dev, origin, special, .. } = self;
        write!(f, "{destination}")?;
        gateway.iter().try_for_each(|gateway| write!(f, " via {gateway}"))?;
        dev.iter().try_for_each(|dev| write!(f, " dev {dev}"))?;
        if !special.is_empty() {
            write!(f, " {special}")?;
        }
        write!(f, " proto {}", origin.protocol_name())?;
        if origin.metric > 0 { write!(f, " metric {}", origin.metric) } else { Ok(()) }
    }
}

/// The result of adding a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteAddition {
    /// It was added, and this is how the kernel has it.
    Added(KernelRoute),
    /// There was one by the same router and the same link, which may have been made by somebody else.
    Present(KernelRoute),
}

impl Netlink {
    /// Lists the routes to exactly that prefix.
    pub async fn routes_to(&self, destination: IpNet) -> Result<Vec<KernelRoute>, KernelError> {
        let mut routes = Vec::new();
        // The kernel lists all routes of the table, whatever prefix was asked for.
        for message in self.route_messages(destination, None).await? {
            let route = parse(&message, destination);
            if route.destination == destination.trunc() {
                let link = match route.index {
                    Some(index) => self.link_at(index).await?,
                    None => None,
                };
                routes.push(KernelRoute { dev: link.map(|link| link.name), ..route });
            }
        }
        Ok(routes)
    }

    /// Lists all routes of both families. `links` are the links that the routes may name.
    pub async fn routes(&self, links: &[NetworkLink]) -> Result<Vec<KernelRoute>, KernelError> {
        let mut routes = Vec::new();
        for like in [IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())] {
            routes.extend(self.route_messages(like, None).await?.iter().map(|message| {
                let route = parse(message, like);
                let link = links.iter().find(|link| Some(link.index) == route.index);
                KernelRoute { dev: link.map(|link| link.name.clone()), ..route }
            }));
        }
        Ok(routes)
    }

    /// Adds a route. With `onlink` its router is taken to be on the link, whatever network it is in. The error for a
    /// destination that has another route already names that one.
    pub async fn add_route(&self, route: &KernelRoute, onlink: bool) -> Result<RouteAddition, KernelError> {
        let index = match &route.dev {
            Some(dev) => Some(self.find_link(dev).await?.ok_or_else(|| KernelError::NotFound(dev.into()))?.index),
            None => None,
        };
        let mut message = message_to(route, index)?;
        message.header.flags.set(RouteFlags::Onlink, onlink);
        // Not left to EEXIST, which the kernel also answers if the route to the destination goes by another router.
        let there = self.routes_to(route.destination).await?;
        if let Some(same) = there.iter().find(|there| is_same(route, index, there)) {
            return Ok(RouteAddition::Present(same.clone()));
        }
        match self.handle.route().add(message).execute().await {
            Ok(()) => {}
            Err(error) if errno_of(&error) == Some(Errno::EXIST) => {
                let in_the_way = there.into_iter().find(|other| other.origin.metric == route.origin.metric);
                return Err(occupied(route, in_the_way));
            }
            Err(error) => return Err(failed(format!("add the route to {}", route.destination))(error)),
        }
        let mut added = self.routes_to(route.destination).await?.into_iter();
        let own = added.find(|there| is_same(route, index, there) && there.origin == route.origin);
        Ok(RouteAddition::Added(own.unwrap_or_else(|| route.clone())))
    }

    /// The route that is there already, if it is this one.
    pub async fn same_route(&self, route: &KernelRoute) -> Result<Option<KernelRoute>, KernelError> {
        let index = match &route.dev {
            Some(dev) => match self.find_link(dev).await? {
                Some(link) => Some(link.index),
                None => return Ok(None),
            },
            None => None,
        };
        Ok(self.routes_to(route.destination).await?.into_iter().find(|there| is_same(route, index, there)))
    }

    /// Removes exactly this route, which must have this origin, too, and go through the link of this number if it is known.
    /// Returns false if it is not there.
    pub async fn remove_route(&self, route: &KernelRoute) -> Result<bool, KernelError> {
        let index = match (route.index, &route.dev) {
            (None, Some(dev)) => match self.find_link(dev).await? {
                Some(link) => Some(link.index),
                // The route has gone with its link.
                None => return Ok(false),
            },
            (index, _) => index,
        };
        // Looked up before, because a request without a metric removes one of any metric.
        let there = self.routes_to(route.destination).await?;
        let own = there.iter().find(|there| is_same(route, index, there) && there.origin == route.origin);
        let Some(own) = own else { return Ok(false) };
        let mut message = message_to(own, own.index)?;
        message.header.protocol = own.origin.protocol.into();
        message.header.scope = RouteScope::NoWhere;
        message.attributes.push(RouteAttribute::Priority(own.origin.metric));
        match self.handle.route().del(message).execute().await {
            Ok(()) => Ok(true),
            Err(error) if errno_of(&error) == Some(Errno::SRCH) => Ok(false),
            Err(error) => Err(failed(format!("remove the route to {}", route.destination))(error)),
        }
    }

    /// The routes of the main table as the kernel tells them: all of a family, or those through one link.
    pub(super) async fn route_messages(
        &self,
        like: IpNet,
        link: Option<u32>,
    ) -> Result<Vec<RouteMessage>, KernelError> {
        let mut request = RouteMessage::default();
        request.header.address_family = match like {
            IpNet::V4(_) => AddressFamily::Inet,
            IpNet::V6(_) => AddressFamily::Inet6,
        };
        request.attributes.push(RouteAttribute::Table(RouteHeader::RT_TABLE_MAIN.into()));
        request.attributes.extend(link.map(RouteAttribute::Oif));
        match self.handle.route().get(request).execute().try_collect().await {
            // In a namespace that never had a route there is no table.
            Err(error) if errno_of(&error) == Some(Errno::NOENT) => Ok(Vec::new()),
            listed => listed.map_err(failed("list the routes")),
        }
    }

    /// Puts back the routes that the kernel removed with the last address of a link. Returns those that it refuses now.
    pub(super) async fn put_back_routes(
        &self,
        link: &NetworkLink,
        like: IpNet,
        before: Vec<RouteMessage>,
    ) -> Result<Vec<KernelRoute>, KernelError> {
        // The kernel makes and removes its own.
        let others = |message: &RouteMessage| message.header.protocol != RouteProtocol::Kernel;
        let before: Vec<RouteMessage> = before.into_iter().filter(others).collect();
        let mut lost = Vec::new();
        if before.is_empty() {
            return Ok(lost);
        }
        let left = self.route_messages(like, Some(link.index)).await?;
        let is_left = |route: &KernelRoute| left.iter().any(|message| parse(message, like).is_like(route));
        for mut message in before {
            let route = parse(&message, like);
            if is_left(&route) {
                continue;
            }
            // The kernel takes no flag that says how the route was.
            message.header.flags = message.header.flags.intersection(RouteFlags::Onlink);
            if self.handle.route().add(message).execute().await.is_err() {
                lost.push(KernelRoute { dev: Some(link.name.clone()), ..route });
            }
        }
        Ok(lost)
    }
}

impl KernelRoute {
    /// Whether both are the same route of one link.
    fn is_like(&self, other: &KernelRoute) -> bool {
        self.destination == other.destination && self.gateway == other.gateway && self.origin == other.origin
    }
}

/// Whether the route that is there goes by the same router, and by the link with that number if one was named.
fn is_same(route: &KernelRoute, index: Option<u32>, there: &KernelRoute) -> bool {
    there.special.is_empty() && route.gateway == there.gateway && (index.is_none() || index == there.index)
}

fn message_to(route: &KernelRoute, index: Option<u32>) -> Result<RouteMessage, KernelError> {
    let destination = route.destination.trunc();
    let mut message = RouteMessageBuilder::<IpAddr>::new();
    message = message
        .destination_prefix(destination.addr(), destination.prefix_len())
        .map_err(|_| KernelError::Invalid(format!("{destination} is not a destination")))?;
    if let Some(gateway) = route.gateway {
        message = message
            .gateway(gateway)
            .map_err(|_| KernelError::Invalid(format!("{gateway} cannot lead to {destination}")))?;
    }
    if let Some(index) = index {
        message = message.output_interface(index);
    }
    Ok(message.build())
}

/// The error for a destination that another route leads to.
fn occupied(route: &KernelRoute, other: Option<KernelRoute>) -> KernelError {
    let doing = format!("add the route to {}", route.destination);
    match other {
        Some(other) => {
            let why = format!("there is another one: {other}. Remove it, or leave this destination to it");
            KernelError::Refused { doing, why, errno: Errno::EXIST }
        }
        None => KernelError::Os { doing, errno: Errno::EXIST },
    }
}
