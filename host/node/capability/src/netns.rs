//! `wit/netns.wit`: links, addresses and routes within a network namespace.
//!
//! A driver names a namespace, and the grants say whether it may. Which one that is, the host finds out by itself: of a
//! resource, the one that the joined resource exposes and that was believed of it. That of the node is none of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use grant::NetnsReference;
use grant::op::{
    AnnounceNetnsAddress, ChangeNetnsAddress, ChangeNetnsRoute, PlugNetns, ProbeNetnsAddress, SeeNetns, UnplugNetns,
};
use kernel::net::{self as network, Mark, Namespace, Netlink, NetworkRoute, Plug, PlugMode, Wanted};
use model::Rid;

use crate::net::{Holder, Route, changed_route, holder, ip, mac_text, network_of, touched_if};
use crate::supervision::members;
use crate::{Effect, Error, Scope};

/// An interface within a namespace, as `link` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Administratively up.
    pub up: bool,
    /// Whether something is at the other end.
    pub carrier: bool,
    /// The hardware address.
    pub mac: String,
    /// `veth`, `macvlan`…
    pub kind: String,
    /// Whether this resource has plugged it.
    pub plugged: bool,
}

/// An address within a namespace, as `address` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its link.
    pub dev: String,
    /// With its prefix length.
    pub cidr: String,
}

/// All that is in a namespace, as `contents` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its links.
    pub links: Vec<Link>,
    /// Their addresses.
    pub addresses: Vec<Address>,
    /// The routes of the main table.
    pub routes: Vec<Route>,
}

/// What is in the namespace, or none if there is no such namespace now.
pub async fn look(scope: &Scope, netns: &str) -> Result<Option<Contents>, Error> {
    let netns = parse(netns)?;
    let op = SeeNetns { netns: netns.to_string() };
    let seen = scope.look_async(op, |_| async move {
        let Some(namespace) = find(scope, &netns).await? else { return Ok(None) };
        contents(&namespace.netlink()?, &mark(scope)).await.map(Some)
    });
    seen.await
}

async fn contents(inside: &Netlink, mark: &Mark) -> Result<Contents, Error> {
    let links = inside.links().await?;
    let addresses = inside.addresses_of(&links).await?.into_iter();
    let routes = inside.routes(&links).await?.into_iter();
    Ok(Contents {
        addresses: addresses.map(|(dev, address)| Address { dev, cidr: address.cidr.to_string() }).collect(),
        routes: routes.map(Route::from).collect(),
        links: links.into_iter().map(|link| described(link, mark)).collect(),
    })
}

/// Who else has the address, for a link of the namespace.
pub async fn find_holder(
    scope: &Scope,
    netns: &str,
    dev: &str,
    address: &str,
    timeout_ms: u64,
) -> Result<Option<Holder>, Error> {
    let netns = parse(netns)?;
    let op = ProbeNetnsAddress { address: ip(address)?, netns: netns.to_string() };
    let timeout = Duration::from_millis(timeout_ms).min(scope.remaining());
    let asked = scope.look_async(op, |permit| async move {
        let (namespace, link) = link_in(scope, &netns, dev).await?;
        holder(&namespace.netlink()?, Some(&namespace), &link, permit.op().address, timeout).await
    });
    asked.await
}

/// Plugs a link into the namespace.
pub async fn plug(
    scope: &Scope,
    netns: &str,
    mode: &str,
    dev: &str,
    options: &[(String, String)],
) -> Result<Link, Error> {
    let netns = parse(netns)?;
    let plug_mode = plug_mode(mode)?;
    let [name, mac] = known(options, ["name", "mac"])?;
    let mac = mac.map(mac_of).transpose()?;
    let op = PlugNetns { mode: mode.to_owned(), dev: dev.to_owned(), netns: netns.to_string() };
    let plugged = scope.change_async(op, |_| async move {
        let (namespace, mark) = (existing(scope, &netns).await?, mark(scope));
        let wanted = Wanted { name: name.unwrap_or_default(), mac };
        let plug = Plug { mode: plug_mode, dev, mark: &mark };
        let (link, changed) = plug.insert(&Netlink::open()?, &namespace, wanted).await?;
        let link = described(link, &mark);
        Ok(if changed { Effect::Touched(link) } else { Effect::Nothing(link) })
    });
    plugged.await
}

