//! The addresses of a link.

use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, CacheInfo};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::NetworkLink;
use crate::net::netlink::{Netlink, errno_of, failed};

/// The number under which the kernel notes this program as the maker of an address: one that rt_addrprotos of iproute2 gives to no
/// other.
pub const OWN_PROTOCOL: u8 = 72;

/// The longest label that the kernel takes, see IFNAMSIZ.
const MAX_LABEL: usize = 15;

/// An address of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkAddress {
    /// The address with the length of its prefix.
    pub cidr: IpNet,
    /// `eth0:1`, or empty.
    pub label: String,
    /// What ip-address(8) says of it besides: `secondary`, `tentative`, `dadfailed`, `deprecated`, `noprefixroute`.
    pub flags: Vec<&'static str>,
    /// The number of its maker, where the kernel has noted one.
    pub maker: Option<u8>,
}

/// Whether the kernel notes who has made an address (IFA_PROTO): since Linux 5.18.
pub fn notes_makers() -> bool {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 18)
}

impl LinkAddress {
    /// Whether another address of its network stands in front of it. The kernel removes it together with that one.
    pub fn is_secondary(&self) -> bool {
        self.flags.contains(&"secondary")
    }
}

/// Whether the address is valid on its own link alone, so that every link can have it: 169.254.0.0/16 and fe80::/10.
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// The flags that matter to a reader, as ip-address(8) spells them.
const FLAGS: [(AddressFlags, &str); 5] = [
    (AddressFlags::Secondary, "secondary"),
    (AddressFlags::Tentative, "tentative"),
    (AddressFlags::Dadfailed, "dadfailed"),
    (AddressFlags::Deprecated, "deprecated"),
    (AddressFlags::Noprefixroute, "noprefixroute"),
];

/// Whether the kernel adds the route to an address's network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PrefixRoute {
    /// It does, as by default.
    #[default]
    Kept,
    /// It does not, by the flag IFA_F_NOPREFIXROUTE.
    LeftOut,
}

/// How an address is added, other than by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddressOptions<'a> {
    /// `eth0:1`, or empty.
    pub label: &'a str,
    pub network: PrefixRoute,
    /// In seconds, after which the kernel removes it. None: it stays.
    pub lifetime: Option<u32>,
}

impl Netlink {
    /// Lists the addresses of a link.
    pub async fn addresses(&self, link: &NetworkLink) -> Result<Vec<LinkAddress>, KernelError> {
        let messages = self.address_messages(link).await?;
        Ok(messages.into_iter().filter_map(|message| parse(message, &link.name)).collect())
    }

    /// The addresses of a link as the kernel tells them.
    pub(super) async fn address_messages(&self, link: &NetworkLink) -> Result<Vec<AddressMessage>, KernelError> {
        // Twice: the kernel sends no others, and a kernel that does not filter sends all.
        let mut request = self.handle.address().get().set_link_index_filter(link.index);
        request.message_mut().header.index = link.index;
        request.execute().try_collect().await.map_err(failed(format!("list the addresses of {}", link.name)))
    }

    /// Lists the addresses of some links, with the names of the links.
    pub async fn addresses_of(&self, links: &[NetworkLink]) -> Result<Vec<(String, LinkAddress)>, KernelError> {
        let answers = self.handle.address().get().execute();
        let messages: Vec<AddressMessage> = answers.try_collect().await.map_err(failed("list the addresses"))?;
        let named = |message: AddressMessage| {
            let link = links.iter().find(|link| link.index == message.header.index)?;
            Some((link.name.clone(), parse(message, &link.name)?))
        };
        Ok(messages.into_iter().filter_map(named).collect())
    }

    /// Adds an address. Returns false if the link has it already.
    ///
    /// An IPv6 address is usable at once, without the kernel's duplicate address detection: a caller that needs the check
    /// asks the neighbours before, see [`crate::net::claimant`].
    pub async fn add_address(&self, link: &NetworkLink, cidr: IpNet, label: &str) -> Result<bool, KernelError> {
        self.add_address_with(link, cidr, AddressOptions { label, ..AddressOptions::default() }).await
    }

