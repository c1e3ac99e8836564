//! `net.link`, `net.addr` and `net.route`: interfaces, addresses and routes of the node.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::definition::{Capability, LinePattern, LineTemplate, only_stars, patterns};
use crate::bind::binder::{BindFailure, Binder};
use crate::bind::value::WordUse;
use crate::line::address::AddressSet;
use crate::line::address::NameResolution;
use crate::line::attributes::AttributeKind;
use crate::line::check::check_word;
use crate::line::glob::Glob;
use crate::line::origin::LineOrigin;
use crate::line::route::{RouteSet, RouteWords, route_line};
use crate::line::rule::GrantRule;
use crate::line::token::{Token, quoted};
use crate::operation::{Access, Operation, RuleMatch};

pub(super) static CAPABILITIES: [Capability; 3] = [
    Capability {
        name: "net.link",
        attributes: &[AttributeKind::LooksOnly],
        template: |words| {
            let token = words.one("the name of an interface")?;
            check_word(token)?;
            Ok(Arc::new(LinkTemplate { dev: token.clone() }))
        },
        verb: |read, _| if read { "look at the interface" } else { "set up the interface" },
        policy_word: only_stars,
        also_decided_by: &[],
    },
    Capability {
        name: "net.addr",
        attributes: &[AttributeKind::LooksOnly],
        template: |words| match words.tokens {
            [address, on, dev] if on.is_word("on") => {
                check_word(address)?;
                check_word(dev)?;
                Ok(Arc::new(AddressTemplate { address: address.clone(), dev: dev.clone() }))
            }
            _ => Err(words.expected("ADDRESS on INTERFACE")),
        },
        verb: |read, _| if read { "ask the neighbours for the address" } else { "add and remove the address" },
        policy_word: only_stars,
        also_decided_by: &[],
    },
    Capability {
        name: "net.route",
        attributes: &[],
        template: |words| Ok(Arc::new(RouteTemplate(RouteWords::parse(words)?))),
        verb: |_, _| "add and remove the route to",
        policy_word: only_stars,
        also_decided_by: &[],
    },
];

/// Look at a link and its addresses. Grant `net.link`, or `net.addr` on that link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeLink {
    /// The interface's name.
    pub dev: String,
}

/// Set a link up. Grant `net.link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLink {
    /// The interface's name.
    pub dev: String,
}

/// Ask the neighbours whether an address is in use. Grant `net.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAddress {
    /// The interface's name.
    pub dev: String,
    pub address: IpAddr,
}

/// Add, remove or announce an address. Grant `net.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAddress {
    /// The interface's name.
    pub dev: String,
    /// The address with its prefix length.
    pub address: IpNet,
}

/// Look up a host name. Grant `net.addr` or `netns.addr` whose address is that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveName {
    /// A host name or an address.
    pub name: String,
}

/// Look at the routes to a destination. Grant `net.route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeRoute {
    /// A prefix, or `default`.
    pub destination: String,
}

/// Add or remove a route. Grant `net.route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRoute {
    /// A prefix, or `default`.
    pub destination: String,
    pub gateway: Option<IpAddr>,
    pub dev: Option<String>,
}

impl ChangeRoute {
    /// Whether the routes of a line contain this one.
    pub(super) fn is_in(&self, routes: &RouteSet, names: NameResolution<'_>) -> bool {
        routes.contains(&self.destination, self.gateway, self.dev.as_deref(), names)
    }

    /// Writes the route as a line does.
    pub(super) fn words(&self) -> String {
        route_line(&self.destination, self.gateway, self.dev.as_deref())
    }
}

#[derive(Debug)]
struct LinkTemplate {
    dev: Token,
}

impl LineTemplate for LinkTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.dev]
    }

    fn bind(&self, binder: &Binder<'_>, _: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns(binder.words(&self.dev, WordUse::Name)?.into_iter().map(LinkPattern)))
    }
}

#[derive(Debug)]
struct LinkPattern(Glob);

impl LinePattern for LinkPattern {}

