//! `wit/netns.wit`: links, addresses and routes inside a network namespace.
//!
//! A driver names a namespace, and the grants decide whether it may use it. The host looks up by itself which namespace that
//! is: for a resource, the one that the joined resource exposes, if the host accepted that. The namespace of the node itself
//! is always refused: the interface `net` and its own grants are for that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use grant::NetnsReference;
use grant::op::{
    AnnounceNetnsAddress, ChangeNetnsAddress, ChangeNetnsRoute, PlugNetns, ProbeNetnsAddress, SeeNetns, UnplugNetns,
};
use holding::{ContainerHolding, Holding, LinkHolding, NamespaceIdentity};
use kernel::net::{
    self as network, AddressOptions, LinkMark, LinkPlug, Netlink, NetworkNamespace, PlugMode, PlugOptions, PrefixRoute,
};
use model::Rid;

use crate::holdings::other_holder_of_container;
use crate::net::{
    AddressEntry, AddressHolder, LinkPlace, RouteEntry, TermLock, add_in_term, address_holding, changed_route, holder,
    ip, link_attributes, mac_text, network_of, no_ipv6, noted, noted_route, own_address, route_holding, tell_of_others,
};
use crate::process::members;
use crate::{CallContext, CapabilityError, Effect};

/// An interface inside a namespace, as `link` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetnsLink {
    pub name: String,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether something is connected at the other end.
    pub carrier: bool,
    /// The hardware address.
    pub mac: String,
    /// `veth`, `macvlan`…
    pub kind: String,
    /// Whether this resource has plugged it.
    pub plugged: bool,
    /// Its other names.
    pub altnames: Vec<String>,
    /// What else is known of it.
    pub attributes: Vec<(String, String)>,
}

/// An address inside a namespace, as `address` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetnsAddress {
    /// The link that has it.
    pub dev: String,
    /// The address with the length of its prefix.
    pub cidr: String,
    /// As ip-address(8) prints them.
    pub flags: Vec<String>,
}

/// Everything inside a namespace, as `contents` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetnsContents {
    pub links: Vec<NetnsLink>,
    pub addresses: Vec<NetnsAddress>,
    /// The routes of the main table.
    pub routes: Vec<RouteEntry>,
    /// What else is known of the namespace.
    pub attributes: Vec<(String, String)>,
}

/// Lists what is inside the namespace. None if there is no such namespace now.
pub async fn look(context: &CallContext, netns: &str) -> Result<Option<NetnsContents>, CapabilityError> {
    let netns = parse(netns)?;
    let op = SeeNetns { netns: netns.to_string() };
    let seen = context.admit(op)?.waiting(|_| async move {
        let Some(namespace) = find(context, &netns).await? else { return Ok(Effect::Nothing(None)) };
        contents(&namespace, &mark(context)).await.map(Some).map(Effect::Nothing)
    });
    seen.await
}

async fn contents(namespace: &NetworkNamespace, mark: &LinkMark) -> Result<NetnsContents, CapabilityError> {
    let inside = namespace.netlink()?;
    let links = inside.links().await?;
    let addresses = inside.addresses_of(&links).await?.into_iter();
    let routes = inside.routes(&links).await?.into_iter();
    Ok(NetnsContents {
        addresses: addresses.map(|(dev, address)| NetnsAddress::new(dev, address)).collect(),
        attributes: namespace.disables_ipv6()?.then(no_ipv6).into_iter().collect(),
        routes: routes.map(RouteEntry::from).collect(),
        links: links.into_iter().map(|link| described(link, mark)).collect(),
    })
}

impl NetnsAddress {
    fn new(dev: String, address: network::LinkAddress) -> NetnsAddress {
        let AddressEntry { cidr, flags, .. } = AddressEntry::from(address);
        NetnsAddress { dev, cidr, flags }
    }
}