    /// Adds an address: with or without the route to its network, which the kernel would add by itself, and with a lifetime or for
    /// good.
    pub async fn add_address_with(
        &self,
        link: &NetworkLink,
        cidr: IpNet,
        options: AddressOptions<'_>,
    ) -> Result<bool, KernelError> {
        let AddressOptions { label, network, lifetime } = options;
        if label.len() > MAX_LABEL {
            return Err(KernelError::Invalid(format!("the label {label:?} is longer than {MAX_LABEL} characters")));
        }
        let mut request = self.handle.address().add(link.index, cidr.addr(), cidr.prefix_len());
        let attributes = &mut request.message_mut().attributes;
        // An older kernel does not look at it.
        attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(OWN_PROTOCOL)));
        let mut flags = AddressFlags::empty();
        flags.set(AddressFlags::Noprefixroute, network == PrefixRoute::LeftOut);
        // Else the address is tentative for a second, and a service that starts next could not bind it.
        flags.set(AddressFlags::Nodad, matches!(cidr, IpNet::V6(_)));
        if !flags.is_empty() {
            attributes.push(AddressAttribute::Flags(flags));
        }
        if matches!(cidr, IpNet::V4(_)) && !label.is_empty() {
            attributes.push(AddressAttribute::Label(label.to_owned()));
        }
        attributes.extend(lifetime.map(|seconds| AddressAttribute::CacheInfo(lifetime_of(Some(seconds)))));
        match request.execute().await {
            Ok(()) => Ok(true),
            Err(error) if errno_of(&error) == Some(Errno::EXIST) => Ok(false),
            Err(error) => Err(failed(format!("add {cidr} to {}", link.name))(error)),
        }
    }
}

impl Netlink {
    /// Sets the lifetime of an address anew, in seconds from now; None: it stays. Only of an address that the link has: one that the
    /// kernel has removed would be made again. Returns false if the link does not have it.
    pub async fn set_lifetime(
        &self,
        link: &NetworkLink,
        cidr: IpNet,
        lifetime: Option<u32>,
    ) -> Result<bool, KernelError> {
        let found = self.addresses(link).await?.into_iter().find(|there| there.cidr == cidr);
        let Some(found) = found else { return Ok(false) };
        let mut request = self.handle.address().add(link.index, cidr.addr(), cidr.prefix_len()).replace();
        let mut flags = AddressFlags::empty();
        flags.set(AddressFlags::Noprefixroute, found.flags.contains(&"noprefixroute"));
        flags.set(AddressFlags::Nodad, matches!(cidr, IpNet::V6(_)));
        let attributes = &mut request.message_mut().attributes;
        attributes.extend([AddressAttribute::Flags(flags), AddressAttribute::CacheInfo(lifetime_of(lifetime))]);
        // Else the kernel would forget it.
        attributes.extend(found.maker.map(|maker| AddressAttribute::Protocol(AddressProtocol::Other(maker))));
        let doing = || format!("set the lifetime of {cidr} on {}", link.name);
        request.execute().await.map(|()| true).map_err(|error| failed(doing())(error))
    }
}

/// The address is as good as any other until it goes.
fn lifetime_of(seconds: Option<u32>) -> CacheInfo {
    // INFINITY_LIFE_TIME.
    let seconds = seconds.unwrap_or(u32::MAX);
    let mut info = CacheInfo::default();
    (info.ifa_preferred, info.ifa_valid) = (seconds, seconds);
    info
}

/// Reads an address. On a point-to-point link, IFA_LOCAL is our end and IFA_ADDRESS the other one. For IPv6 there is
/// often only IFA_ADDRESS, and it is ours.
pub(super) fn parse(message: AddressMessage, dev: &str) -> Option<LinkAddress> {
    let mut flags = AddressFlags::from_bits_retain(u32::from(message.header.flags.bits()));
    let (mut local, mut address): (Option<IpAddr>, Option<IpAddr>) = (None, None);
    let (mut label, mut maker) = (String::new(), None);
    for attribute in message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(ip),
            AddressAttribute::Address(ip) => address = Some(ip),
            AddressAttribute::Label(text) => label = text,
            AddressAttribute::Flags(all) => flags = all,
            AddressAttribute::Protocol(protocol) => maker = Some(u8::from(protocol)),
            _ => {}
        }
    }
    // An IPv4 address that was added without a label is labelled with the name of its link.
    let label = if label == dev { String::new() } else { label };
    let cidr = IpNet::new(local.or(address)?, message.header.prefix_len).ok()?;
    let named = |(flag, name): (AddressFlags, &'static str)| flags.contains(flag).then_some(name);
    // Of IPv6 the same bit says that the address is a temporary one of the kernel's own.
    let flags = FLAGS.into_iter().filter_map(named).filter(|name| cidr.addr().is_ipv4() || *name != "secondary");
    Some(LinkAddress { cidr, label, flags: flags.collect(), maker })
}
