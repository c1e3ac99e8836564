//! Links between the node and a network namespace: plugged into it, and unplugged.
//!
//! ```text
//!   bridge      dev ── hlID ═══ veth ═══ eth0 │      both ends are made, and go together
//!   macvlan     dev ─────────────────── eth0 │      made on dev
//!   dedicated   dev ══ is ═════════════ eth0 │      lent, and given back as it was
//!                         the node           │ the namespace
//! ```
//!
//! A link carries its owner's mark on both sides, so that it is found again whatever happened in between, also if the
//! namespace is gone and the kernel has given a lent link back by itself. Root in the namespace can write such a mark
//! too. So the mark only says who owns a link; what is done with the link is decided by the caller.

use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};

use rtnetlink::packet_route::link::MacVlanMode;
use rtnetlink::{LinkMacVlan, LinkUnspec, LinkVeth};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::address::is_link_local;
use crate::net::mark::lent;
use crate::net::netlink::{Netlink, failed};
use crate::net::{LinkMark, NetworkLink, NetworkNamespace};

/// The kinds of links that are made here, and may be removed.
const MADE: [&str; 2] = ["veth", "macvlan"];

/// The ways to give a namespace a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlugMode {
    /// A veth pair, one end of which is a port of a bridge of the node.
    Bridge,
    /// A macvlan on a link of the node.
    Macvlan,
    /// A link of the node itself, which is lent.
    Dedicated,
}

/// A link between the node and a namespace.
#[derive(Debug, Clone)]
pub struct LinkPlug<'a> {
    pub mode: PlugMode,
    /// The link of the node.
    pub dev: &'a str,
    /// The owner.
    pub mark: &'a LinkMark,
}

/// The wanted properties of a link in the namespace.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlugOptions<'a> {
    /// The name. If empty, the first of eth0, eth1 and so on that is free.
    pub name: &'a str,
    /// The hardware address. None leaves it to the kernel.
    pub mac: Option<[u8; 6]>,
}

impl LinkPlug<'_> {
    /// Plugs the link into the namespace and sets it up. Returns false if it was plugged and up. After a failure nothing
    /// is left of it.
    pub async fn insert(
        &self,
        node: &Netlink,
        within: &NetworkNamespace,
        options: PlugOptions<'_>,
    ) -> Result<(NetworkLink, bool), KernelError> {
        let inside = within.netlink()?;
        // Plugged by an earlier call, perhaps one that was cut short before it set the link up.
        if let Some(link) = inside.link_of(self.mark).await? {
            let was_up = link.up;
            inside.set_up(&link).await?;
            return Ok((NetworkLink { up: true, ..link }, !was_up));
        }
        if !options.name.is_empty() && inside.find_link(options.name).await?.is_some() {
            let text = format!("there is another {} in the network namespace already", options.name);
            return Err(KernelError::Invalid(text));
        }
        // What an attempt that was cut short has left on the node would be in the way.
        self.take_out(node, None).await?;
        let inserted = self.insert_new(node, within, &inside, options).await;
        if inserted.is_err() {
            // The first error is the one to report.
            let _ = self.take_out(node, Some(within)).await;
        }
        inserted.map(|link| (link, true))
    }

    /// Unplugs the link, and removes what is left of it on the node. `within` is None if the namespace is gone. Returns
    /// false if there was nothing to do.
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
        options: PlugOptions<'_>,
    ) -> Result<NetworkLink, KernelError> {
        let dev = node.existing(self.dev).await?;
        let link = match self.mode {
            PlugMode::Bridge => self.pair(node, &dev, options.mac).await?,
            PlugMode::Macvlan => self.macvlan(node, &dev, options.mac).await?,
            PlugMode::Dedicated => self.lend(node, &dev, options.mac).await?,
        };
        let name = if options.name.is_empty() { "eth%d" } else { options.name };
        node.move_into(&link, within, name).await?;
        let link = inside.link_of(self.mark).await?.ok_or_else(|| KernelError::NotFound(link.name.into()))?;
        inside.set_up(&link).await?;
        // Looked up again, because its carrier has changed.
        inside.existing(&link.name).await
    }

    /// Makes a veth pair, and makes its near end a port of the bridge. Returns the far end.
    async fn pair(
        &self,
        node: &Netlink,
        bridge: &NetworkLink,
        mac: Option<[u8; 6]>,
    ) -> Result<NetworkLink, KernelError> {
        if bridge.kind != "bridge" {
            return Err(KernelError::Invalid(format!("{} is not a bridge", bridge.name)));
        }
        let (near, far) = (self.mark.near(), self.mark.far());
        let add = node.handle.link().add(LinkVeth::new(&near, &far).mtu(bridge.mtu).build());
        add.execute().await.map_err(failed(format!("make a pair of links for {}", bridge.name)))?;
        let near = node.existing(&near).await?;
        // The mark comes with the same request that makes it a port: no crash leaves an unmarked port.
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

    /// Marks a link of the node, to be lent. A link that the node itself uses is refused.
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
        // The kernel gives every link a link-local address of IPv6 by itself.
        let of_kernel = |address: IpAddr| address.is_ipv6() && is_link_local(address);
        if let Some(address) = addresses.iter().find(|address| !of_kernel(address.cidr.addr())) {
            return refused(format!("the node has {} on it", address.cidr));
        }
        let marked = LinkUnspec::new_with_index(link.index).alias(self.mark.alias_of_lent(link));
        node.change(marked, || format!("mark {}", link.name)).await?;
        Ok(link.clone())
    }
}

impl Netlink {
    /// Finds the link of the mark's owner.
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

    /// Moves and renames a link by one request, so that it never appears under a wrong name.
    async fn move_into(&self, link: &NetworkLink, namespace: &NetworkNamespace, name: &str) -> Result<(), KernelError> {
        let to = LinkUnspec::new_with_index(link.index).setns_by_fd(namespace.as_fd().as_raw_fd()).name(name);
        self.change(to, || format!("move {} into the network namespace as {name}", link.name)).await
    }

    /// Gives a lent link its name, its state and its alias back.
    async fn restore(&self, link: &NetworkLink, name: &str) -> Result<(), KernelError> {
        let doing = || format!("give {} back as {name}", link.name);
        if link.name != name {
            // A link can be renamed only while it is down.
            let renamed = LinkUnspec::new_with_index(link.index).down().name(name);
            self.change(renamed, doing).await?;
        }
        // Without a readable alias the link is set down, which is the safe state.
        let lent = lent(link).unwrap_or_default();
        let was = LinkUnspec::new_with_index(link.index).alias(lent.alias);
        self.change(if lent.up { was.up() } else { was.down() }, doing).await
    }

    /// Removes a link that was made here. Any other link is left alone, whatever mark it carries. A link that has gone
    /// meanwhile is fine: the other end of a pair goes along with the first.
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