/// Finds another holder of an address, for a link of the namespace.
pub async fn find_holder(
    context: &CallContext,
    netns: &str,
    dev: &str,
    address: &str,
    timeout_ms: u64,
) -> Result<Option<AddressHolder>, CapabilityError> {
    let netns = parse(netns)?;
    let op = ProbeNetnsAddress { address: ip(address)?, netns: netns.to_string() };
    let timeout = Duration::from_millis(timeout_ms).min(context.remaining());
    let found = context.admit(op)?.waiting(|permit| async move {
        let (namespace, link) = link_in(context, &netns, dev).await?;
        let inside = namespace.netlink()?;
        let at = LinkPlace { netlink: &inside, within: Some(&namespace), link: &link };
        holder(context, at, permit.op().address, timeout).await.map(Effect::Nothing)
    });
    found.await
}

/// Plugs a link into the namespace.
pub async fn plug(
    context: &CallContext,
    netns: &str,
    mode: &str,
    dev: &str,
    options: &[(String, String)],
) -> Result<NetnsLink, CapabilityError> {
    let netns = parse(netns)?;
    let plug_mode = plug_mode(mode)?;
    let [name, mac] = known(options, ["name", "mac"])?;
    let mac = mac.map(mac_of).transpose()?;
    let op = PlugNetns { mode: mode.to_owned(), dev: dev.to_owned(), netns: netns.to_string() };
    let ledger = context.ledger();
    let plugged = context.admit(op)?.waiting(|_| async move {
        let (namespace, mark) = (existing(context, &netns).await?, mark(context));
        let options = PlugOptions { name: name.unwrap_or_default(), mac };
        let plug = LinkPlug { mode: plug_mode, dev, mark: &mark };
        let intended = link_holding(&namespace, mode, dev, &mark)?;
        let note = ledger.intend(intended.clone())?;
        let inserted = plug.insert(&Netlink::open()?, &namespace, options).await;
        if inserted.is_err() {
            // After a failure nothing is left of it.
            ledger.released(|held| held.is_same(&intended.clone().into()));
        }
        let (link, changed) = inserted?;
        note.held(LinkHolding { name: Some(link.name.clone()), ..intended });
        let link = described(link, &mark);
        Ok(Effect::of(changed, link))
    });
    plugged.await
}

/// Unplugs the link that this resource has plugged.
pub async fn unplug(context: &CallContext, netns: &str, mode: &str, dev: &str) -> Result<bool, CapabilityError> {
    let netns = parse(netns)?;
    let plug_mode = plug_mode(mode)?;
    let op = UnplugNetns { mode: mode.to_owned(), dev: dev.to_owned(), netns: netns.to_string() };
    let ledger = context.ledger();
    let unplugged = context.admit(op)?.waiting(|_| async move {
        // A namespace that cannot be used any more must not prevent the node's end of the link from being removed.
        let namespace = match find(context, &netns).await {
            Err(CapabilityError::Invalid(_)) => None,
            found => found?,
        };
        let mark = mark(context);
        let plug = LinkPlug { mode: plug_mode, dev, mark: &mark };
        let changed = plug.take_out(&Netlink::open()?, namespace.as_ref()).await?;
        ledger.released(|held| matches!(held, Holding::Link(link) if link.mark == mark.prefix()));
        Ok(Effect::whether(changed))
    });
    unplugged.await
}

/// Adds an address. Returns false if it is there already.
pub async fn add_address(
    context: &CallContext,
    netns: &str,
    dev: &str,
    cidr: &str,
    options: &[(String, String)],
) -> Result<bool, CapabilityError> {
    let netns = parse(netns)?;
    let [network] = known(options, ["network-route"])?;
    let network = if flag(network, true)? { PrefixRoute::Kept } else { PrefixRoute::LeftOut };
    let op = ChangeNetnsAddress { address: network_of(cidr)?, netns: netns.to_string() };
    let ledger = context.ledger();
    let added = context.admit(op)?.waiting(|permit| async move {
        let (namespace, link) = link_in(context, &netns, dev).await?;
        let (inside, address) = (namespace.netlink()?, permit.op().address);
        // Looked up before, so that a crash in the next moment does not leave a note about an address of another program.
        if inside.addresses(&link).await?.iter().any(|there| there.cidr == address) {
            return Ok(Effect::Nothing(false));
        }
        let held = own_address(Some(identity(&namespace)?), &link, address);
        let note = ledger.intend(held.clone())?;
        let options = AddressOptions { network, ..AddressOptions::default() };
        Ok(Effect::whether(noted(note, held, add_in_term(context, &inside, &link, (address, options)).await)?))
    });
    added.await
}

