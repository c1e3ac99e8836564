//! `ip.netns`: an address in a network namespace, usually that of a container.
//!
//! Up: a link in the namespace has the address that start added, and there is a default route if there is a gateway. Down: no link
//! has it, or the namespace does not exist, for example because the container is down. Start refuses if another host has the address;
//! otherwise it plugs a link into the namespace, adds the address and the default route, and announces the address to the
//! neighbours. Stop removes what start added, in whichever namespace it is. See network_namespaces(7), veth(4), ip-link(8).

use std::net::IpAddr;

use hostler_family_inet::{
    AddressDoubt, InetAddress, adopt, conflict, dev_now, differences, doubt, held, not_ours, refuse_ipv6, release_all,
    stop,
};
use hostler_sdk::cidr::{destination, holds, ip_of};
use hostler_sdk::holdings::Holding;
use hostler_sdk::net::Route;
use hostler_sdk::netns::Contents;
use hostler_sdk::prelude::*;

/// How long the neighbours may take to answer three probes.
const PROBE: Duration = Duration::from_millis(1500);

/// The maximum length of a link's name: IFNAMSIZ without the terminating zero.
const LONGEST_NAME: usize = 15;

/// The number of characters of a container's id in the label.
const SHORT_ID: usize = 12;

/// An address in a network namespace, usually that of a container.
///
/// If netns is a container of the object, the address starts right after the container and stops right before it, whichever
/// filter selected the container. The container needs no other network: `netns = none`, or `--net=none` in run_args.
#[derive(Keywords)]
struct NamespaceAddress {
    /// The address.
    #[keyword(flatten)]
    inet: InetAddress,
    /// The interface of the node that leads to the neighbours: the bridge, the parent of the macvlan, or the dedicated interface.
    #[keyword(alias = "ipdev", example = "br0")]
    dev: String,
    /// The network namespace: a container of the object, a name as in ip-netns(8), or a path such as /proc/42/ns/net. The node's
    /// own namespace is refused.
    #[keyword(example = "container#1")]
    netns: String,
    /// How the address is connected. `bridge`: by a pair of links, of which one end is a port of the bridge dev. `macvlan`: by a
    /// macvlan link on dev, which reaches everything except the node itself. `dedicated`: by dev itself, which the node must not
    /// use, and which stop returns to the node.
    #[keyword(default = "bridge", candidates("bridge", "macvlan", "dedicated"))]
    mode: String,
    /// The name of the link in the namespace. The default is the first free one of eth0, eth1…
    #[keyword(example = "eth0")]
    nsdev: Option<String>,
    /// The hardware address of the link. By default the kernel chooses one. A dedicated interface keeps its own.
    #[keyword(example = "02:00:0a:00:00:09")]
    macaddr: Option<String>,
    /// The router of the namespace's default route. A router outside of the address's network is assumed to be on the link.
    #[keyword(example = "10.0.0.1")]
    gateway: Option<String>,
    /// The network of the address. It follows from name and netmask, and is only checked against them.
    #[keyword(example = "10.0.0.0")]
    network: Option<String>,
    /// Whether the route to the network of the address is left out, so that its neighbours are also reached through the gateway,
    /// as virtual networks of clouds require.
    del_net_route: bool,
    /// Whether status warns about a link without a carrier.
    #[keyword(default = "true")]
    check_carrier: bool,
}

#[driver]
impl Driver for NamespaceAddress {
    const NAME: &str = "ip.netns";
    // OpenSVC configurations use the type `docker`.
    const ALIASES: &[&str] = &["docker"];
    const GRANTS: &[&str] = &[
        "netns.link = {kw:mode} {kw:dev} in {kw:netns}",
        "netns.addr = {kw:name} in {kw:netns}",
        "netns.route = default via {kw:gateway} in {kw:netns}",
        // To check the node's addresses only: a dedicated interface or a bridge may have them.
        "net.addr(read) = {kw:name} on {kw:dev}",
    ];

