//! The routes of the main table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::TryStreamExt;
use ipnet::IpNet;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::NetworkLink;
use crate::net::netlink::{Netlink, errno_of, failed};

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelRoute {
    /// The destination. The default routes go to 0.0.0.0/0 and ::/0.
    pub destination: IpNet,
    /// The router that it goes through.
    pub gateway: Option<IpAddr>,
    /// The name of the link that it goes through.
    pub dev: Option<String>,
}

impl Netlink {
    /// Lists the routes to exactly that prefix.
    pub async fn routes_to(&self, destination: IpNet) -> Result<Vec<KernelRoute>, KernelError> {
        let request = match destination {
            IpNet::V4(_) => RouteMessageBuilder::<Ipv4Addr>::new().build(),
            IpNet::V6(_) => RouteMessageBuilder::<Ipv6Addr>::new().build(),
        };
        let messages: Vec<RouteMessage> =
            self.handle.route().get(request).execute().try_collect().await.map_err(failed("list the routes"))?;
        let mut routes = Vec::new();
        for message in messages.into_iter().filter(is_of_main_table) {
            let (route, index) = parse(&message, destination);
            // The kernel lists all routes of the family, whatever prefix was asked for.
            if route.destination == destination.trunc() {
                let dev = match index {
                    Some(index) => self.link_name(index).await?,
                    None => None,
                };
                routes.push(KernelRoute { dev, ..route });
            }
        }
        Ok(routes)
    }

    /// Lists all routes of both families. `links` are the links that the routes may name.
    pub async fn routes(&self, links: &[NetworkLink]) -> Result<Vec<KernelRoute>, KernelError> {
        let mut routes = Vec::new();
        for (request, like) in [
            (RouteMessageBuilder::<Ipv4Addr>::new().build(), IpNet::V4(ipnet::Ipv4Net::default())),
            (RouteMessageBuilder::<Ipv6Addr>::new().build(), IpNet::V6(ipnet::Ipv6Net::default())),
        ] {
            let messages: Vec<RouteMessage> =
                self.handle.route().get(request).execute().try_collect().await.map_err(failed("list the routes"))?;
            routes.extend(messages.iter().filter(|message| is_of_main_table(message)).map(|message| {
                let (route, index) = parse(message, like);
                let link = links.iter().find(|link| Some(link.index) == index);
                KernelRoute { dev: link.map(|link| link.name.clone()), ..route }
            }));
        }
        Ok(routes)
    }

    /// Adds a route whose router is taken to be on the link, whatever network it is in. Returns false if the same one is
    /// there already.
    pub async fn add_route_onlink(&self, route: &KernelRoute) -> Result<bool, KernelError> {
        let mut message = self.message(route).await?;
        message.header.flags.insert(RouteFlags::Onlink);
        self.add(route, message).await
    }

    /// Adds a route. Returns false if the same one is there already.
    pub async fn add_route(&self, route: &KernelRoute) -> Result<bool, KernelError> {
        let message = self.message(route).await?;
        self.add(route, message).await
    }

    async fn add(&self, route: &KernelRoute, message: RouteMessage) -> Result<bool, KernelError> {
        // Not left to EEXIST, which the kernel also answers if the route to the destination goes by another router.
        if self.has(route).await? {
            return Ok(false);
        }
        let added = self.handle.route().add(message).execute().await;
        added.map(|()| true).map_err(failed(format!("add the route to {}", route.destination)))
    }

    /// Removes a route. Returns false if it is not there.
    pub async fn remove_route(&self, route: &KernelRoute) -> Result<bool, KernelError> {
        let message = self.message(route).await?;
        match self.handle.route().del(message).execute().await {
            Ok(()) => Ok(true),
            Err(error) if errno_of(&error) == Some(Errno::SRCH) => Ok(false),
            Err(error) => Err(failed(format!("remove the route to {}", route.destination))(error)),
        }
    }

    /// Whether there is a route by the same router, and by the same link if `route` names one.
    async fn has(&self, route: &KernelRoute) -> Result<bool, KernelError> {
        let present = self.routes_to(route.destination).await?;
        Ok(present
            .iter()
            .any(|other| route.gateway == other.gateway && (route.dev.is_none() || route.dev == other.dev)))
    }

    async fn message(&self, route: &KernelRoute) -> Result<RouteMessage, KernelError> {
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
        if let Some(dev) = &route.dev {
            let link = self.find_link(dev).await?.ok_or_else(|| KernelError::NotFound(dev.into()))?;
            message = message.output_interface(link.index);
        }
        Ok(message.build())
    }
}

fn is_of_main_table(message: &RouteMessage) -> bool {
    message.header.table == RouteHeader::RT_TABLE_MAIN
}

/// The route without the name of its link, and the number of that link.
fn parse(message: &RouteMessage, like: IpNet) -> (KernelRoute, Option<u32>) {
    let unspecified = match like {
        IpNet::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpNet::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let (mut to, mut gateway, mut index) = (unspecified, None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = ip(address).unwrap_or(to),
            RouteAttribute::Gateway(address) => gateway = ip(address),
            RouteAttribute::Oif(number) => index = Some(*number),
            _ => {}
        }
    }
    let destination = IpNet::new(to, message.header.destination_prefix_length).unwrap_or(IpNet::from(to));
    (KernelRoute { destination, gateway, dev: None }, index)
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}
