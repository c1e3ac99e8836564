//! Network interfaces.

use futures_util::TryStreamExt;
use rtnetlink::LinkUnspec;
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::netlink::{Netlink, errno_of, failed};

/// A network interface, see netdevice(7).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkLink {
    pub name: String,
    /// The kernel's number of the link.
    pub index: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether something is connected at the other end.
    pub carrier: bool,
    pub mtu: u32,
    /// The hardware address.
    pub mac: Vec<u8>,
    /// `bridge`, `veth`, `bond`…, `loopback`, or `device` for hardware.
    pub kind: String,
    /// The number of the bridge or bond that it is a part of.
    pub controller: Option<u32>,
    /// A text for people, see `alias` in ip-link(8).
    pub alias: String,
    /// Whether there are neighbours to send ARP and NDP to: it is an Ethernet without NOARP.
    pub neighbours: bool,
}

impl Netlink {
    /// Finds a link by its name.
    pub async fn find_link(&self, name: &str) -> Result<Option<NetworkLink>, KernelError> {
        let mut answers = self.handle.link().get().match_name(name.to_owned()).execute();
        match answers.try_next().await {
            Ok(message) => Ok(message.map(NetworkLink::from)),
            Err(error) if errno_of(&error) == Some(Errno::NODEV) => Ok(None),
            Err(error) => Err(failed(format!("look at the link {name}"))(error)),
        }
    }

    /// Lists all links.
    pub async fn links(&self) -> Result<Vec<NetworkLink>, KernelError> {
        let messages: Vec<LinkMessage> =
            self.handle.link().get().execute().try_collect().await.map_err(failed("list the links"))?;
        Ok(messages.into_iter().map(NetworkLink::from).collect())
    }

    /// Sets a link administratively up.
    pub async fn set_up(&self, link: &NetworkLink) -> Result<(), KernelError> {
        let request = LinkUnspec::new_with_index(link.index).up().build();
        self.handle.link().set(request).execute().await.map_err(failed(format!("set {} up", link.name)))
    }

    /// The name of the link with that number.
    pub(super) async fn link_name(&self, index: u32) -> Result<Option<String>, KernelError> {
        let mut answers = self.handle.link().get().match_index(index).execute();
        match answers.try_next().await {
            Ok(message) => Ok(message.map(|message| NetworkLink::from(message).name)),
            Err(error) if errno_of(&error) == Some(Errno::NODEV) => Ok(None),
            Err(error) => Err(failed(format!("look at link {index}"))(error)),
        }
    }
}

impl From<LinkMessage> for NetworkLink {
    fn from(message: LinkMessage) -> NetworkLink {
        let header = &message.header;
        let is_ethernet = header.link_layer_type == LinkLayerType::Ether;
        let is_loopback = header.flags.contains(LinkFlags::Loopback);
        let mut link = NetworkLink {
            name: String::new(),
            index: header.index,
            up: header.flags.contains(LinkFlags::Up),
            carrier: false,
            mtu: 0,
            mac: Vec::new(),
            controller: None,
            alias: String::new(),
            // Only virtual links carry a kind, and the loopback link has none either.
            kind: if is_loopback { "loopback" } else { "device" }.to_owned(),
            neighbours: is_ethernet && !is_loopback && !header.flags.contains(LinkFlags::Noarp),
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::Controller(index) => link.controller = Some(index).filter(|&index| index != 0),
                LinkAttribute::IfAlias(alias) => link.alias = alias,
                LinkAttribute::Carrier(carrier) => link.carrier = carrier != 0,
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::Address(mac) => link.mac = mac,
                LinkAttribute::LinkInfo(infos) => {
                    let kind = infos.into_iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind.to_string()),
                        _ => None,
                    });
                    link.kind = kind.unwrap_or(link.kind);
                }
                _ => {}
            }
        }
        link
    }
}