    fn validate(&self, _: &Context) -> Result<Vec<Problem>> {
        let mut problems = self.inet.problems();
        let mut check = |wrong: bool, keyword: &str, text: String| {
            problems.extend(wrong.then(|| Problem::new(keyword, text)));
        };
        let address: Option<IpAddr> = self.inet.name.parse().ok();
        if let Some(gateway) = &self.gateway {
            let router: Option<IpAddr> = gateway.parse().ok();
            let kin = |address: IpAddr| router.is_some_and(|router| router.is_ipv4() == address.is_ipv4());
            check(router.is_none(), "gateway", format!("{gateway} is not an address"));
            let other = router.is_some() && address.is_some_and(|address| !kin(address));
            check(other, "gateway", format!("{gateway} cannot be the router of {}", self.inet.name));
        }
        if let (Some(network), Some(netmask), Some(address)) = (&self.network, &self.inet.netmask, address) {
            let len = hostler_sdk::cidr::prefix_len(netmask);
            let outside = len.is_some_and(|len| !holds(&format!("{network}/{len}"), address));
            check(outside, "network", format!("{address} is not in {network}, with the netmask {netmask}"));
        }
        if let Some(name) = &self.nsdev {
            let bad = name.is_empty() || name.len() > LONGEST_NAME || name.contains(['/', ':', '%', ' ']);
            check(bad, "nsdev", format!("{name} is not a name for a link: expected at most {LONGEST_NAME} characters"));
        }
        if let Some(mac) = &self.macaddr {
            check(!is_mac(mac), "macaddr", format!("{mac} is not a hardware address such as 02:00:0a:00:00:09"));
            check(self.mode == "dedicated", "macaddr", "a dedicated interface keeps its hardware address".to_owned());
        }
        Ok(problems)
    }

    fn status(&self, context: &Context) -> Result<Status> {
        let held = held("address")?;
        let (address, unresolved) = match (self.inet.address(), &held) {
            (Ok(address), _) => (Some(address), None),
            (Err(error), _) => (None, Some(error)),
        };
        let label = self.label(&address.map_or_else(|| self.inet.name.clone(), |address| address.to_string()), context);
        let contents = match netns::look(&self.netns) {
            // The namespace is the node's own, where this resource never adds anything.
            Err(CapabilityError::Invalid(why)) => return Ok(Status::down().label(label).warning(why)),
            contents => contents?,
        };
        let status = match (&held, &contents) {
            (Some(held), _) => self.status_of(held, contents.as_ref(), address),
            (None, Some(contents)) => self.status_without(contents, address),
            // While the container is down, its namespace is expected to be missing.
            (None, None) if self.is_of_resource() => Status::down(),
            (None, None) => Status::down().info(self.no_namespace()),
        };
        Ok(unresolved
            .into_iter()
            .fold(status, |status, error| match held {
                Some(_) => status.degraded(error),
                None => status.warning(error),
            })
            .label(label))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let contents = netns::look(&self.netns)?.ok_or_else(|| Error::retryable(self.no_namespace()))?;
        let mut done = Vec::new();
        let held = held("address")?;
        let address = match held.as_ref().and_then(|held| ip_of(held.text("cidr"))) {
            Some(address) => address,
            None => self.inet.address()?,
        };
        let (dev, cidr) = match (held, found(&contents, address)) {
            (Some(held), Some(found)) if found.cidr == held.text("cidr") => (found.dev, found.cidr),
            // The container was made anew. Its former namespace lingers while a process is in it, and would still answer for the address.
            (Some(_), _) if self.is_of_resource() => {
                release_all()?;
                self.add(address, &contents, context, &mut done)?
            }
            // It is in another namespace than that of the keywords.
            (Some(held), _) => return Ok(Outcome::unchanged(format!("{} is already up", held.label))),
            (None, Some(stranger)) => {
                return adopt("address", &format!("{}@{} in {}", stranger.cidr, stranger.dev, self.netns));
            }
            (None, None) => self.add(address, &contents, context, &mut done)?,
        };
        if let Some(gateway) = self.gateway.as_ref().filter(|_| !self.leads_out(&contents, &dev)) {
            // A gateway outside of the address's network is only accepted by the kernel with `onlink`.
            let outside = self.del_net_route || gateway.parse().is_ok_and(|router| !holds(&cidr, router));
            netns::add_route(&self.netns, &self.default_route(&dev), outside)?;
            done.push(format!("default route via {gateway}"));
        }
        if done.is_empty() {
            return Ok(Outcome::unchanged(format!("{cidr} is already up on {dev} of {}", self.netns)));
        }
        match netns::announce(&self.netns, &dev, &address.to_string()) {
            Ok(()) => done.push("announced".to_owned()),
            Err(error) => log::warn(format!("cannot announce {address}: {error}")),
        }
        Ok(Outcome::changed(format!("{} of {}: {}", dev, self.netns, done.join(", "))))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        stop(&format!("{} in {}", self.inet.name, self.netns), || {
            let Some(address) = self.inet.literal() else { return Ok(None) };
            let stranger = netns::look(&self.netns)?.and_then(|contents| found(&contents, address));
            Ok(stranger.map(|own| format!("{} on {} stays: this resource did not add it", own.cidr, own.dev)))
        })
    }
}

/// The result of asking whether the address is free.
#[derive(PartialEq)]
enum AddressCheck {
    Yes,
    /// The node cannot tell: only a link inside the namespace can ask the neighbours.
    Unknown,
}