/// Removes an address. Returns false if it was not there.
pub async fn remove_address(
    context: &CallContext,
    netns: &str,
    dev: &str,
    cidr: &str,
) -> Result<bool, CapabilityError> {
    let netns = parse(netns)?;
    let op = ChangeNetnsAddress { address: network_of(cidr)?, netns: netns.to_string() };
    let ledger = context.ledger();
    let removed = context.admit(op)?.waiting(|permit| async move {
        let Some(namespace) = find(context, &netns).await? else { return Ok(Effect::Nothing(false)) };
        let inside = namespace.netlink()?;
        // Without the link there is no address to remove, which is what was wanted.
        let Some(link) = inside.find_link(dev).await? else { return Ok(Effect::Nothing(false)) };
        let _lock = TermLock::take(context).await;
        let removal = inside.remove_address(&link, permit.op().address).await?;
        tell_of_others(context, &link.name, &removal);
        let gone = Holding::from(address_holding(Some(identity(&namespace)?), &link, permit.op().address));
        ledger.released(|held| held.is_same(&gone));
        Ok(Effect::whether(removal.removed))
    });
    removed.await
}

/// Announces to the neighbours that the namespace now has the address.
pub async fn announce(context: &CallContext, netns: &str, dev: &str, address: &str) -> Result<(), CapabilityError> {
    let netns = parse(netns)?;
    let op = AnnounceNetnsAddress { address: ip(address)?, netns: netns.to_string() };
    let announced = context.admit(op)?.waiting(|permit| async move {
        let (namespace, link) = link_in(context, &netns, dev).await?;
        network::announce(Some(&namespace), &link, permit.op().address).await?;
        Ok(Effect::Touched(()))
    });
    announced.await
}

/// Adds a route. Returns false if the same one is there already.
pub async fn add_route(
    context: &CallContext,
    netns: &str,
    route: RouteEntry,
    options: &[(String, String)],
) -> Result<bool, CapabilityError> {
    let netns = parse(netns)?;
    let [onlink] = known(options, ["onlink"])?;
    let onlink = flag(onlink, false)?;
    let (change, route) = changed_route(route)?;
    let op = ChangeNetnsRoute { route: change, netns: netns.to_string() };
    let ledger = context.ledger();
    let added = context.admit(op)?.waiting(|_| async move {
        let namespace = existing(context, &netns).await?;
        let inside = namespace.netlink()?;
        // As for an address.
        if inside.same_route(&route).await?.is_some() {
            return Ok(Effect::Nothing(false));
        }
        let within = identity(&namespace)?;
        let note = ledger.intend(route_holding(Some(within.clone()), &route))?;
        // A container's router is often outside of the network of its address.
        Ok(Effect::whether(noted_route(note, Some(within), inside.add_route(&route, onlink).await)?))
    });
    added.await
}

/// Removes a route. Returns false if it was not there.
pub async fn remove_route(context: &CallContext, netns: &str, route: RouteEntry) -> Result<bool, CapabilityError> {
    let netns = parse(netns)?;
    let (change, route) = changed_route(route)?;
    let op = ChangeNetnsRoute { route: change, netns: netns.to_string() };
    let ledger = context.ledger();
    let removed = context.admit(op)?.waiting(|_| async move {
        let Some(namespace) = find(context, &netns).await? else { return Ok(Effect::Nothing(false)) };
        let removed = namespace.netlink()?.remove_route(&route).await?;
        let gone = Holding::from(route_holding(Some(identity(&namespace)?), &route));
        ledger.released(|held| held.is_same(&gone));
        Ok(Effect::whether(removed))
    });
    removed.await
}

