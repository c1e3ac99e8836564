//! Looks at addresses, routes and links, in the namespace in which they were made.

use std::collections::HashMap;
use std::path::Path;

use holding::{AddressHolding, HoldingStage, LinkHolding, NamespaceIdentity, RouteHolding};
use kernel::KernelError;
use kernel::net::{KernelRoute, LinkAddress, Netlink, NetworkLink, NetworkNamespace};

use super::look::HoldingPresence;

/// The name of the link now, if it was renamed.
pub(super) const DEV_NOW: &str = "dev-now";
use crate::net::route_holding;

/// What was seen of a namespace: none if it is gone, or why it could not be looked at.
type NamespaceLook = Result<Option<NamespaceSight>, String>;

/// What the kernel says of some namespaces. Each is asked once, and only for what is held there.
#[derive(Default)]
pub(super) struct NetworkLook(HashMap<Option<(u64, u64, Option<u64>)>, NamespaceLook>);

/// The contents of a namespace, as far as they were asked for.
struct NamespaceSight {
    netlink: Netlink,
    links: Option<Vec<NetworkLink>>,
    /// By the number of their link, with its name.
    addresses: HashMap<u32, (String, Vec<LinkAddress>)>,
    routes: Option<Vec<KernelRoute>>,
}

impl NetworkLook {
    pub(super) async fn address(&mut self, held: &AddressHolding, stage: HoldingStage) -> HoldingPresence {
        match self.within(held.netns.as_ref()) {
            Ok(Some(sight)) => sight.address(held, stage).await,
            Ok(None) => HoldingPresence::Gone,
            Err(why) => HoldingPresence::unknown(why),
        }
    }

    pub(super) async fn route(&mut self, held: &RouteHolding) -> HoldingPresence {
        match self.within(held.netns.as_ref()) {
            Ok(Some(sight)) => renamed(sight.route(held).await, held.dev.as_deref()),
            Ok(None) => HoldingPresence::Gone,
            Err(why) => HoldingPresence::unknown(why),
        }
    }

    pub(super) async fn link(&mut self, held: &LinkHolding) -> HoldingPresence {
        // The end on the node may be left when the namespace is gone.
        for netns in [Some(&held.netns), None] {
            let seen = match self.within(netns) {
                Ok(Some(sight)) => presence(sight.has_link(held).await),
                Ok(None) => HoldingPresence::Gone,
                Err(why) => HoldingPresence::unknown(why),
            };
            if seen != HoldingPresence::Gone {
                return seen;
            }
        }
        HoldingPresence::Gone
    }

    /// None if the namespace is gone.
    fn within(&mut self, netns: Option<&NamespaceIdentity>) -> Result<Option<&mut NamespaceSight>, String> {
        let opened = || {
            let netlink = netlink_of(netns).map_err(|error| error.to_string())?;
            Ok(netlink.map(NamespaceSight::new))
        };
        let key = netns.map(|netns| (netns.device, netns.inode, netns.cookie));
        let sight = self.0.entry(key).or_insert_with(opened);
        sight.as_mut().map(Option::as_mut).map_err(|why| why.clone())
    }
}

fn presence(there: Result<bool, KernelError>) -> HoldingPresence {
    there.map_or_else(HoldingPresence::unknown, HoldingPresence::if_there)
}

/// The presence of what is seen on a link with this name now, if it is seen. It had a name then, or none that was noted.
fn renamed(seen: Result<Option<Option<String>>, KernelError>, then: Option<&str>) -> HoldingPresence {
    match seen {
        Ok(Some(now)) => {
            let now = now.filter(|now| then.is_some_and(|then| then != now));
            HoldingPresence::Present(now.map(|now| (DEV_NOW, now)).into_iter().collect())
        }
        Ok(None) => HoldingPresence::Gone,
        Err(error) => HoldingPresence::unknown(error),
    }
}

