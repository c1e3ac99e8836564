//! Links between the node and a network namespace: brought there, and taken back.
//!
//! ```text
//!   bridge      dev ── hlID ═══ veth ═══ eth0 │      both ends are made, and go together
//!   macvlan     dev ─────────────────── eth0 │      made on dev
//!   dedicated   dev ══ is ═════════════ eth0 │      lent, and given back as it was
//!                         the node           │ the namespace
//! ```
//!
//! What is brought carries its owner's mark on both sides, so that it is found whatever happened in between, also when the
//! namespace is gone and the kernel has given a lent link back by itself. Whoever is root in the namespace can write such a
//! mark, too: so it says whose a link is, and never what is done with it. That the caller says.

use std::os::fd::{AsFd, AsRawFd};

use rtnetlink::packet_route::link::MacVlanMode;
use rtnetlink::{LinkMacVlan, LinkUnspec, LinkVeth};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::mark::lent;
use crate::net::netlink::{Netlink, failed};
use crate::net::{LinkMark, NetworkLink, NetworkNamespace};

/// The kinds of links that are made here.
const MADE: [&str; 2] = ["veth", "macvlan"];

/// How a link comes into a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlugMode {
    /// A pair, one end of which is a port of the bridge.
    Bridge,
    /// A link of its own on that of the node.
    Macvlan,
    /// The node's link itself.
    Dedicated,
}

/// A link between the node and a namespace.
#[derive(Debug, Clone)]
pub struct LinkPlug<'a> {
    /// How it comes there.
    pub mode: PlugMode,
    /// The node's link.
    pub dev: &'a str,
    /// Whose it is.
    pub mark: &'a LinkMark,
}

/// What a link is to be like in the namespace.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlugOptions<'a> {
    /// Its name. Empty: the first of eth0, eth1… that is free.
    pub name: &'a str,
    /// Its hardware address, where it is not left to the kernel.
    pub mac: Option<[u8; 6]>,
}

impl LinkPlug<'_> {
    /// Brings the link into the namespace and sets it up. False if it was there. After a failure nothing is left of it.
    pub async fn insert(
        &self,
        node: &Netlink,
        within: &NetworkNamespace,
        wanted: PlugOptions<'_>,
    ) -> Result<(NetworkLink, bool), KernelError> {
        let inside = within.netlink()?;
        if let Some(link) = inside.link_of(self.mark).await? {
            let was_up = link.up;
            inside.set_up(&link).await?;
            return Ok((NetworkLink { up: true, ..link }, !was_up));
        }
        if !wanted.name.is_empty() && inside.find_link(wanted.name).await?.is_some() {
            let text = format!("there is another {} in the network namespace already", wanted.name);
            return Err(KernelError::Invalid(text));
        }
        self.take_out(node, None).await?;
        let inserted = self.insert_new(node, within, &inside, wanted).await;
        if inserted.is_err() {
            // The first error is the one to tell.
            let _ = self.take_out(node, Some(within)).await;
        }
        inserted.map(|link| (link, true))
    }

    /// Takes the link back, and what is left of it on the node. None for a namespace that is gone. False if there was
    /// nothing.
    pub async fn take_out(&self, node: &Netlink, within: Option<&NetworkNamespace>) -> Result<bool, KernelError> {
        let mut changed = false;
        if let Some(within) = within {
            let inside = within.netlink()?;
            for link in inside.links().await?.into_iter().filter(|link| self.mark.is_on(link)) {
                changed = true;
                match self.mode {
                    PlugMode::Dedicated => inside.move_into(&link, &NetworkNamespace::own()?, self.dev).await?,
                    PlugMode::Bridge | PlugMode::Macvlan => inside.remove_link(&link).await?,
                }
            }
        }
        for link in node.links().await?.into_iter().filter(|link| self.mark.is_on(link)) {
            changed = true;
            match self.mode {
                PlugMode::Dedicated => node.restore(&link, self.dev).await?,
                PlugMode::Bridge | PlugMode::Macvlan => node.remove_link(&link).await?,
            }
        }
        Ok(changed)
    }

    async fn insert_new(
        &self,
        node: &Netlink,
        within: &NetworkNamespace,
        inside: &Netlink,
        wanted: PlugOptions<'_>,
    ) -> Result<NetworkLink, KernelError> {
        let dev = node.existing(self.dev).await?;
        let link = match self.mode {
            PlugMode::Bridge => self.pair(node, &dev, wanted.mac).await?,
            PlugMode::Macvlan => self.macvlan(node, &dev, wanted.mac).await?,
            PlugMode::Dedicated => self.lend(node, &dev, wanted.mac).await?,
        };
        let name = if wanted.name.is_empty() { "eth%d" } else { wanted.name };
        node.move_into(&link, within, name).await?;
        let link = inside.link_of(self.mark).await?.ok_or_else(|| KernelError::NotFound(link.name.into()))?;
        inside.set_up(&link).await?;
        // As it is now: with its carrier.
        inside.existing(&link.name).await
    }

    /// The pair, its near end a port of the bridge. Returns the far end.
    async fn pair(
        &self,
        node: &Netlink,
        bridge: &NetworkLink,
        mac: Option<[u8; 6]>,
    ) -> Result<NetworkLink, KernelError> {
        if bridge.kind != "bridge" {
            return Err(KernelError::Invalid(format!("{} is no bridge", bridge.name)));
        }
        let (near, far) = (self.mark.near(), self.mark.far());
        let add = node.handle.link().add(LinkVeth::new(&near, &far).mtu(bridge.mtu).build());
        add.execute().await.map_err(failed(format!("make a pair of links for {}", bridge.name)))?;
        let near = node.existing(&near).await?;
        let port = LinkUnspec::new_with_index(near.index).alias(self.mark.alias()).controller(bridge.index).up();
        node.change(port, || format!("make {} a port of {}", near.name, bridge.name)).await?;
        let far = node.existing(&far).await?;
        let mut end = LinkUnspec::new_with_index(far.index).alias(self.mark.alias()).mtu(bridge.mtu);
        if let Some(mac) = mac {
            end = end.address(mac.to_vec());
        }
        node.change(end, || format!("set {} up as it is wanted", far.name)).await?;
        Ok(far)
    }

    async fn macvlan(
        &self,
        node: &Netlink,
        parent: &NetworkLink,
        mac: Option<[u8; 6]>,
    ) -> Result<NetworkLink, KernelError> {
        let far = self.mark.far();
        let mut link = LinkMacVlan::new(&far, parent.index, MacVlanMode::Bridge);
        if let Some(mac) = mac {
            link = link.address(mac.to_vec());
        }
        let add = node.handle.link().add(link.build());
        add.execute().await.map_err(failed(format!("make a macvlan on {}", parent.name)))?;
        let link = node.existing(&far).await?;
        let marked = LinkUnspec::new_with_index(link.index).alias(self.mark.alias());
        node.change(marked, || format!("mark {far}")).await?;
        Ok(link)
    }

    /// Marks the node's own link. One that the node uses itself is not given away.
    async fn lend(&self, node: &Netlink, link: &NetworkLink, mac: Option<[u8; 6]>) -> Result<NetworkLink, KernelError> {
        let refused = |why: String| Err(KernelError::Invalid(format!("{} cannot be given away: {why}", link.name)));
        if link.kind == "loopback" {
            return refused("it is the loopback interface".to_owned());
        }
        if link.controller.is_some() {
            return refused("it is part of a bridge or a bond".to_owned());
        }
        if mac.is_some() {
            return refused("it would lose its hardware address".to_owned());
        }
        let addresses = node.addresses(link).await?;
        if let Some(address) = addresses.iter().find(|address| !is_link_local(&address.cidr)) {
            return refused(format!("the node has {} on it", address.cidr));
        }
        let marked = LinkUnspec::new_with_index(link.index).alias(self.mark.alias_of_lent(link));
        node.change(marked, || format!("mark {}", link.name)).await?;
        Ok(link.clone())
    }
}