/// Whether a process of this resource is in the namespace at that path, and the node itself is not. Any doubt is a no: the
/// answer decides whether the host believes a driver.
pub fn is_of_own_process(context: &CallContext, path: &Path) -> bool {
    let Ok(Some(namespace)) = NetworkNamespace::open(path) else { return false };
    let of_process = |member: kernel::process::MemberProcess| {
        is_within(member.pid.as_raw_nonzero().get().unsigned_abs(), &namespace)
    };
    let members = members(context).list().unwrap_or_default();
    !namespace.is_of_node().unwrap_or(true) && members.into_iter().any(of_process)
}

/// Whether the namespace is that of a container of this resource: of a process in a control group that is named after a container
/// which the host saw being made. The engine's word is not enough.
pub fn is_of_own_container(context: &CallContext, path: &Path) -> bool {
    let Ok(Some(namespace)) = NetworkNamespace::open(path) else { return false };
    // The engine may have started the container anew since it was recorded: the process is then the one that the path
    // names, and its group still bears the id.
    let of_path = path.to_str().and_then(|path| path.strip_prefix("/proc/")?.strip_suffix("/ns/net")?.parse().ok());
    let of_container = |record: holding::HoldingRecord| {
        let Holding::Container(ContainerHolding { id: Some(id), process, .. }) = record.holding else { return false };
        let pids = process.map(|(pid, _)| pid).into_iter().chain(of_path);
        let is_in = pids.into_iter().any(|pid| is_in_container(pid, &id) && is_within(pid, &namespace));
        is_in && other_holder_of_container(context, &id).is_none()
    };
    !namespace.is_of_node().unwrap_or(true) && context.ledger().records().into_iter().any(of_container)
}

fn is_in_container(pid: u32, id: &str) -> bool {
    kernel::process::look(pid).is_some_and(|seen| seen.groups.iter().any(|group| group.contains(id)))
}

fn is_within(pid: u32, namespace: &NetworkNamespace) -> bool {
    let own = NetworkNamespace::open(Path::new(&format!("/proc/{pid}/ns/net")));
    own.ok().flatten().is_some_and(|own| namespace.is(&own).unwrap_or(false))
}

fn parse(netns: &str) -> Result<NetnsReference, CapabilityError> {
    netns.parse().map_err(|error: grant::NetnsReferenceError| CapabilityError::Invalid(error.to_string()))
}

