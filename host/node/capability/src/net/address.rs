//! Addresses: added, removed and announced.

use driver::LogSeverity;
use grant::op::ChangeAddress;
use holding::{AddressHolding, Holding, NamespaceIdentity};
use ipnet::IpNet;
use kernel::net::{self as network, AddressOptions, AddressRemoval, Netlink};

use super::argument::{ip, network_of};
use super::link::existing;
use super::term::{TermLock, add_in_term};
use crate::holdings::HoldingNote;
use crate::{CallContext, CapabilityError, Effect};

/// errno(3), as the contract passes it on.
const EEXIST: i32 = 17;

/// Adds an address. Fails with `os(EEXIST)` if the link has it already.
pub async fn add_address(context: &CallContext, dev: &str, cidr: &str, label: &str) -> Result<(), CapabilityError> {
    let op = ChangeAddress { dev: dev.to_owned(), address: network_of(cidr)? };
    let ledger = context.ledger();
    let added = context.admit(op)?.waiting(|permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        let link = existing(&netlink, &op.dev).await?;
        let occupied =
            || CapabilityError::Os { errno: EEXIST, text: format!("{} is on {} already", op.address, op.dev) };
        // Looked up before, so that a crash in the next moment does not leave a note about an address of somebody else.
        if netlink.addresses(&link).await?.iter().any(|there| there.cidr == op.address) {
            return Err(occupied());
        }
        let held = own_address(None, &link, op.address);
        let note = ledger.intend(held.clone())?;
        let options = AddressOptions { label, ..AddressOptions::default() };
        match noted(note, held, add_in_term(context, &netlink, &link, (op.address, options)).await)? {
            true => Ok(Effect::Touched(())),
            false => Err(occupied()),
        }
    });
    added.await
}

/// Removes an address. Returns false if it was not there.
pub async fn remove_address(context: &CallContext, dev: &str, cidr: &str) -> Result<bool, CapabilityError> {
    let op = ChangeAddress { dev: dev.to_owned(), address: network_of(cidr)? };
    let ledger = context.ledger();
    let removed = context.admit(op)?.waiting(|permit| async move {
        let op = permit.op();
        let netlink = Netlink::open()?;
        // Without the link there is no address to remove, which is what was wanted.
        let Some(link) = netlink.find_link(&op.dev).await? else { return Ok(Effect::Nothing(false)) };
        // A refresh of the lifetime that is under way would make the address again.
        let _lock = TermLock::take(context).await;
        let removal = netlink.remove_address(&link, op.address).await?;
        tell_of_others(context, &link.name, &removal);
        let gone = Holding::from(address_holding(None, &link, op.address));
        ledger.released(|held| held.is_same(&gone));
        Ok(Effect::whether(removal.removed))
    });
    removed.await
}

/// Says what the kernel removed along with an address, which was not the resource's.
pub(crate) fn tell_of_others(context: &CallContext, dev: &str, removal: &AddressRemoval) {
    let AddressRemoval { restored, lost, lost_routes, .. } = removal;
    if !restored.is_empty() {
        let text = format!("the kernel removed {} from {dev} along with it, and has it back now", listed(restored));
        context.say(LogSeverity::Warn, &text);
    }
    for (cidr, error) in lost {
        let text = format!("the kernel removed {cidr} from {dev} along with it: {}", error.sentence());
        context.say(LogSeverity::Error, &text);
    }
    for route in lost_routes {
        let text = format!("with the last address of {dev} the kernel removed the route {route}");
        context.say(LogSeverity::Warn, &text);
    }
}

fn listed(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Announces to the neighbours that this node now has the address.
pub async fn announce(context: &CallContext, dev: &str, address: &str) -> Result<(), CapabilityError> {
    let address = ip(address)?;
    // A grant to change an address covers its announcement, with any prefix length.
    let op = ChangeAddress { dev: dev.to_owned(), address: IpNet::from(address) };
    let announced = context.admit(op)?.waiting(|permit| async move {
        let link = existing(&Netlink::open()?, &permit.op().dev).await?;
        network::announce(None, &link, address).await?;
        Ok(Effect::Touched(()))
    });
    announced.await
}

/// What a link with this address is held as.
pub(crate) fn address_holding(
    netns: Option<NamespaceIdentity>,
    link: &network::NetworkLink,
    address: IpNet,
) -> AddressHolding {
    AddressHolding {
        netns,
        index: link.index,
        dev: link.name.clone(),
        cidr: address.to_string(),
        primary: None,
        protocol: None,
    }
}

/// The same of an address that is to be added: the kernel notes for it that this program did.
pub(crate) fn own_address(
    netns: Option<NamespaceIdentity>,
    link: &network::NetworkLink,
    address: IpNet,
) -> AddressHolding {
    let protocol = network::notes_makers().then_some(network::OWN_PROTOCOL);
    AddressHolding { protocol, ..address_holding(netns, link, address) }
}

/// Records what became of the thing that was to be added: it was, it was there already, or it cannot be.
pub(crate) fn noted(
    note: HoldingNote,
    holding: impl Into<Holding>,
    added: Result<bool, impl Into<CapabilityError>>,
) -> Result<bool, CapabilityError> {
    match &added {
        Ok(true) => note.held(holding),
        Ok(false) | Err(_) => note.nothing(),
    }
    added.map_err(Into::into)
}