impl Netlink {
    /// The link that the owner of the mark has here.
    pub async fn link_of(&self, mark: &LinkMark) -> Result<Option<NetworkLink>, KernelError> {
        Ok(self.links().await?.into_iter().find(|link| mark.is_on(link)))
    }

    async fn existing(&self, name: &str) -> Result<NetworkLink, KernelError> {
        self.find_link(name).await?.ok_or_else(|| KernelError::NotFound(name.into()))
    }

    async fn change(
        &self,
        link: rtnetlink::LinkMessageBuilder<LinkUnspec>,
        doing: impl FnOnce() -> String,
    ) -> Result<(), KernelError> {
        self.handle.link().set(link.build()).execute().await.map_err(failed(doing()))
    }

    /// By one request, so that the link is never anywhere under a name that it should not have.
    async fn move_into(&self, link: &NetworkLink, namespace: &NetworkNamespace, name: &str) -> Result<(), KernelError> {
        let to = LinkUnspec::new_with_index(link.index).setns_by_fd(namespace.as_fd().as_raw_fd()).name(name);
        self.change(to, || format!("move {} into the network namespace as {name}", link.name)).await
    }

    /// Makes a link that was lent what it was, and gives it its name.
    async fn restore(&self, link: &NetworkLink, name: &str) -> Result<(), KernelError> {
        let doing = || format!("give {} back as {name}", link.name);
        if link.name != name {
            let renamed = LinkUnspec::new_with_index(link.index).down().name(name);
            self.change(renamed, doing).await?;
        }
        let lent = lent(link).unwrap_or_default();
        let was = LinkUnspec::new_with_index(link.index).alias(lent.alias);
        self.change(if lent.up { was.up() } else { was.down() }, doing).await
    }

    /// One that has gone by itself is removed too. One that nobody made is left.
    async fn remove_link(&self, link: &NetworkLink) -> Result<(), KernelError> {
        if !MADE.contains(&link.kind.as_str()) {
            return Ok(());
        }
        match self.handle.link().del(link.index).execute().await {
            Err(error) if super::netlink::errno_of(&error) != Some(Errno::NODEV) => {
                Err(failed(format!("remove {}", link.name))(error))
            }
            _ => Ok(()),
        }
    }
}

/// An address that the kernel gives to every link by itself.
fn is_link_local(cidr: &ipnet::IpNet) -> bool {
    match cidr {
        ipnet::IpNet::V4(_) => false,
        ipnet::IpNet::V6(net) => net.addr().segments()[0] & 0xffc0 == 0xfe80,
    }
}
