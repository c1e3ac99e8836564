//! The operations within a network namespace, and the lines that allow and forbid them.

use std::net::IpAddr;

use ipnet::IpNet;

use super::set::NetnsSet;
use super::words::{NetnsAddressPattern, NetnsLinkPattern, NetnsPattern, NetnsRoutePattern};
use crate::capability::op::ChangeRoute;
use crate::line::address::NameResolution;
use crate::line::origin::LineOrigin;
use crate::line::rule::GrantRule;
use crate::line::token::quoted;
use crate::operation::{Access, Operation, RuleMatch};

/// Look at the links, addresses and routes of a network namespace. Grant `netns`, or any other `netns.*` of that namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeNetns {
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// Bring a link into a network namespace. Grant `netns.link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlugNetns {
    /// `bridge`, `macvlan` or `dedicated`.
    pub mode: String,
    /// The interface of the node that the link hangs on, or is.
    pub dev: String,
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// Take out of a network namespace what the resource itself brought there. Grant `netns.link`; a policy that allowed the
/// plug also allows the unplug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnplugNetns {
    /// The mode of the plug.
    pub mode: String,
    /// The interface of the node that the link hangs on, or is.
    pub dev: String,
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// Ask the neighbours of a network namespace whether an address is in use. Grant `netns.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeNetnsAddress {
    pub address: IpAddr,
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// Announce to the neighbours of a network namespace where an address is. Grant `netns.addr`, of any prefix length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnounceNetnsAddress {
    pub address: IpAddr,
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// Add or remove an address within a network namespace. Grant `netns.addr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNetnsAddress {
    /// The address with its prefix length.
    pub address: IpNet,
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// Add or remove a route within a network namespace. Grant `netns.route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNetnsRoute {
    pub route: ChangeRoute,
    /// An absolute path, or the id of the resource that owns the namespace.
    pub netns: String,
}

/// The network namespaces that a line of any of the four capabilities is about.
fn namespaces(rule: &GrantRule) -> Option<&NetnsSet> {
    // A driver that may change something in a namespace may also look at it.
    let link = || rule.pattern::<NetnsLinkPattern>().map(|own| &own.netns);
    let address = || rule.pattern::<NetnsAddressPattern>().map(|own| &own.netns);
    let route = || rule.pattern::<NetnsRoutePattern>().map(|own| &own.netns);
    rule.pattern::<NetnsPattern>().map(|own| &own.0).or_else(link).or_else(address).or_else(route)
}

/// Whether the rule is a `netns` line about this namespace: denied, it forbids all that could be done within.
fn is_whole_netns(rule: &GrantRule, netns: &str) -> bool {
    rule.pattern::<NetnsPattern>().is_some_and(|own| own.0.contains(netns))
}

impl Operation for SeeNetns {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("netns = {}", quoted(&self.netns))
    }
}

impl RuleMatch for SeeNetns {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        namespaces(rule).is_some_and(|own| own.contains(&self.netns))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        is_whole_netns(rule, &self.netns)
    }
}

fn link_line(mode: &str, dev: &str, netns: &str) -> String {
    format!("netns.link = {} {} in {}", quoted(mode), quoted(dev), quoted(netns))
}

impl Operation for PlugNetns {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        link_line(&self.mode, &self.dev, &self.netns)
    }
}

impl RuleMatch for PlugNetns {
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<NetnsLinkPattern>().is_some_and(|own| {
            own.mode.matches(&self.mode) && own.dev.matches(&self.dev) && own.netns.contains(&self.netns)
        })
    }

    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        is_whole_netns(rule, &self.netns) || self.is_covered_by(rule, names)
    }
}

impl Operation for UnplugNetns {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        link_line(&self.mode, &self.dev, &self.netns)
    }
}

impl RuleMatch for UnplugNetns {
    /// A policy is not asked about mode and interface: it may have changed since the plug, and a stop must still work.
    fn is_covered_by(&self, rule: &GrantRule, _: NameResolution<'_>) -> bool {
        rule.pattern::<NetnsLinkPattern>().is_some_and(|own| {
            // In a request both belong to the same keywords as at the plug, so they still match.
            let same_link = || own.mode.matches(&self.mode) && own.dev.matches(&self.dev);
            (rule.origin == LineOrigin::Policy || same_link()) && own.netns.contains(&self.netns)
        })
    }

    fn is_forbidden_by(&self, _: &GrantRule, _: NameResolution<'_>) -> bool {
        false
    }
}

impl Operation for ProbeNetnsAddress {
    fn access(&self) -> Access {
        Access::Read
    }

    fn line(&self) -> String {
        format!("netns.addr = {} in {}", self.address, quoted(&self.netns))
    }
}

impl RuleMatch for ProbeNetnsAddress {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        covers_address(rule, self.address, &self.netns, names)
    }

    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        is_whole_netns(rule, &self.netns) || self.is_covered_by(rule, names)
    }
}

impl Operation for AnnounceNetnsAddress {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("netns.addr = {} in {}", self.address, quoted(&self.netns))
    }
}

impl RuleMatch for AnnounceNetnsAddress {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        covers_address(rule, self.address, &self.netns, names)
    }

    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        is_whole_netns(rule, &self.netns) || self.is_covered_by(rule, names)
    }
}

fn covers_address(rule: &GrantRule, address: IpAddr, netns: &str, names: NameResolution<'_>) -> bool {
    let own = rule.pattern::<NetnsAddressPattern>();
    own.is_some_and(|own| own.addresses.contains(address, names) && own.netns.contains(netns))
}

impl Operation for ChangeNetnsAddress {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("netns.addr = {} in {}", self.address, quoted(&self.netns))
    }
}

impl RuleMatch for ChangeNetnsAddress {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        let own = rule.pattern::<NetnsAddressPattern>();
        own.is_some_and(|own| own.addresses.contains_net(self.address, names) && own.netns.contains(&self.netns))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        is_whole_netns(rule, &self.netns) || self.is_covered_by(rule, names)
    }
}

impl Operation for ChangeNetnsRoute {
    fn access(&self) -> Access {
        Access::Mutate
    }

    fn line(&self) -> String {
        format!("netns.route = {} in {}", self.route.words(), quoted(&self.netns))
    }
}

impl RuleMatch for ChangeNetnsRoute {
    fn is_covered_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        let own = rule.pattern::<NetnsRoutePattern>();
        own.is_some_and(|own| self.route.is_in(&own.routes, names) && own.netns.contains(&self.netns))
    }

    fn is_forbidden_by(&self, rule: &GrantRule, names: NameResolution<'_>) -> bool {
        is_whole_netns(rule, &self.netns) || self.is_covered_by(rule, names)
    }
}