/// Opens the namespace, if there is one now. Refuses the namespace of the node.
async fn find(context: &CallContext, netns: &NetnsReference) -> Result<Option<NetworkNamespace>, CapabilityError> {
    let path = match netns {
        NetnsReference::At(path) => path.clone(),
        NetnsReference::Of(rid) => match joined(context, rid) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    // Off the async threads: the path may be on a file system that does not answer.
    let what = format!("open {}", path.display());
    let Some(namespace) = context.aside(what, move || NetworkNamespace::open(&path)).await?? else { return Ok(None) };
    // Checked on the open descriptor, and not on the path, which could lead elsewhere by now.
    if namespace.is_of_node()? {
        return Err(CapabilityError::Invalid(format!("{netns} is in the network namespace of the node itself")));
    }
    Ok(Some(namespace))
}

pub(crate) async fn existing(
    context: &CallContext,
    netns: &NetnsReference,
) -> Result<NetworkNamespace, CapabilityError> {
    find(context, netns).await?.ok_or_else(|| CapabilityError::NotFound(format!("the network namespace {netns}")))
}

async fn link_in(
    context: &CallContext,
    netns: &NetnsReference,
    dev: &str,
) -> Result<(NetworkNamespace, network::NetworkLink), CapabilityError> {
    let namespace = existing(context, netns).await?;
    let link = namespace.netlink()?.find_link(dev).await?;
    let link = link.ok_or_else(|| CapabilityError::NotFound(format!("the link {dev} in {netns}")))?;
    Ok((namespace, link))
}

pub(crate) fn identity(namespace: &NetworkNamespace) -> Result<NamespaceIdentity, CapabilityError> {
    let (device, inode) = namespace.identity()?;
    let (path, cookie) = (namespace.path().to_string_lossy().into_owned(), namespace.cookie());
    Ok(NamespaceIdentity { path, device, inode, cookie })
}

fn link_holding(
    namespace: &NetworkNamespace,
    mode: &str,
    dev: &str,
    mark: &LinkMark,
) -> Result<LinkHolding, CapabilityError> {
    let netns = identity(namespace)?;
    Ok(LinkHolding { netns, mode: mode.to_owned(), dev: dev.to_owned(), name: None, mark: mark.prefix() })
}

/// The path of the joined resource's namespace. The agent asked that resource's driver just before this call, and passes on
/// only what the host accepted from it.
fn joined(context: &CallContext, rid: &Rid) -> Option<PathBuf> {
    let is_joined = context.var("joined.rid")? == rid.to_string();
    is_joined.then(|| context.var("joined.netns").map(PathBuf::from)).flatten()
}

/// The mark by which this resource's links are found again. The directory makes it differ from the marks of other agents on
/// this node, whose objects may have the same names.
pub(crate) fn mark(context: &CallContext) -> LinkMark {
    let subject = context.subject();
    LinkMark::new(&context.paths().instance.rundir.to_string_lossy(), &format!("{} {}", subject.object, subject.rid))
}

pub(crate) fn plug_mode(mode: &str) -> Result<PlugMode, CapabilityError> {
    match mode {
        "bridge" => Ok(PlugMode::Bridge),
        "macvlan" => Ok(PlugMode::Macvlan),
        "dedicated" => Ok(PlugMode::Dedicated),
        _ => Err(CapabilityError::Invalid(format!("{mode:?} is not a mode: expected bridge, macvlan or dedicated"))),
    }
}

/// The values of the options, all of which must be known.
fn known<'o, const N: usize>(
    options: &'o [(String, String)],
    names: [&str; N],
) -> Result<[Option<&'o str>; N], CapabilityError> {
    // Refused and not ignored: a newer driver may rely on an option that this host does not have.
    if let Some((unknown, _)) = options.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        return Err(CapabilityError::Invalid(format!("{unknown:?} is not an option: expected {}", names.join(", "))));
    }
    let value = |name: &str| options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    Ok(names.map(value))
}

fn flag(value: Option<&str>, default: bool) -> Result<bool, CapabilityError> {
    match value {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| CapabilityError::Invalid(format!("{text:?} is neither true nor false"))),
    }
}

/// Parses the hardware address of one interface: not a group address, and not all zeros.
fn mac_of(text: &str) -> Result<[u8; 6], CapabilityError> {
    let bytes: Option<Vec<u8>> =
        text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() == 2)).collect();
    let mac: Option<[u8; 6]> = bytes.and_then(|bytes| bytes.try_into().ok());
    // The lowest bit of the first byte marks a group address.
    mac.filter(|mac| mac[0] & 1 == 0 && *mac != [0; 6]).ok_or_else(|| {
        CapabilityError::Invalid(format!(
            "{text:?} is not the hardware address of an interface, such as 02:00:0a:00:00:09"
        ))
    })
}

fn described(link: network::NetworkLink, mark: &LinkMark) -> NetnsLink {
    let plugged = mark.is_on(&link);
    let attributes = link_attributes(&link, None);
    NetnsLink {
        name: link.name,
        up: link.up,
        carrier: link.carrier,
        mac: mac_text(&link.mac),
        kind: link.kind,
        plugged,
        altnames: link.altnames,
        attributes,
    }
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
    fn an_unknown_option_is_refused() {
        let option = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        assert_eq!(known(&option("mac", "x"), ["name", "mac"]), Ok([None, Some("x")]));
        assert!(known(&option("mtu", "9000"), ["name", "mac"]).is_err());
        assert!(flag(Some("yes"), true).is_err());
    }
}