impl fmt::Display for LinkPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
struct AddressTemplate {
    address: Token,
    dev: Token,
}

impl LineTemplate for AddressTemplate {
    fn tokens(&self) -> Vec<&Token> {
        vec![&self.address, &self.dev]
    }

    fn bind(&self, binder: &Binder<'_>, origin: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        let dev = binder.single(&self.dev)?;
        let addresses = AddressSet::bind(&self.address, origin, binder)?;
        Ok(patterns(addresses.into_iter().map(|addresses| AddressPattern { addresses, dev: dev.clone() })))
    }
}

#[derive(Debug)]
struct AddressPattern {
    addresses: AddressSet,
    dev: Glob,
}

impl LinePattern for AddressPattern {
    fn addresses(&self) -> Option<&AddressSet> {
        Some(&self.addresses)
    }
}

impl fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.addresses, self.dev)
    }
}

#[derive(Debug)]
struct RouteTemplate(RouteWords);

impl LineTemplate for RouteTemplate {
    fn tokens(&self) -> Vec<&Token> {
        self.0.tokens()
    }

    fn bind(&self, binder: &Binder<'_>, origin: LineOrigin) -> Result<Vec<Arc<dyn LinePattern>>, BindFailure> {
        Ok(patterns(self.0.bind(origin, binder)?.into_iter().map(RoutePattern)))
    }
}

#[derive(Debug)]
struct RoutePattern(RouteSet);

impl LinePattern for RoutePattern {}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Operation for SeeLink {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("net.link(read) = {}", quoted(&self.dev))
    }
}

impl RuleMatch for SeeLink {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        // A driver that may put an address on an interface must be able to see whether it is there.
        let link = || rule.pattern::<LinkPattern>().is_some_and(|own| own.0.matches(&self.dev));
        link() || rule.pattern::<AddressPattern>().is_some_and(|own| own.dev.matches(&self.dev))
    }

    /// A denied address on the interface forbids the address alone.
    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<LinkPattern>().is_some_and(|own| own.0.matches(&self.dev))
    }
}

impl Operation for ChangeLink {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("net.link = {}", quoted(&self.dev))
    }
}

impl RuleMatch for ChangeLink {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        !rule.attributes.read && rule.pattern::<LinkPattern>().is_some_and(|own| own.0.matches(&self.dev))
    }
}

impl Operation for ProbeAddress {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("net.addr = {} on {}", self.address, quoted(&self.dev))
    }
}

impl RuleMatch for ProbeAddress {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        let own = rule.pattern::<AddressPattern>();
        own.is_some_and(|own| own.addresses.contains(self.address, names) && own.dev.matches(&self.dev))
    }
}

impl Operation for ChangeAddress {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("net.addr = {} on {}", self.address, quoted(&self.dev))
    }
}

impl RuleMatch for ChangeAddress {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        // `net.addr(read)` allows probing alone.
        let own = rule.pattern::<AddressPattern>().filter(|_| !rule.attributes.read);
        own.is_some_and(|own| own.addresses.contains_net(self.address, names) && own.dev.matches(&self.dev))
    }
}

impl Operation for ResolveName {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("net.addr = {} on *", quoted(&self.name))
    }
}

impl RuleMatch for ResolveName {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern.addresses().is_some_and(|addresses| addresses.allows_look_up(&self.name, rule.origin))
    }

    /// A `deny` of one network cannot know the name's addresses yet: it is held against each of them later.
    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern.addresses() == Some(&AddressSet::Any)
    }
}

impl Operation for SeeRoute {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("net.route = {}", quoted(&self.destination))
    }
}

impl RuleMatch for SeeRoute {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<RoutePattern>().is_some_and(|own| own.0.leads_to(&self.destination))
    }

    fn is_forbidden_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
        false
    }
}

impl Operation for ChangeRoute {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("net.route = {}", self.words())
    }
}

impl RuleMatch for ChangeRoute {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        rule.pattern::<RoutePattern>().is_some_and(|own| self.is_in(&own.0, names))
    }
}
