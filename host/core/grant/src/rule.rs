//! A bound grant line, and what it covers.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use crate::argv::Command;
use crate::bind::Stranger;
use crate::glob::{Glob, PathGlob};
use crate::guard::Guard;
use crate::line::Capability;
use crate::net::{Addresses, Destinations, Side};
use crate::netns::Namespaces;
use crate::op::{ChangeNetnsRoute, ChangeRoute, Fetch, FetchUnix, Mount, PlugNetns, UnplugNetns};
use crate::web::{Methods, RequestPaths, Urls};

/// An operation as the rules see it.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// Read a path.
    ReadPath(&'a Path),
    /// Write a path.
    WritePath(&'a Path),
    /// Remove a path and all below it.
    WriteTree(&'a Path),
    /// Look at a mount point.
    MountPoint(&'a Path),
    /// Unmount.
    Unmount(&'a Path),
    /// Mount.
    Mount(&'a Mount),
    /// Read a device.
    ReadDevice(&'a str),
    /// See or change the loop device of a file.
    Loop(&'a Path),
    /// See a link.
    SeeLink(&'a str),
    /// Change a link.
    ChangeLink(&'a str),
    /// Probe an address on a link.
    ProbeAddress(IpAddr, &'a str),
    /// Change an address of a link.
    Address(IpNet, &'a str),
    /// Resolve a name.
    Name(&'a str),
    /// See the routes to a destination.
    SeeRoute(&'a str),
    /// Change a route.
    Route(&'a ChangeRoute),
    /// Look into a network namespace.
    SeeNetns(&'a str),
    /// Bring a link into a network namespace.
    PlugNetns(&'a PlugNetns),
    /// Take the resource's own link out of a network namespace.
    UnplugNetns(&'a UnplugNetns),
    /// Probe or announce an address within a network namespace.
    NetnsHost(IpAddr, &'a str),
    /// Change an address within a network namespace.
    NetnsAddress(IpNet, &'a str),
    /// Change a route within a network namespace.
    NetnsRoute(&'a ChangeNetnsRoute),
    /// Run a program: program, arguments, user.
    Exec(&'a Path, &'a [String], Option<&'a str>),
    /// Start a program: program, arguments, user.
    Spawn(&'a Path, &'a [String], Option<&'a str>),
    /// The resource's own processes.
    Processes,
    /// A request to an address.
    Fetch(&'a Fetch),
    /// A request to a unix socket.
    FetchUnix(&'a FetchUnix),
    /// What needs no grant.
    Nothing,
}

/// Tells whether a host name was found to stand for an address.
pub(crate) type Learned<'a> = &'a dyn Fn(&str, IpAddr) -> bool;

/// What a bound line covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    Path(PathGlob),
    Mount { fstype: Glob, source: Source, target: PathGlob },
    Device(Source),
    Link(Glob),
    Address { addresses: Addresses, dev: Glob },
    Route { destinations: Destinations, gateway: Option<Addresses>, dev: Option<Glob> },
    Netns(Namespaces),
    NetnsLink { mode: Glob, dev: Glob, netns: Namespaces },
    NetnsAddress { addresses: Addresses, netns: Namespaces },
    NetnsRoute { destinations: Destinations, gateway: Option<Addresses>, dev: Option<Glob>, netns: Namespaces },
    Command(Command),
    Url { methods: Methods, urls: Urls },
    Unix { methods: Methods, socket: PathGlob, paths: RequestPaths },
}

/// What may be read or mounted: a path, or a word such as `LABEL=data` or `tmpfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Any,
    Path(PathGlob),
    Word(Glob),
}

impl Source {
    fn hold(&self, asked: &str) -> bool {
        match self {
            Source::Any => true,
            Source::Path(path) => path.matches(asked.as_ref()),
            Source::Word(word) => word.matches(asked),
        }
    }
}

/// A bound grant line. Nothing in it is a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) capability: Capability,
    pub(crate) read: bool,
    pub(crate) caps: BTreeSet<String>,
    pub(crate) user: Option<Glob>,
    pub(crate) guard: Option<Guard>,
    pub(crate) root_equivalent: bool,
    pub(crate) side: Side,
    pub(crate) pattern: Pattern,
    /// Nobody vouches for a value in it: it covers nothing but the end of a mount.
    pub(crate) stranger: Option<Stranger>,
    /// Not even that, because the mount point itself is such a value.
    pub(crate) inert: bool,
}

impl Rule {
    /// Whether the line covers what is asked.
    pub(crate) fn covers(&self, asked: Asked<'_>, learned: Learned<'_>) -> bool {
        use Capability as C;
        match (asked, &self.pattern) {
            (Asked::ReadPath(path), Pattern::Path(own)) => self.is(&[C::FilesRead, C::FilesWrite]) && own.matches(path),
            (Asked::WritePath(path), Pattern::Path(own)) => self.is(&[C::FilesWrite]) && own.matches(path),
            (Asked::WriteTree(path), Pattern::Path(own)) => self.is(&[C::FilesWrite]) && own.matches_tree(path),
            (Asked::MountPoint(path) | Asked::Unmount(path), Pattern::Mount { target, .. }) => target.matches(path),
            (Asked::Mount(asked), Pattern::Mount { fstype, source, target }) => {
                fstype.matches(&asked.fstype) && source.hold(&asked.source) && target.matches(&asked.target)
            }
            (Asked::ReadDevice(asked), Pattern::Device(own)) => own.hold(asked),
            (Asked::ReadDevice(asked), Pattern::Path(own)) => self.is(&[C::BlockLoop]) && own.matches(asked.as_ref()),
            (Asked::Loop(file), Pattern::Path(own)) => self.is(&[C::BlockLoop]) && own.matches(file),
            (Asked::SeeLink(asked), Pattern::Link(dev) | Pattern::Address { dev, .. }) => dev.matches(asked),
            (Asked::ChangeLink(asked), Pattern::Link(dev)) => !self.read && dev.matches(asked),
            (Asked::ProbeAddress(address, on), Pattern::Address { addresses, dev }) => {
                addresses.hold(address, learned) && dev.matches(on)
            }
            (Asked::Address(net, on), Pattern::Address { addresses, dev }) => {
                !self.read && addresses.hold_net(net, learned) && dev.matches(on)
            }
            (Asked::Name(name), Pattern::Address { addresses, .. } | Pattern::NetnsAddress { addresses, .. }) => {
                addresses.hold_name(name, self.side)
            }
            (Asked::SeeRoute(asked), Pattern::Route { destinations, .. }) => destinations.hold(asked),
            (Asked::Route(asked), Pattern::Route { destinations, gateway, dev }) => {
                destinations.hold(&asked.destination) && through(asked, gateway.as_ref(), dev.as_ref(), learned)
            }
            (Asked::SeeNetns(asked), pattern) => pattern.netns().is_some_and(|netns| netns.hold(asked)),
            (Asked::PlugNetns(asked), Pattern::NetnsLink { mode, dev, netns }) => {
                mode.matches(&asked.mode) && dev.matches(&asked.dev) && netns.hold(&asked.netns)
            }
            (Asked::UnplugNetns(asked), Pattern::NetnsLink { mode, dev, netns }) => {
                let own = self.side == Side::Policy || (mode.matches(&asked.mode) && dev.matches(&asked.dev));
                own && netns.hold(&asked.netns)
            }
            (Asked::NetnsHost(address, within), Pattern::NetnsAddress { addresses, netns }) => {
                addresses.hold(address, learned) && netns.hold(within)
            }
            (Asked::NetnsAddress(net, within), Pattern::NetnsAddress { addresses, netns }) => {
                addresses.hold_net(net, learned) && netns.hold(within)
            }
            (Asked::NetnsRoute(asked), Pattern::NetnsRoute { destinations, gateway, dev, netns }) => {
                let route = &asked.route;
                destinations.hold(&route.destination)
                    && through(route, gateway.as_ref(), dev.as_ref(), learned)
                    && netns.hold(&asked.netns)
            }
            (Asked::Exec(program, args, user), Pattern::Command(own)) => {
                self.is(&[C::Exec]) && self.runs_as(user) && own.matches(program, args)
            }
            (Asked::Spawn(program, args, user), Pattern::Command(own)) => {
                self.is(&[C::Spawn]) && self.runs_as(user) && own.matches(program, args)
            }
            (Asked::Processes, Pattern::Command(_)) => true,
            (Asked::Fetch(asked), Pattern::Url { methods, urls }) => {
                methods.hold(&asked.method) && urls.hold(&asked.url)
            }
            (Asked::FetchUnix(asked), Pattern::Unix { methods, socket, paths }) => {
                methods.hold(&asked.method) && socket.matches(&asked.socket) && paths.hold(&asked.path)
            }
            _ => false,
        }
    }

    /// Whether a `deny` of this line is about what is asked. It forbids more than `allow` would allow: a path that may not be
    /// read may not be written, a tree that holds it may not be removed, a program that may not run may not be left running.
    pub(crate) fn forbids(&self, asked: Asked<'_>, learned: Learned<'_>) -> bool {
        use Capability as C;
        match (asked, &self.pattern) {
            (Asked::ReadPath(path), Pattern::Path(own)) => self.is(&[C::FilesRead]) && own.matches(path),
            (Asked::WritePath(path), Pattern::Path(own)) => {
                self.is(&[C::FilesRead, C::FilesWrite]) && own.matches(path)
            }
            (Asked::WriteTree(path), Pattern::Path(own)) => {
                self.is(&[C::FilesRead, C::FilesWrite]) && own.touches_tree(path)
            }
            (Asked::ReadDevice(_), Pattern::Path(_)) | (Asked::SeeLink(_), Pattern::Address { .. }) => false,
            (Asked::MountPoint(_) | Asked::SeeRoute(_) | Asked::UnplugNetns(_) | Asked::Processes, _) => false,
            (Asked::SeeNetns(asked), pattern) => matches!(pattern, Pattern::Netns(own) if own.hold(asked)),
            (
                Asked::PlugNetns(PlugNetns { netns, .. }) | Asked::NetnsRoute(ChangeNetnsRoute { netns, .. }),
                Pattern::Netns(own),
            ) => own.hold(netns),
            (Asked::NetnsAddress(_, netns) | Asked::NetnsHost(_, netns), Pattern::Netns(own)) => own.hold(netns),
            (Asked::Name(_), Pattern::Address { addresses, .. } | Pattern::NetnsAddress { addresses, .. }) => {
                *addresses == Addresses::Any
            }
            (Asked::Spawn(program, args, user), Pattern::Command(own)) => {
                self.runs_as(user) && own.matches(program, args)
            }
            _ => self.covers(asked, learned),
        }
    }

    fn is(&self, capabilities: &[Capability]) -> bool {
        capabilities.contains(&self.capability)
    }

    fn runs_as(&self, user: Option<&str>) -> bool {
        self.user.as_ref().is_none_or(|own| user.is_some_and(|user| own.matches(user)))
    }

    /// Whether the line still counts although nobody vouches for a value in it: a mount can always be ended.
    pub(crate) fn stands_for(&self, asked: Asked<'_>) -> bool {
        let ends = matches!(asked, Asked::MountPoint(_) | Asked::Unmount(_));
        self.stranger.is_none() || (ends && !self.inert)
    }

    /// What stands in the parentheses, with them.
    pub(crate) fn attributes(&self) -> String {
        let mut attributes = Vec::new();
        if self.read {
            attributes.push("read".to_owned());
        }
        if !self.caps.is_empty() {
            let caps: Vec<&str> = self.caps.iter().map(String::as_str).collect();
            attributes.push(format!("caps={}", caps.join("+")));
        }
        if let Some(user) = &self.user {
            attributes.push(format!("user={user}"));
        }
        if let Some(guard) = self.guard {
            attributes.push(format!("guard={guard}"));
        }
        if self.root_equivalent {
            attributes.push("root_equivalent".to_owned());
        }
        if attributes.is_empty() { String::new() } else { format!("({})", attributes.join(", ")) }
    }
}

impl Pattern {
    /// The network namespaces that the line is about.
    fn netns(&self) -> Option<&Namespaces> {
        match self {
            Pattern::Netns(netns)
            | Pattern::NetnsLink { netns, .. }
            | Pattern::NetnsAddress { netns, .. }
            | Pattern::NetnsRoute { netns, .. } => Some(netns),
            _ => None,
        }
    }
}

fn through(asked: &ChangeRoute, gateway: Option<&Addresses>, dev: Option<&Glob>, learned: Learned<'_>) -> bool {
    let gateway = gateway.is_none_or(|own| asked.gateway.is_some_and(|gateway| own.hold(gateway, learned)));
    let dev = dev.is_none_or(|own| asked.dev.as_deref().is_some_and(|dev| own.matches(dev)));
    gateway && dev
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Any => f.write_str("*"),
            Source::Path(path) => path.fmt(f),
            Source::Word(word) => word.fmt(f),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Path(path) => path.fmt(f),
            Pattern::Mount { fstype, source, target } => write!(f, "{fstype} {source} on {target}"),
            Pattern::Device(source) => source.fmt(f),
            Pattern::Link(dev) => dev.fmt(f),
            Pattern::Address { addresses, dev } => write!(f, "{addresses} on {dev}"),
            Pattern::Route { destinations, gateway, dev } => {
                destinations.fmt(f)?;
                gateway.iter().try_for_each(|gateway| write!(f, " via {gateway}"))?;
                dev.iter().try_for_each(|dev| write!(f, " dev {dev}"))
            }
            Pattern::Netns(netns) => netns.fmt(f),
            Pattern::NetnsLink { mode, dev, netns } => write!(f, "{mode} {dev} in {netns}"),
            Pattern::NetnsAddress { addresses, netns } => write!(f, "{addresses} in {netns}"),
            Pattern::NetnsRoute { destinations, gateway, dev, netns } => {
                destinations.fmt(f)?;
                gateway.iter().try_for_each(|gateway| write!(f, " via {gateway}"))?;
                dev.iter().try_for_each(|dev| write!(f, " dev {dev}"))?;
                write!(f, " in {netns}")
            }
            Pattern::Command(command) => command.fmt(f),
            Pattern::Url { methods, urls } => write!(f, "{methods} {urls}"),
            Pattern::Unix { methods, socket, paths } => write!(f, "{methods} {socket} {paths}"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} = {}", self.capability.as_str(), self.attributes(), self.pattern)
    }
}
