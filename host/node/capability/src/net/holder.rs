//! Who else has an address: another link of the node, or another host.

use std::net::IpAddr;
use std::time::Duration;

use driver::LogSeverity;
use grant::op::ProbeAddress;
use holding::Holding;
use ipnet::IpNet;
use kernel::net::{self as network, Netlink};

use super::address::address_holding;
use super::argument::ip;
use super::entry::{AddressHolder, mac_text};
use super::link::existing;
use crate::holdings::other_owner;
use crate::{CallContext, CapabilityError, Effect};

/// Finds another link or another host that has the address.
pub async fn find_holder(
    context: &CallContext,
    dev: &str,
    address: &str,
    timeout_ms: u64,
) -> Result<Option<AddressHolder>, CapabilityError> {
    let op = ProbeAddress { dev: dev.to_owned(), address: ip(address)? };
    let timeout = Duration::from_millis(timeout_ms).min(context.remaining());
    let found = context.admit(op)?.waiting(|permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &op.dev).await?;
        let at = LinkPlace { netlink: &netlink, within: None, link: &link };
        holder(context, at, op.address, timeout).await.map(Effect::Nothing)
    });
    found.await
}

/// A link, and where it is asked about.
pub(crate) struct LinkPlace<'a> {
    pub(crate) netlink: &'a Netlink,
    /// Its namespace, if it is not the node's.
    pub(crate) within: Option<&'a network::NetworkNamespace>,
    pub(crate) link: &'a network::NetworkLink,
}

/// The holder of the address, other than this link: another link beside it, or another host that answers on it. A
/// `timeout` of zero asks no other host.
pub(crate) async fn holder(
    context: &CallContext,
    at: LinkPlace<'_>,
    address: IpAddr,
    timeout: Duration,
) -> Result<Option<AddressHolder>, CapabilityError> {
    let LinkPlace { netlink, within, link } = at;
    // The node's other links first: the node does not answer its own frames. A link-local address means another place on
    // each link, and all of them may have it.
    if !network::is_link_local(address) {
        let links: Vec<_> = netlink.links().await?.into_iter().filter(|other| other.index != link.index).collect();
        let found = netlink.addresses_of(&links).await?.into_iter().find(|(_, found)| found.cidr.addr() == address);
        let other = found.as_ref().and_then(|(dev, _)| links.iter().find(|other| other.name == *dev));
        if let (Some((dev, address)), Some(other)) = (found, other) {
            name_owner(context, within, other, address.cidr)?;
            return Ok(Some(AddressHolder { mac: mac_text(&other.mac), dev: Some(dev) }));
        }
    }
    if timeout.is_zero() {
        return Ok(None);
    }
    let claimant = network::claimant(within, link, address, timeout).await?;
    Ok(claimant.map(|mac| AddressHolder { mac: mac_text(&mac), dev: None }))
}

/// Says which resource of this node holds the address that is in the way, if one does.
fn name_owner(
    context: &CallContext,
    within: Option<&network::NetworkNamespace>,
    link: &network::NetworkLink,
    address: IpNet,
) -> Result<(), CapabilityError> {
    let netns = within.map(crate::netns::identity).transpose()?;
    let thing = Holding::from(address_holding(netns, link, address));
    if let Some(owner) = other_owner(context, &thing) {
        context.say(LogSeverity::Info, &format!("{thing} is held by {owner}"));
    }
    Ok(())
}