/// Takes out what this resource has plugged.
pub async fn unplug(scope: &Scope, netns: &str, mode: &str, dev: &str) -> Result<bool, Error> {
    let netns = parse(netns)?;
    let plug_mode = plug_mode(mode)?;
    let op = UnplugNetns { mode: mode.to_owned(), dev: dev.to_owned(), netns: netns.to_string() };
    let unplugged = scope.change_async(op, |_| async move {
        // What is not there any more must not keep the rest from being taken back.
        let namespace = match find(scope, &netns).await {
            Err(Error::Invalid(_)) => None,
            found => found?,
        };
        let plug = Plug { mode: plug_mode, dev, mark: &mark(scope) };
        Ok(touched_if(plug.take_out(&Netlink::open()?, namespace.as_ref()).await?))
    });
    unplugged.await
}

/// Adds an address.
pub async fn add_address(
    scope: &Scope,
    netns: &str,
    dev: &str,
    cidr: &str,
    options: &[(String, String)],
) -> Result<bool, Error> {
    let netns = parse(netns)?;
    let [network] = known(options, ["network-route"])?;
    let network = if flag(network, true)? { NetworkRoute::Kept } else { NetworkRoute::LeftOut };
    let op = ChangeNetnsAddress { address: network_of(cidr)?, netns: netns.to_string() };
    let added = scope.change_async(op, |permit| async move {
        let (namespace, link) = link_in(scope, &netns, dev).await?;
        let inside = namespace.netlink()?;
        Ok(touched_if(inside.add_address_with(&link, permit.op().address, "", network).await?))
    });
    added.await
}

/// Removes an address.
pub async fn remove_address(scope: &Scope, netns: &str, dev: &str, cidr: &str) -> Result<bool, Error> {
    let netns = parse(netns)?;
    let op = ChangeNetnsAddress { address: network_of(cidr)?, netns: netns.to_string() };
    let removed = scope.change_async(op, |permit| async move {
        let Some(namespace) = find(scope, &netns).await? else { return Ok(Effect::Nothing(false)) };
        let inside = namespace.netlink()?;
        let Some(link) = inside.find_link(dev).await? else { return Ok(Effect::Nothing(false)) };
        Ok(touched_if(inside.remove_address(&link, permit.op().address).await?))
    });
    removed.await
}

/// Tells the neighbours that the address lives here now.
pub async fn announce(scope: &Scope, netns: &str, dev: &str, address: &str) -> Result<(), Error> {
    let netns = parse(netns)?;
    let op = AnnounceNetnsAddress { address: ip(address)?, netns: netns.to_string() };
    let announced = scope.change_async(op, |permit| async move {
        let (namespace, link) = link_in(scope, &netns, dev).await?;
        network::announce(Some(&namespace), &link, permit.op().address).await?;
        Ok(Effect::Touched(()))
    });
    announced.await
}

/// Adds a route.
pub async fn add_route(scope: &Scope, netns: &str, route: Route, options: &[(String, String)]) -> Result<bool, Error> {
    let netns = parse(netns)?;
    let [onlink] = known(options, ["onlink"])?;
    let onlink = flag(onlink, false)?;
    let (asked, route) = changed_route(route)?;
    let op = ChangeNetnsRoute { route: asked, netns: netns.to_string() };
    let added = scope.change_async(op, |_| async move {
        let inside = existing(scope, &netns).await?.netlink()?;
        let added = match onlink {
            true => inside.add_route_onlink(&route).await,
            false => inside.add_route(&route).await,
        };
        Ok(touched_if(added?))
    });
    added.await
}

/// Removes a route.
pub async fn remove_route(scope: &Scope, netns: &str, route: Route) -> Result<bool, Error> {
    let netns = parse(netns)?;
    let (asked, route) = changed_route(route)?;
    let op = ChangeNetnsRoute { route: asked, netns: netns.to_string() };
    let removed = scope.change_async(op, |_| async move {
        let Some(namespace) = find(scope, &netns).await? else { return Ok(Effect::Nothing(false)) };
        Ok(touched_if(namespace.netlink()?.remove_route(&route).await?))
    });
    removed.await
}

/// Whether a process of this resource is in the namespace at that path, and the node itself is not.
pub fn is_of_own_process(scope: &Scope, path: &Path) -> bool {
    let Ok(Some(namespace)) = Namespace::open(path) else { return false };
    let of_process = |member: kernel::process::Member| {
        let own = Namespace::open(Path::new(&format!("/proc/{}/ns/net", member.pid)));
        own.ok().flatten().is_some_and(|own| namespace.is(&own).unwrap_or(false))
    };
    let members = members(scope).list().unwrap_or_default();
    !namespace.is_of_node().unwrap_or(true) && members.into_iter().any(of_process)
}

