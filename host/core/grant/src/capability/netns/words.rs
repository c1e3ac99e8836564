//! The lines of the four capabilities: as written, and as bound.

use std::fmt;
use std::sync::Arc;

use super::set::NetnsSet;
use crate::bind::binder::{BindFailure, Binder};
use crate::capability::definition::{Capability, LinePattern, LineTemplate, only_stars, patterns};
use crate::line::address::AddressSet;
use crate::line::check::{LineWords, check_source, check_word};
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::route::{RouteSet, RouteWords};
use crate::line::token::{LineFault, Token};

const NETNS: Capability = Capability {
    name: "netns",
    attributes: &[],
    template: |words| {
        let token = words.one("NETNS")?;
        check_source(token)?;
        Ok(Arc::new(NetnsTemplate { netns: token.clone() }))
    },
    verb: |_, _| "look into the network namespace",
    policy_word: only_stars,
    also_decided_by: &["netns.link", "netns.addr", "netns.route"],
};

pub(in crate::capability) static CAPABILITIES: [Capability; 4] = [
    NETNS,
    Capability {
        name: "netns.link",
        template: |words| Ok(Arc::new(NetnsLinkTemplate::parse(words)?)),
        verb: |_, _| "plug",
        also_decided_by: &["netns"],
        ..NETNS
    },
    Capability {
        name: "netns.addr",
        template: |words| Ok(Arc::new(NetnsAddressTemplate::parse(words)?)),
        verb: |_, _| "add and remove the address",
        also_decided_by: &["netns"],
        ..NETNS
    },
    Capability {
        name: "netns.route",
        template: |words| Ok(Arc::new(NetnsRouteTemplate::parse(words)?)),
        verb: |_, _| "add and remove the route to",
        also_decided_by: &["netns"],
        ..NETNS
    },
];

/// Cuts `in NETNS` off the end of a line.
fn cut_netns<'a>(words: &LineWords<'a>, shape: &str) -> Result<(LineWords<'a>, Token), LineFault> {
    match words.tokens {
        // From the end: an interface or a destination may itself be called `in`.
        [front @ .., within, netns] if within.is_word("in") => {
            check_source(netns)?;
            Ok((LineWords { tokens: front, end: words.end }, netns.clone()))
        }
        _ => Err(words.expected(shape)),
    }
}

#[derive(Debug)]
struct NetnsTemplate {
    netns: Token,
}

impl LineTemplate for NetnsTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.netns]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns([NetnsPattern(NetnsSet::bind(&self.netns, binder)?)]))
    }
}

#[derive(Debug)]
pub(super) struct NetnsPattern(pub(super) NetnsSet);

impl LinePattern for NetnsPattern {}

impl fmt::Display for NetnsPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
struct NetnsLinkTemplate {
    mode: Token,
    dev: Token,
    netns: Token,
}

impl NetnsLinkTemplate {
    fn parse(words: &LineWords<'_>) -> Result<NetnsLinkTemplate, LineFault> {
        const SHAPE: &str = "MODE INTERFACE in NETNS";
        let (front, netns) = cut_netns(words, SHAPE)?;
        let [mode, dev] = front.tokens else { return Err(front.expected(SHAPE)) };
        [mode, dev].into_iter().try_for_each(check_word)?;
        Ok(NetnsLinkTemplate { mode: mode.clone(), dev: dev.clone(), netns })
    }
}

impl LineTemplate for NetnsLinkTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.mode, &self.dev, &self.netns]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns([NetnsLinkPattern {
            mode: binder.single(&self.mode)?,
            dev: binder.single(&self.dev)?,
            netns: NetnsSet::bind(&self.netns, binder)?,
        }]))
    }
}

#[derive(Debug)]
pub(super) struct NetnsLinkPattern {
    pub(super) mode: Glob,
    pub(super) dev: Glob,
    pub(super) netns: NetnsSet,
}

impl LinePattern for NetnsLinkPattern {}

impl fmt::Display for NetnsLinkPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.mode, self.dev, self.netns)
    }
}

#[derive(Debug)]
struct NetnsAddressTemplate {
    address: Token,
    netns: Token,
}

impl NetnsAddressTemplate {
    fn parse(words: &LineWords<'_>) -> Result<NetnsAddressTemplate, LineFault> {
        const SHAPE: &str = "ADDRESS in NETNS";
        let (front, netns) = cut_netns(words, SHAPE)?;
        let [address] = front.tokens else { return Err(front.expected(SHAPE)) };
        check_word(address)?;
        Ok(NetnsAddressTemplate { address: address.clone(), netns })
    }
}

impl LineTemplate for NetnsAddressTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.address, &self.netns]
    }

    fn bind(&self, binder: &Binder<'_>, origin: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        let netns = NetnsSet::bind(&self.netns, binder)?;
        let addresses = AddressSet::bind(&self.address, origin, binder)?;
        Ok(patterns(addresses.into_iter().map(|addresses| NetnsAddressPattern { addresses, netns: netns.clone() })))
    }
}

#[derive(Debug)]
pub(super) struct NetnsAddressPattern {
    pub(super) addresses: AddressSet,
    pub(super) netns: NetnsSet,
}

impl LinePattern for NetnsAddressPattern {
    fn addresses(&self) -> Option<&AddressSet> {
        Some(&self.addresses)
    }
}

impl fmt::Display for NetnsAddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.addresses, self.netns)
    }
}

#[derive(Debug)]
struct NetnsRouteTemplate {
    route: RouteWords,
    netns: Token,
}

impl NetnsRouteTemplate {
    fn parse(words: &LineWords<'_>) -> Result<NetnsRouteTemplate, LineFault> {
        let (front, netns) = cut_netns(words, "DESTINATION [via GATEWAY] [dev INTERFACE] in NETNS")?;
        Ok(NetnsRouteTemplate { route: RouteWords::parse(&front)?, netns })
    }
}

impl LineTemplate for NetnsRouteTemplate {
    fn tokens(&self) -> Vec<&Token> {
        let mut tokens = self.route.tokens();
        tokens.push(&self.netns);
        tokens
    }

    fn bind(&self, binder: &Binder<'_>, origin: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        let netns = NetnsSet::bind(&self.netns, binder)?;
        let routes = self.route.bind(origin, binder)?;
        Ok(patterns(routes.into_iter().map(|routes| NetnsRoutePattern { routes, netns: netns.clone() })))
    }
}

#[derive(Debug)]
pub(super) struct NetnsRoutePattern {
    pub(super) routes: RouteSet,
    pub(super) netns: NetnsSet,
}

impl LinePattern for NetnsRoutePattern {}

impl fmt::Display for NetnsRoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.routes, self.netns)
    }
}