impl NamespaceAddress {
    /// The status of the address that start added. It may be in another namespace than that of the keywords.
    fn status_of(&self, held: &Holding, contents: Option<&Contents>, address: Option<IpAddr>) -> Status {
        let cidr = held.text("cidr");
        let status = differences(held, address, self.inet.prefix()).into_iter().fold(Status::up(), Status::degraded);
        let addresses = contents.iter().flat_map(|contents| &contents.addresses);
        let seen = addresses.into_iter().find(|seen| seen.cidr == cidr && seen.dev == dev_now(held));
        let (Some(contents), Some(seen)) = (contents, seen) else {
            let text = format!("{} is up, and netns is {} now: a restart applies it", held.label, self.netns);
            return status.degraded(text);
        };
        let status = self.faults(contents, &seen.dev).into_iter().fold(status, Status::degraded);
        let status = match (held.attribute("dev-now"), &self.nsdev) {
            (Some(now), Some(nsdev)) if nsdev != now => {
                status.degraded(format!("{} is up, and nsdev is {nsdev}: a restart applies it", held.label))
            }
            (Some(now), _) => {
                status.info(format!("the link {} was renamed to {now} since the start", held.text("dev")))
            }
            (None, _) => status,
        };
        match doubt(cidr, &seen.flags) {
            Some(AddressDoubt::Useless(text)) => status.degraded(text),
            Some(AddressDoubt::Passing(text)) => status.info(text),
            None => status,
        }
    }

    /// The status if start added nothing, or what it added is gone.
    fn status_without(&self, contents: &Contents, address: Option<IpAddr>) -> Status {
        match address.and_then(|address| found(contents, address)) {
            Some(stranger) => Status::down().warning(not_ours(&format!("{} on {}", stranger.cidr, stranger.dev))),
            None => Status::down(),
        }
    }

    /// The label: address, interface and container, such as `10.0.0.34@br0@f52d3cb784a9`.
    fn label(&self, address: &str, context: &Context) -> String {
        let id = context.joined("id").map(|id| id.chars().take(SHORT_ID).collect::<String>());
        let name = || self.netns.rsplit('/').next().unwrap_or_default().to_owned();
        // The last part of such a path is `net` for every process, so show the whole path.
        let name = || if self.netns.starts_with("/proc/") { self.netns.clone() } else { name() };
        format!("{address}@{}@{}", self.dev, id.filter(|id| !id.is_empty()).unwrap_or_else(name))
    }

    fn is_of_resource(&self) -> bool {
        self.netns.contains('#')
    }

    fn no_namespace(&self) -> String {
        match self.is_of_resource() {
            true => format!("{} is not up, or has no network namespace", self.netns),
            false => format!("there is no network namespace {}", self.netns),
        }
    }

    /// Plugs a link and adds the address, unless another host has it.
    fn add(
        &self,
        address: IpAddr,
        contents: &Contents,
        context: &Context,
        done: &mut Vec<String>,
    ) -> Result<(String, String)> {
        let plugged = contents.links.iter().find(|link| link.plugged);
        // A new link is set up as the namespace says.
        let ipv6 = plugged.map_or_else(|| contents.attribute("ipv6"), |link| link.attribute("ipv6"));
        let setting = plugged.map_or("default", |link| link.name.as_str());
        refuse_ipv6(address, ipv6, &format!("in {}", self.netns), setting)?;
        let plugged = plugged.is_some();
        if !plugged {
            // A link that is left in an earlier namespace would still answer for the address.
            release_all()?;
        }
        // A dedicated interface that is plugged is not on the node any more.
        let near = net::find_link(&self.dev)?;
        let is_free = match plugged {
            true => AddressCheck::Unknown,
            false => self.check_node(address, near.as_ref(), context)?,
        };
        let cidr = self.inet.cidr(address, near.as_ref().map_or(&[], |link| &link.addresses))?;
        let link = netns::plug(&self.netns, &self.mode, &self.dev, self.nsdev.as_deref(), self.macaddr.as_deref())?;
        if !plugged {
            done.push(format!("plugged into {}", self.dev));
        }
        if is_free == AddressCheck::Unknown && !context.force() {
            self.claim_from_inside(&link.name, address)?;
        }
        netns::add_address(&self.netns, &link.name, &cidr, !self.del_net_route)?;
        done.push(format!("added {cidr}"));
        Ok((link.name, cidr))
    }