impl NamespaceSight {
    fn new(netlink: Netlink) -> NamespaceSight {
        NamespaceSight { netlink, links: None, addresses: HashMap::new(), routes: None }
    }

    /// The presence of the address on its link, which is found by its number and may have another name by now.
    async fn address(&mut self, held: &AddressHolding, stage: HoldingStage) -> HoldingPresence {
        let seen = match self.address_like(held).await {
            Ok(seen) => seen,
            Err(error) => return HoldingPresence::unknown(error),
        };
        let is_it = seen.as_ref().map(|(_, maker)| held.is_made_by(stage, *maker));
        match (seen, is_it) {
            (_, Some(None)) => HoldingPresence::unknown(unknown_maker(held)),
            (Some((dev, _)), Some(Some(true))) => renamed(Ok(Some(Some(dev))), Some(&held.dev)),
            _ => HoldingPresence::Gone,
        }
    }

    /// The name of the link that has such an address, and who the kernel notes as its maker.
    async fn address_like(&mut self, held: &AddressHolding) -> Result<Option<(String, Option<u8>)>, KernelError> {
        if !self.addresses.contains_key(&held.index) {
            let seen = match self.netlink.link_at(held.index).await? {
                Some(link) => (link.name.clone(), self.netlink.addresses(&link).await?),
                // The addresses went with the link.
                None => (String::new(), Vec::new()),
            };
            self.addresses.insert(held.index, seen);
        }
        let Some((name, addresses)) = self.addresses.get(&held.index) else { return Ok(None) };
        let like = addresses.iter().find(|address| address.cidr.to_string() == held.cidr);
        Ok(like.map(|like| (name.clone(), like.maker)))
    }

    async fn route(&mut self, held: &RouteHolding) -> Result<Option<Option<String>>, KernelError> {
        if self.routes.is_none() {
            let links = self.links().await?.to_vec();
            self.routes = Some(self.netlink.routes(&links).await?);
        }
        let mut routes = self.routes.iter().flatten();
        let seen = routes.find(|route| route_holding(held.netns.clone(), route).is_same(held));
        Ok(seen.map(|route| route.dev.clone()))
    }

    async fn has_link(&mut self, held: &LinkHolding) -> Result<bool, KernelError> {
        Ok(self.links().await?.iter().any(|link| link.alias.starts_with(&held.mark)))
    }

    async fn links(&mut self) -> Result<&[NetworkLink], KernelError> {
        if self.links.is_none() {
            self.links = Some(self.netlink.links().await?);
        }
        Ok(self.links.as_deref().unwrap_or_default())
    }
}

/// Why it is not known whether an address is the resource's own.
pub(super) fn unknown_maker(held: &AddressHolding) -> String {
    format!(
        "{held} is there, and whether the start that was cut short has added it or another program cannot be told: remove it by hand \
         unless it is needed, or say start --local --adopt to take it on"
    )
}

/// Connects to rtnetlink(7) in the namespace of the node, or in this one. None if that one is gone.
pub(crate) fn netlink_of(netns: Option<&NamespaceIdentity>) -> Result<Option<Netlink>, KernelError> {
    match netns {
        None => Netlink::open().map(Some),
        Some(netns) => namespace(netns)?.map(|found| found.netlink()).transpose(),
    }
}

/// Finds a namespace by what it is: at its path, or else by any process or file that keeps it.
pub(super) fn namespace(netns: &NamespaceIdentity) -> Result<Option<NetworkNamespace>, KernelError> {
    let identity = (netns.device, netns.inode);
    let found = match NetworkNamespace::open(Path::new(&netns.path)) {
        Ok(Some(found)) if found.identity()? == identity => Some(found),
        _ => NetworkNamespace::find(identity)?,
    };
    // The kernel gives the inode of one that is gone to the next one.
    let is_other = |found: &NetworkNamespace| netns.cookie.zip(found.cookie()).is_some_and(|(own, now)| own != now);
    Ok(found.filter(|found| !is_other(found)))
}
