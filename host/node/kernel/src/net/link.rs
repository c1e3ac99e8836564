//! Network interfaces.

use futures_util::TryStreamExt;
use rtnetlink::packet_core::DefaultNla;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::link::{
    AfSpecInet, AfSpecInet6, AfSpecUnspec, LinkAttribute, LinkExtentMask, LinkFlags, LinkInfo, LinkLayerType,
    LinkMessage, Prop,
};
use rtnetlink::{LinkGetRequest, LinkUnspec};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::netlink::{Netlink, errno_of, failed};

/// The longest name of a link: IFNAMSIZ without the terminating zero. An alternative name can be longer.
const MAX_NAME: usize = 15;

/// IFLA_ALT_IFNAME.
const ALTERNATIVE_NAME: u16 = 53;

/// A network interface, see netdevice(7).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkLink {
    pub name: String,
    /// Its other names, see `altname` in ip-link(8).
    pub altnames: Vec<String>,
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
    /// Whether the kernel takes no IPv6 address for it: the sysctl `disable_ipv6`.
    pub disable_ipv6: bool,
    /// Whether a secondary address takes the place of its primary when that goes: the sysctl `promote_secondaries` of the
    /// link. The kernel then also asks the one for all links.
    pub promote_secondaries: bool,
}

impl Netlink {
    /// Finds a link by its name or one of its alternative names.
    pub async fn find_link(&self, name: &str) -> Result<Option<NetworkLink>, KernelError> {
        let request = match name.len() > MAX_NAME {
            // As a name it would be ERANGE, even if it is an alternative name.
            true => {
                let mut request = self.without_statistics().match_index(0);
                let text = [name.as_bytes(), &[0]].concat();
                request.message_mut().attributes.push(LinkAttribute::Other(DefaultNla::new(ALTERNATIVE_NAME, text)));
                request
            }
            false => self.without_statistics().match_name(name),
        };
        one(request, name).await
    }

    /// Finds a link by its number.
    pub async fn link_at(&self, index: u32) -> Result<Option<NetworkLink>, KernelError> {
        one(self.without_statistics().match_index(index), &format!("number {index}")).await
    }

    /// Lists all links.
    pub async fn links(&self) -> Result<Vec<NetworkLink>, KernelError> {
        let answers = self.without_statistics().execute();
        let messages: Vec<LinkMessage> = answers.try_collect().await.map_err(failed("list the links"))?;
        Ok(messages.into_iter().map(NetworkLink::from).collect())
    }

    /// Sets a link administratively up.
    pub async fn set_up(&self, link: &NetworkLink) -> Result<(), KernelError> {
        let request = LinkUnspec::new_with_index(link.index).up().build();
        self.handle.link().set(request).execute().await.map_err(failed(format!("set {} up", link.name)))
    }

    /// A request for links without their counters, which are the larger part of the answer.
    fn without_statistics(&self) -> LinkGetRequest {
        self.handle.link().get().set_filter_mask(AddressFamily::Unspec, vec![LinkExtentMask::SkipStats])
    }
}

/// The link that was asked for, if there is one.
async fn one(request: LinkGetRequest, called: &str) -> Result<Option<NetworkLink>, KernelError> {
    let mut answers = request.execute();
    match answers.try_next().await {
        Ok(message) => Ok(message.map(NetworkLink::from)),
        Err(error) if errno_of(&error) == Some(Errno::NODEV) => Ok(None),
        Err(error) => Err(failed(format!("look at the link {called}"))(error)),
    }
}

impl NetworkLink {
    /// Whether this is one of the names of the link.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.altnames.iter().any(|own| own == name)
    }

    /// Takes over the sysctls of both families.
    fn configured(&mut self, families: Vec<AfSpecUnspec>) {
        for family in families {
            match family {
                AfSpecUnspec::Inet(settings) => settings.into_iter().for_each(|setting| {
                    if let AfSpecInet::DevConf(conf) = setting {
                        self.promote_secondaries = conf.promote_secondaries != 0;
                    }
                }),
                AfSpecUnspec::Inet6(settings) => settings.into_iter().for_each(|setting| {
                    if let AfSpecInet6::DevConf(conf) = setting {
                        self.disable_ipv6 = conf.disable_ipv6 != 0;
                    }
                }),
                _ => {}
            }
        }
    }
}

impl From<LinkMessage> for NetworkLink {
    fn from(message: LinkMessage) -> NetworkLink {
        let header = &message.header;
        let is_ethernet = header.link_layer_type == LinkLayerType::Ether;
        let is_loopback = header.flags.contains(LinkFlags::Loopback);
        let mut link = NetworkLink {
            index: header.index,
            up: header.flags.contains(LinkFlags::Up),
            // Only virtual links carry a kind, and the loopback link has none either.
            kind: if is_loopback { "loopback" } else { "device" }.to_owned(),
            neighbours: is_ethernet && !is_loopback && !header.flags.contains(LinkFlags::Noarp),
            ..NetworkLink::default()
        };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name = name,
                LinkAttribute::PropList(list) => link.altnames = list.into_iter().filter_map(altname).collect(),
                LinkAttribute::Controller(index) => link.controller = Some(index).filter(|&index| index != 0),
                LinkAttribute::IfAlias(alias) => link.alias = alias,
                LinkAttribute::Carrier(carrier) => link.carrier = carrier != 0,
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                LinkAttribute::Address(mac) => link.mac = mac,
                LinkAttribute::AfSpecUnspec(families) => link.configured(families),
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

fn altname(property: Prop) -> Option<String> {
    match property {
        Prop::AltIfName(name) => Some(name),
        _ => None,
    }
}
