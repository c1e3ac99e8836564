//! Addresses and routes.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::glob::Glob;
use crate::token::quoted;

/// Which addresses a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// `*`
    Any,
    /// One, with its prefix length.
    Exactly(IpNet),
    /// One, with any prefix length.
    Host(IpAddr),
    /// All of a network, and networks within it. Only policies say so.
    Within(IpNet),
    /// Those that a host name stands for.
    Named(String),
}

/// Who wrote a line: `10.0.0.0/8` is a network in a policy, and an address with its prefix length in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Policy,
}

impl Addresses {
    pub(crate) fn new(glob: &Glob, side: Side) -> Result<Addresses, &'static str> {
        if glob.is_any() {
            return Ok(Addresses::Any);
        }
        let text = glob.literal().ok_or("expected an address, a network or *")?;
        if let Ok(address) = IpAddr::from_str(&text) {
            return Ok(Addresses::Host(address));
        }
        match (IpNet::from_str(&text), side) {
            (Ok(net), Side::Policy) => Ok(Addresses::Within(net.trunc())),
            (Ok(net), Side::Request) => Ok(Addresses::Exactly(net)),
            (Err(_), _) if is_host_name(&text) => Ok(Addresses::Named(text)),
            (Err(_), _) => Err("expected an address or a host name"),
        }
    }

    /// Whether the address is one of these. `learned` tells whether a name stands for an address.
    pub(crate) fn hold(&self, address: IpAddr, learned: &dyn Fn(&str, IpAddr) -> bool) -> bool {
        match self {
            Addresses::Any => true,
            Addresses::Exactly(net) => net.addr() == address,
            Addresses::Host(host) => *host == address,
            Addresses::Within(net) => net.contains(&address),
            Addresses::Named(name) => learned(name, address),
        }
    }

    /// Whether the address may be added with this prefix. One that makes the whole world a neighbour never may.
    pub(crate) fn hold_net(&self, asked: IpNet, learned: &dyn Fn(&str, IpAddr) -> bool) -> bool {
        match self {
            Addresses::Any => asked.prefix_len() > 0,
            Addresses::Exactly(net) => *net == asked,
            Addresses::Within(net) => net.contains(&asked),
            Addresses::Host(_) | Addresses::Named(_) => asked.prefix_len() > 0 && self.hold(asked.addr(), learned),
        }
    }

    /// Whether the name may be looked up. A policy cannot know what a name will stand for: it is asked again, of the address.
    pub(crate) fn hold_name(&self, name: &str, side: Side) -> bool {
        match (self, side) {
            (Addresses::Any, _) | (Addresses::Within(_) | Addresses::Host(_), Side::Policy) => true,
            (Addresses::Named(own), _) => own == name,
            (Addresses::Host(own), _) => name.parse() == Ok(*own),
            (Addresses::Exactly(own), _) => name.parse() == Ok(own.addr()),
            (Addresses::Within(_), Side::Request) => false,
        }
    }
}

fn is_host_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    // An address that does not parse is a mistake, no name.
    text.len() <= 253 && text.chars().all(legal) && text.chars().any(|c| c.is_ascii_alphabetic())
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Addresses::Any => f.write_str("*"),
            Addresses::Exactly(net) | Addresses::Within(net) => net.fmt(f),
            Addresses::Host(address) => address.fmt(f),
            Addresses::Named(name) => f.write_str(&quoted(name)),
        }
    }
}

/// Which destinations a route line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destinations {
    /// `*`
    Any,
    /// `default`
    Default,
    /// One network.
    Exactly(IpNet),
    /// All networks within one. Only policies say so.
    Within(IpNet),
}

impl Destinations {
    pub(crate) fn new(glob: &Glob, side: Side) -> Result<Destinations, &'static str> {
        if glob.is_any() {
            return Ok(Destinations::Any);
        }
        let text = glob.literal().ok_or("expected a network, default or *")?;
        Ok(match (destination(&text).ok_or("expected a network or default")?, side) {
            (None, _) => Destinations::Default,
            (Some(net), Side::Request) => Destinations::Exactly(net),
            (Some(net), Side::Policy) => Destinations::Within(net),
        })
    }

    pub(crate) fn hold(&self, asked: &str) -> bool {
        match (self, destination(asked)) {
            (_, None) => false,
            (Destinations::Any, Some(_)) | (Destinations::Default, Some(None)) => true,
            (Destinations::Exactly(net), Some(Some(asked))) => *net == asked,
            (Destinations::Within(net), Some(Some(asked))) => net.contains(&asked),
            _ => false,
        }
    }
}

/// A network, or `Some(None)` for the whole world.
fn destination(text: &str) -> Option<Option<IpNet>> {
    if text == "default" {
        return Some(None);
    }
    let net = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from)).ok()?.trunc();
    Some((net.prefix_len() > 0).then_some(net))
}

impl fmt::Display for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destinations::Any => f.write_str("*"),
            Destinations::Default => f.write_str("default"),
            Destinations::Exactly(net) | Destinations::Within(net) => net.fmt(f),
        }
    }
}
