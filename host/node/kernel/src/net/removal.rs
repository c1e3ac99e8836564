//! Removes an address, and nothing else.
//!
//! The kernel removes more by itself. With the first IPv4 address of a network on a link go the other addresses of that
//! network, its secondaries, unless the sysctl `promote_secondaries` is on, which it is not by default. With the last
//! IPv4 address of a link go all IPv4 routes through the link. So the sysctl is switched on for that moment, and what
//! vanished all the same is put back.

use ipnet::IpNet;
use rtnetlink::LinkUnspec;
use rtnetlink::packet_core::{DefaultNla, NLA_F_NESTED};
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{AfSpecInet, AfSpecUnspec, LinkAttribute};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::address::{LinkAddress, parse};
use crate::net::netlink::{Netlink, errno_of, failed};
use crate::net::{KernelRoute, NetworkLink};

/// IFLA_INET_CONF.
const INET_CONF: u16 = 1;

/// IPV4_DEVCONF_PROMOTE_SECONDARIES.
const PROMOTE_SECONDARIES: u16 = 20;

/// The removal of an address.
#[derive(Debug, Default)]
pub struct AddressRemoval {
    /// Whether the link had the address.
    pub removed: bool,
    /// The addresses that the kernel removed along with it, and that are there again.
    pub restored: Vec<IpNet>,
    /// The addresses that the kernel removed along with it, and that could not be put back.
    pub lost: Vec<(IpNet, KernelError)>,
    /// The routes that the kernel removed along with it, and that could not be put back.
    pub lost_routes: Vec<KernelRoute>,
}

impl Netlink {
    /// Removes an address from a link, with exactly that prefix, and leaves the other addresses of the link and the
    /// routes through it in place.
    pub async fn remove_address(&self, link: &NetworkLink, cidr: IpNet) -> Result<AddressRemoval, KernelError> {
        // IPv6 has no secondaries, and no routes that hang on an address.
        if matches!(cidr, IpNet::V6(_)) {
            return Ok(AddressRemoval { removed: self.delete_address(link, cidr).await?, ..AddressRemoval::default() });
        }
        let before = self.address_messages(link).await?;
        let routes = self.route_messages(cidr, Some(link.index)).await?;
        let promotes = has_secondaries(&before, link, cidr) && !link.promote_secondaries;
        // If the kernel refuses, the addresses that vanish are put back.
        let promotes = promotes && self.promote_secondaries(link, true).await.is_ok();
        let removed = self.delete_address(link, cidr).await;
        if promotes {
            // Left on by a failure, the sysctl takes nothing from anybody; the removal itself is what matters.
            let _ = self.promote_secondaries(link, false).await;
        }
        let mut removal = AddressRemoval { removed: removed?, ..AddressRemoval::default() };
        if removal.removed {
            self.put_back_addresses(link, cidr, before, &mut removal).await?;
            removal.lost_routes = self.put_back_routes(link, cidr, routes).await?;
        }
        Ok(removal)
    }

    async fn put_back_addresses(
        &self,
        link: &NetworkLink,
        removed: IpNet,
        before: Vec<AddressMessage>,
        removal: &mut AddressRemoval,
    ) -> Result<(), KernelError> {
        // Only an address of the same network can have gone, and mostly there is none.
        if !before.iter().any(|message| is_other_of(message, link, removed)) {
            return Ok(());
        }
        let left: Vec<IpNet> = self.addresses(link).await?.into_iter().map(|address| address.cidr).collect();
        for message in before {
            let Some(LinkAddress { cidr, .. }) = parse(message.clone(), &link.name) else { continue };
            if cidr == removed || left.contains(&cidr) {
                continue;
            }
            let mut request = self.handle.address().add(link.index, cidr.addr(), cidr.prefix_len());
            *request.message_mut() = message;
            match request.execute().await {
                Ok(()) => removal.restored.push(cidr),
                Err(error) if errno_of(&error) == Some(Errno::EXIST) => {}
                Err(error) => removal.lost.push((cidr, failed(format!("put {cidr} back on {}", link.name))(error))),
            }
        }
        Ok(())
    }

    /// Removes the one address. Returns false if the link does not have it.
    async fn delete_address(&self, link: &NetworkLink, cidr: IpNet) -> Result<bool, KernelError> {
        let mut message = AddressMessage::default();
        message.header.index = link.index;
        message.header.prefix_len = cidr.prefix_len();
        message.header.family = match cidr {
            IpNet::V4(_) => AddressFamily::Inet,
            IpNet::V6(_) => AddressFamily::Inet6,
        };
        // Both: with IFA_LOCAL alone the kernel takes the first IPv4 address like that, whatever its prefix.
        message.attributes.extend([AddressAttribute::Local(cidr.addr()), AddressAttribute::Address(cidr.addr())]);
        match self.handle.address().del(message).execute().await {
            Ok(()) => Ok(true),
            Err(error) if errno_of(&error) == Some(Errno::ADDRNOTAVAIL) => Ok(false),
            Err(error) => Err(failed(format!("remove {cidr} from {}", link.name))(error)),
        }
    }

    /// Lets the other addresses of a network stay when the kernel removes the first one by itself, at the end of its lifetime.
    pub async fn keep_secondaries(&self, link: &NetworkLink) -> Result<(), KernelError> {
        match link.promote_secondaries {
            true => Ok(()),
            false => self.promote_secondaries(link, true).await,
        }
    }

    /// Sets the sysctl by netlink, which works in every network namespace, without its /proc.
    async fn promote_secondaries(&self, link: &NetworkLink, on: bool) -> Result<(), KernelError> {
        // One attribute within the attribute: its length, its type and its value.
        let value =
            [&8_u16.to_ne_bytes()[..], &PROMOTE_SECONDARIES.to_ne_bytes(), &u32::from(on).to_ne_bytes()].concat();
        let conf = AfSpecInet::Other(DefaultNla::new(INET_CONF | NLA_F_NESTED, value));
        let families = LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet(vec![conf])]);
        let message = LinkUnspec::new_with_index(link.index).append_extra_attribute(families).build();
        let doing = format!("set promote_secondaries of {} to {}", link.name, u8::from(on));
        self.handle.link().set(message).execute().await.map_err(failed(doing))
    }
}

/// Whether the address is the first of its network on the link, and there are others.
fn has_secondaries(messages: &[AddressMessage], link: &NetworkLink, cidr: IpNet) -> bool {
    let own = messages.iter().filter_map(|message| parse(message.clone(), &link.name)).find(|own| own.cidr == cidr);
    own.is_some_and(|own| !own.is_secondary()) && messages.iter().any(|message| is_other_of(message, link, cidr))
}

/// Whether it is another address of the same network, with the same prefix.
fn is_other_of(message: &AddressMessage, link: &NetworkLink, cidr: IpNet) -> bool {
    let address = parse(message.clone(), &link.name);
    address.is_some_and(|address| address.cidr != cidr && address.cidr.trunc() == cidr.trunc())
}