    /// Fails if the interface cannot be used, or if the node or another host has the address. This is checked before anything
    /// is changed, as far as the node can tell.
    fn check_node(&self, address: IpAddr, near: Option<&net::Link>, context: &Context) -> Result<AddressCheck> {
        let dev = &self.dev;
        let link = near.ok_or_else(|| Error::failed(format!("the interface {dev} does not exist")))?;
        if let Some(why) = self.misfit(link) {
            return Err(Error::failed(why));
        }
        // An interface with the address under another prefix is the same conflict.
        if link.addresses.iter().any(|found| ip_of(&found.cidr) == Some(address)) {
            return Err(Error::failed(format!("the node itself has {address} on {dev}: remove it there first")));
        }
        let asked = address.to_string();
        // With a timeout of zero only the node's own interfaces are checked, without a packet on the network.
        if let Some(holder) = net::find_holder(dev, &asked, Duration::ZERO)?.filter(|_| !context.force()) {
            return Err(conflict(address, dev, &holder));
        }
        match (link.up, self.mode.as_str()) {
            // A dedicated interface is set up in the namespace, and can only ask the neighbours there.
            (false, "dedicated") => return Ok(AddressCheck::Unknown),
            (false, _) => return Err(Error::retryable(format!("{dev} is down"))),
            _ => {}
        }
        // A bridge has no carrier until its first port has one.
        if self.check_carrier && !link.carrier && self.mode != "bridge" {
            return Err(Error::retryable(format!("{dev} has no carrier")));
        }
        // The node does not receive answers of other macvlan links on its interface, so a link inside must ask.
        if self.mode == "macvlan" || context.force() {
            return Ok(AddressCheck::Unknown);
        }
        if let Some(holder) = net::find_holder(dev, &asked, PROBE)? {
            return Err(conflict(address, dev, &holder));
        }
        log::info(format!("{address} is free on {dev}"));
        Ok(AddressCheck::Yes)
    }

    /// Why an interface of this kind cannot be used in this mode, in more words than the kernel has for it.
    fn misfit(&self, link: &net::Link) -> Option<String> {
        let (dev, mode) = (&self.dev, &self.mode);
        match (mode.as_str(), link.attribute("controller")) {
            ("bridge", _) if link.kind != "bridge" => Some(format!(
                "{dev} is not a bridge but a {}: with mode = {mode}, dev is a bridge of the node",
                link.kind
            )),
            ("macvlan", Some(controller)) => {
                Some(format!("{dev} is a part of {controller}, so it can have no macvlan: write dev = {controller}"))
            }
            _ => None,
        }
    }

    /// Fails if another host has the address, and unplugs the link in that case.
    fn claim_from_inside(&self, dev: &str, address: IpAddr) -> Result<()> {
        let found = netns::find_holder(&self.netns, dev, &address.to_string(), PROBE);
        if let Ok(None) = found {
            log::info(format!("{address} is free on {}", self.dev));
            return Ok(());
        }
        // Also if the neighbours could not be asked: the address may be another's.
        netns::unplug(&self.netns, &self.mode, &self.dev)?;
        found?.map_or(Ok(()), |holder| Err(conflict(address, &self.dev, &holder)))
    }

    /// The problems of a link that has the address.
    fn faults(&self, contents: &Contents, dev: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(link) = contents.links.iter().find(|link| link.name == dev) {
            if !link.up {
                faults.push(format!("{dev} is down in {}", self.netns));
            } else if self.check_carrier && !link.carrier {
                faults.push(format!("{dev} has no carrier in {}", self.netns));
            }
            if let Some(mac) = self.macaddr.as_ref().filter(|mac| !mac.eq_ignore_ascii_case(&link.mac)) {
                faults.push(format!("{dev} has the hardware address {}, not {mac}", link.mac));
            }
        }
        if let Some(gateway) = self.gateway.as_ref().filter(|_| !self.leads_out(contents, dev)) {
            faults.push(format!("there is no default route via {gateway} in {}", self.netns));
        }
        faults
    }

    fn leads_out(&self, contents: &Contents, dev: &str) -> bool {
        let wanted = self.default_route(dev);
        contents.routes.iter().any(|route| route.leads_like(&wanted))
    }

    fn default_route(&self, dev: &str) -> Route {
        let gateway = self.gateway.as_deref();
        let router = gateway.and_then(|gateway| gateway.parse().ok());
        Route::new(&destination("default", router).unwrap_or_default(), gateway, Some(dev))
    }
}

/// The address in the namespace, on any link and with any prefix length.
fn found(contents: &Contents, address: IpAddr) -> Option<netns::Address> {
    contents.addresses.iter().find(|found| ip_of(&found.cidr) == Some(address)).cloned()
}

fn is_mac(text: &str) -> bool {
    let is_byte = |byte: &str| byte.len() == 2 && byte.chars().all(|c| c.is_ascii_hexdigit());
    text.split(':').count() == 6 && text.split(':').all(is_byte)
}

#[cfg(test)]
mod tests;
