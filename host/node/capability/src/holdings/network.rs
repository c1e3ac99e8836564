//! Looks at addresses, routes and links, in the namespace in which they were made.

use std::collections::HashMap;
use std::path::Path;

use holding::{AddressHolding, LinkHolding, NamespaceIdentity, RouteHolding};
use kernel::KernelError;
use kernel::net::{KernelRoute, LinkAddress, Netlink, NetworkLink, NetworkNamespace};

use super::look::HoldingPresence;
use crate::net::route_holding;

/// What the kernel says of some namespaces, each asked once.
#[derive(Default)]
pub(super) struct NetworkLook(HashMap<Option<(u64, u64)>, Result<Option<NamespaceSight>, String>>);

/// The contents of a namespace.
struct NamespaceSight {
    links: Vec<NetworkLink>,
    addresses: Vec<(String, LinkAddress)>,
    routes: Vec<KernelRoute>,
}

impl NetworkLook {
    pub(super) async fn address(&mut self, held: &AddressHolding) -> HoldingPresence {
        self.judge(held.netns.as_ref(), |sight| {
            // By the number of the link, which may have another name by now.
            let link = sight.links.iter().find(|link| link.index == held.index);
            link.is_some_and(|link| {
                sight.addresses.iter().any(|(dev, address)| *dev == link.name && address.cidr.to_string() == held.cidr)
            })
        })
        .await
    }

    pub(super) async fn route(&mut self, held: &RouteHolding) -> HoldingPresence {
        self.judge(held.netns.as_ref(), |sight| {
            sight.routes.iter().any(|route| route_holding(held.netns.clone(), route).is_same(held))
        })
        .await
    }

    pub(super) async fn link(&mut self, held: &LinkHolding) -> HoldingPresence {
        let is_marked = |sight: &NamespaceSight| sight.links.iter().any(|link| link.alias.starts_with(&held.mark));
        match self.judge(Some(&held.netns), is_marked).await {
            // The end on the node may be left when the namespace is gone.
            HoldingPresence::Gone => self.judge(None, is_marked).await,
            seen => seen,
        }
    }

    async fn judge(
        &mut self,
        netns: Option<&NamespaceIdentity>,
        is_there: impl Fn(&NamespaceSight) -> bool,
    ) -> HoldingPresence {
        let key = netns.map(|netns| (netns.device, netns.inode));
        if !self.0.contains_key(&key) {
            let seen = look_into(netns).await.map_err(|error| error.to_string());
            self.0.insert(key, seen);
        }
        match self.0.get(&key) {
            Some(Ok(Some(sight))) => HoldingPresence::if_there(is_there(sight)),
            Some(Ok(None)) | None => HoldingPresence::Gone,
            Some(Err(why)) => HoldingPresence::unknown(why),
        }
    }
}

/// None if the namespace is gone.
async fn look_into(netns: Option<&NamespaceIdentity>) -> Result<Option<NamespaceSight>, KernelError> {
    let Some(netlink) = netlink_of(netns)? else { return Ok(None) };
    let links = netlink.links().await?;
    let addresses = netlink.addresses_of(&links).await?;
    let routes = netlink.routes(&links).await?;
    Ok(Some(NamespaceSight { links, addresses, routes }))
}

/// Connects to rtnetlink(7) in the namespace of the node, or in this one. None if that one is gone.
pub(super) fn netlink_of(netns: Option<&NamespaceIdentity>) -> Result<Option<Netlink>, KernelError> {
    match netns {
        None => Netlink::open().map(Some),
        Some(netns) => namespace(netns)?.map(|found| found.netlink()).transpose(),
    }
}

/// Finds a namespace by what it is: at its path, or else by any process or file that keeps it.
pub(super) fn namespace(netns: &NamespaceIdentity) -> Result<Option<NetworkNamespace>, KernelError> {
    let identity = (netns.device, netns.inode);
    match NetworkNamespace::open(Path::new(&netns.path)) {
        Ok(Some(found)) if found.identity()? == identity => Ok(Some(found)),
        _ => NetworkNamespace::find(identity),
    }
}
