//! Addresses of a line: one, a network, or those that a host name stands for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::glob::Glob;
use crate::line::known_names::KnownNames;
use crate::line::origin::LineOrigin;
use crate::line::token::{Token, quoted};

/// What earlier look-ups in the same call found.
pub(crate) type NameResolution<'a> = &'a KnownNames;

/// The addresses that a line allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AddressSet {
    /// `*`
    Any,
    /// One address with its prefix length.
    Exactly(IpNet),
    /// One address with any prefix length but 0.
    Host(IpAddr),
    /// A network and the networks within it. Only policies write this.
    Within(IpNet),
    /// The addresses that a host name stands for.
    Named(String),
}

impl AddressSet {
    pub(crate) fn new(glob: &Glob, origin: LineOrigin) -> Result<AddressSet, &'static str> {
        if glob.is_any() {
            return Ok(AddressSet::Any);
        }
        // A star within an address would match digits, not addresses.
        let text = glob.literal().ok_or("expected an address, a network or *")?;
        if let Ok(address) = IpAddr::from_str(&text) {
            return Ok(AddressSet::Host(address));
        }
        match (IpNet::from_str(&text), origin) {
            // Host bits are cut off: `10.0.0.9/24` in a policy means the network.
            (Ok(net), LineOrigin::Policy) => Ok(AddressSet::Within(net.trunc())),
            (Ok(net), LineOrigin::Request) => Ok(AddressSet::Exactly(net)),
            (Err(_), _) if is_host_name(&text) => Ok(AddressSet::Named(text)),
            (Err(_), _) => Err("expected an address or a host name"),
        }
    }

    /// Binds a word: a list stands for several sets.
    pub(crate) fn bind(token: &Token, origin: LineOrigin, binder: &Binder<'_>) -> Result<Vec<AddressSet>, BindFailure> {
        let set = |word: Glob| AddressSet::new(&word, origin).map_err(|reason| binder.misfit(token, &word, reason));
        binder.words(token, WordUse::Text)?.into_iter().map(set).collect()
    }

    /// Binds a word that must be one value.
    pub(crate) fn bind_one(token: &Token, origin: LineOrigin, binder: &Binder<'_>) -> Result<AddressSet, BindFailure> {
        let word = binder.single(token)?;
        AddressSet::new(&word, origin).map_err(|reason| binder.misfit(token, &word, reason))
    }

    /// Whether the address is in the set.
    pub(crate) fn contains(&self, address: IpAddr, names: NameResolution<'_>) -> bool {
        match self {
            AddressSet::Any => true,
            AddressSet::Exactly(net) => net.addr() == address,
            AddressSet::Host(host) => *host == address,
            AddressSet::Within(net) => net.contains(&address),
            AddressSet::Named(name) => names.is_address_of(name, address),
        }
    }

    /// Whether the address may be added with this prefix length.
    ///
    /// Only a line that writes the prefix itself allows 0, which would make the whole world a neighbour.
    pub(crate) fn contains_net(&self, net: IpNet, names: NameResolution<'_>) -> bool {
        match self {
            AddressSet::Any => net.prefix_len() > 0,
            AddressSet::Exactly(own) => *own == net,
            AddressSet::Within(own) => own.contains(&net),
            AddressSet::Host(_) | AddressSet::Named(_) => net.prefix_len() > 0 && self.contains(net.addr(), names),
        }
    }

    /// Whether the name may be looked up. A policy cannot know which addresses a name will stand for, so it lets the look-up
    /// pass and judges each address when it is used.
    pub(crate) fn allows_look_up(&self, name: &str, origin: LineOrigin) -> bool {
        match (self, origin) {
            (AddressSet::Any, _) | (AddressSet::Within(_) | AddressSet::Host(_), LineOrigin::Policy) => true,
            (AddressSet::Named(own), _) => own == name,
            (AddressSet::Host(own), _) => name.parse() == Ok(*own),
            (AddressSet::Exactly(own), _) => name.parse() == Ok(own.addr()),
            (AddressSet::Within(_), LineOrigin::Request) => false,
        }
    }
}

fn is_host_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    // Text without a letter, such as `10.0.0.300`, is a mistyped address and not a name.
    text.len() <= 253 && text.chars().all(legal) && text.chars().any(|c| c.is_ascii_alphabetic())
}

impl fmt::Display for AddressSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressSet::Any => f.write_str("*"),
            AddressSet::Exactly(net) | AddressSet::Within(net) => net.fmt(f),
            AddressSet::Host(address) => address.fmt(f),
            AddressSet::Named(name) => f.write_str(&quoted(name)),
        }
    }
}
