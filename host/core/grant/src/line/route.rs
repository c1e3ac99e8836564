//! Routes of a line: `DESTINATION [via GATEWAY] [dev INTERFACE]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::address::AddressSet;
use crate::line::address::NameResolution;
use crate::line::check::{LineWords, check_word};
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::token::{LineFault, Token, quoted};

/// The words of a route, with templates.
#[derive(Debug)]
pub(crate) struct RouteWords {
    destination: Token,
    gateway: Option<Token>,
    dev: Option<Token>,
}

impl RouteWords {
    pub(crate) fn parse(words: &LineWords<'_>) -> Result<RouteWords, LineFault> {
        let [destination, rest @ ..] = words.tokens else {
            return Err(words.expected("DESTINATION [via GATEWAY] [dev INTERFACE]"));
        };
        check_word(destination)?;
        // In this order only, as in ip-route(8) and in refusals.
        let (gateway, rest) = match rest {
            [via, gateway, rest @ ..] if via.is_word("via") => (Some(gateway.clone()), rest),
            rest => (None, rest),
        };
        let (dev, rest) = match rest {
            [word, dev, rest @ ..] if word.is_word("dev") => (Some(dev.clone()), rest),
            rest => (None, rest),
        };
        gateway.iter().chain(&dev).try_for_each(check_word)?;
        match rest {
            [] => Ok(RouteWords { destination: destination.clone(), gateway, dev }),
            [extra, ..] => Err(extra.fault("expected [via GATEWAY] [dev INTERFACE]")),
        }
    }

    pub(crate) fn tokens(&self) -> Vec<&Token> {
        std::iter::once(&self.destination).chain(&self.gateway).chain(&self.dev).collect()
    }

    /// Binds the words: a list of destinations stands for several routes.
    pub(crate) fn bind(&self, origin: LineOrigin, binder: &Binder<'_>) -> Result<Vec<RouteSet>, BindFailure> {
        let dev = self.dev.as_ref().map(|dev| binder.single(dev)).transpose()?;
        let gateway = self.gateway.as_ref().map(|word| AddressSet::bind_one(word, origin, binder)).transpose()?;
        let route = |word: Glob| match DestinationSet::new(&word, origin) {
            Ok(destinations) => Ok(RouteSet { destinations, gateway: gateway.clone(), dev: dev.clone() }),
            Err(reason) => Err(binder.misfit(&self.destination, &word, reason)),
        };
        binder.words(&self.destination, WordUse::Text)?.into_iter().map(route).collect()
    }
}

/// The routes that a line allows. A gateway or an interface that the line leaves out is not restricted.
#[derive(Debug, Clone)]
pub(crate) struct RouteSet {
    destinations: DestinationSet,
    gateway: Option<AddressSet>,
    dev: Option<Glob>,
}

impl RouteSet {
    /// Whether routes to the destination may be looked at.
    pub(crate) fn leads_to(&self, destination: &str) -> bool {
        self.destinations.contains(destination)
    }

    /// Whether this route may be changed.
    pub(crate) fn contains(
        &self,
        destination: &str,
        gateway: Option<IpAddr>,
        dev: Option<&str>,
        names: NameResolution<'_>,
    ) -> bool {
        // A line with a gateway does not allow a route without one: that would be another route.
        let by_gateway = self.gateway.as_ref();
        let by_gateway = by_gateway.is_none_or(|own| gateway.is_some_and(|gateway| own.contains(gateway, names)));
        let by_dev = self.dev.as_ref().is_none_or(|own| dev.is_some_and(|dev| own.matches(dev)));
        self.leads_to(destination) && by_gateway && by_dev
    }
}

impl fmt::Display for RouteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.destinations.fmt(f)?;
        self.gateway.iter().try_for_each(|gateway| write!(f, " via {gateway}"))?;
        self.dev.iter().try_for_each(|dev| write!(f, " dev {dev}"))
    }
}

/// Writes one route as a line does.
pub(crate) fn route_line(destination: &str, gateway: Option<IpAddr>, dev: Option<&str>) -> String {
    let mut line = quoted(destination);
    if let Some(gateway) = gateway {
        line.push_str(&format!(" via {gateway}"));
    }
    if let Some(dev) = dev {
        line.push_str(&format!(" dev {}", quoted(dev)));
    }
    line
}

/// The destinations that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DestinationSet {
    /// `*`
    Any,
    /// `default`: the default routes of both families.
    Default,
    /// `0.0.0.0/0` or `::/0`: the default route of one family.
    DefaultOf(IpNet),
    /// One network.
    Exactly(IpNet),
    /// A network and the networks within it. Only policies write this.
    Within(IpNet),
}

impl DestinationSet {
    fn new(glob: &Glob, origin: LineOrigin) -> Result<DestinationSet, &'static str> {
        if glob.is_any() {
            return Ok(DestinationSet::Any);
        }
        let text = glob.literal().ok_or("expected a network, default or *")?;
        let destination = RouteDestination::parse(&text).ok_or("expected a network or default")?;
        Ok(match (destination, origin) {
            (RouteDestination::Default, _) => DestinationSet::Default,
            // In a policy, too, it is that one route, and not all networks.
            (RouteDestination::Network(net), _) if net.prefix_len() == 0 => DestinationSet::DefaultOf(net),
            (RouteDestination::Network(net), LineOrigin::Request) => DestinationSet::Exactly(net),
            (RouteDestination::Network(net), LineOrigin::Policy) => DestinationSet::Within(net),
        })
    }

    fn contains(&self, destination: &str) -> bool {
        match (self, RouteDestination::parse(destination)) {
            // A destination that cannot be read is never allowed, not even by a star.
            (_, None) => false,
            (DestinationSet::Any, Some(_)) | (DestinationSet::Default, Some(RouteDestination::Default)) => true,
            (DestinationSet::Default, Some(RouteDestination::Network(net))) => net.prefix_len() == 0,
            (DestinationSet::Exactly(own) | DestinationSet::DefaultOf(own), Some(RouteDestination::Network(net))) => {
                *own == net
            }
            (DestinationSet::Within(own), Some(RouteDestination::Network(net))) => own.contains(&net),
            _ => false,
        }
    }
}

/// Where one route leads to.
enum RouteDestination {
    /// `default`, of whichever family.
    Default,
    Network(IpNet),
}

impl RouteDestination {
    fn parse(text: &str) -> Option<RouteDestination> {
        if text == "default" {
            return Some(RouteDestination::Default);
        }
        // Host bits are cut off: `10.0.0.9/8` is compared as the network that it is in.
        let net = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from)).ok()?;
        Some(RouteDestination::Network(net.trunc()))
    }
}

impl fmt::Display for DestinationSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DestinationSet::Any => f.write_str("*"),
            DestinationSet::Default => f.write_str("default"),
            DestinationSet::DefaultOf(net) | DestinationSet::Exactly(net) | DestinationSet::Within(net) => net.fmt(f),
        }
    }
}