fn parse(netns: &str) -> Result<NetnsReference, Error> {
    netns.parse().map_err(|error: grant::NetnsReferenceError| Error::Invalid(error.to_string()))
}

/// The namespace that is meant, if there is one now. Never that of the node.
async fn find(scope: &Scope, netns: &NetnsReference) -> Result<Option<Namespace>, Error> {
    let path = match netns {
        NetnsReference::At(path) => path.clone(),
        NetnsReference::Of(rid) => match joined(scope, rid) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let what = format!("open {}", path.display());
    let Some(namespace) = scope.aside(what, move || Namespace::open(&path)).await?? else { return Ok(None) };
    if namespace.is_of_node()? {
        return Err(Error::Invalid(format!("{netns} is in the network namespace of the node itself")));
    }
    Ok(Some(namespace))
}

async fn existing(scope: &Scope, netns: &NetnsReference) -> Result<Namespace, Error> {
    find(scope, netns).await?.ok_or_else(|| Error::NotFound(format!("the network namespace {netns}")))
}

async fn link_in(scope: &Scope, netns: &NetnsReference, dev: &str) -> Result<(Namespace, network::Link), Error> {
    let namespace = existing(scope, netns).await?;
    let link = namespace.netlink()?.find_link(dev).await?;
    let link = link.ok_or_else(|| Error::NotFound(format!("the link {dev} in {netns}")))?;
    Ok((namespace, link))
}

/// Where the namespace of the joined resource is, as the agent asked its driver just before this call. It
/// passes on only what was believed of that driver.
fn joined(scope: &Scope, rid: &Rid) -> Option<PathBuf> {
    let var = |name: &str| scope.call().vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    (var("joined.rid")? == rid.to_string()).then(|| var("joined.netns").map(PathBuf::from)).flatten()
}

/// What this resource's links are known by. Its directory tells it from those of other agents on this node.
fn mark(scope: &Scope) -> Mark {
    let call = scope.call();
    Mark::new(&scope.paths().rundir.to_string_lossy(), &format!("{} {}", call.object, call.rid))
}

fn plug_mode(mode: &str) -> Result<PlugMode, Error> {
    match mode {
        "bridge" => Ok(PlugMode::Bridge),
        "macvlan" => Ok(PlugMode::Macvlan),
        "dedicated" => Ok(PlugMode::Dedicated),
        _ => Err(Error::Invalid(format!("{mode:?} is no mode: expected bridge, macvlan or dedicated"))),
    }
}

/// The values of the options, all of which must be known.
fn known<'o, const N: usize>(options: &'o [(String, String)], names: [&str; N]) -> Result<[Option<&'o str>; N], Error> {
    if let Some((unknown, _)) = options.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        return Err(Error::Invalid(format!("{unknown:?} is no option: expected {}", names.join(", "))));
    }
    let value = |name: &str| options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    Ok(names.map(value))
}

fn flag(value: Option<&str>, default: bool) -> Result<bool, Error> {
    match value {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Error::Invalid(format!("{text:?} is neither true nor false"))),
    }
}

/// A hardware address of one interface.
fn mac_of(text: &str) -> Result<[u8; 6], Error> {
    let bytes: Option<Vec<u8>> =
        text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() == 2)).collect();
    let mac: Option<[u8; 6]> = bytes.and_then(|bytes| bytes.try_into().ok());
    mac.filter(|mac| mac[0] & 1 == 0 && *mac != [0; 6]).ok_or_else(|| {
        Error::Invalid(format!("{text:?} is no hardware address of an interface, such as 02:00:0a:00:00:09"))
    })
}

fn described(link: network::Link, mark: &Mark) -> Link {
    let plugged = mark.is_on(&link);
    Link { name: link.name, up: link.up, carrier: link.carrier, mac: mac_text(&link.mac), kind: link.kind, plugged }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_of_one_interface() {
        assert_eq!(mac_of("02:00:0a:00:00:09"), Ok([2, 0, 10, 0, 0, 9]));
        for bad in
            ["", "02:00:0a:00:00", "02:00:0a:00:00:9", "01:00:5e:00:00:09", "00:00:00:00:00:00", "02-00-0a-00-00-09"]
        {
            assert!(mac_of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_option_that_nobody_knows_is_refused() {
        let option = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        assert_eq!(known(&option("mac", "x"), ["name", "mac"]), Ok([None, Some("x")]));
        assert!(known(&option("mtu", "9000"), ["name", "mac"]).is_err());
        assert!(flag(Some("yes"), true).is_err());
    }
}
