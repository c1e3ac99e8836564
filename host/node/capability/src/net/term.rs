//! The term of an address: where its instance has a deadline, the kernel removes it by itself when the deadline is near, whether or
//! not any process runs.
//!
//! The daemon writes the deadline into the page of the keeper, and the term is read there: so an address that another process adds
//! has it too. The daemon refreshes it with each extension. A lifetime that is set on an address which the kernel has just removed
//! makes it again; therefore the clock is read before and after, and what came too late is removed.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use deadline::{HALF, NO_DEADLINE, PAGE_FILE, PageView, address_lifetime, address_limit, newest};
use holding::{Holding, HoldingStage};
use ipnet::IpNet;
use kernel::clock;
use kernel::net::{AddressOptions, Netlink, NetworkLink};
use tokio::time::{Instant, sleep};

use super::argument::network_of;
use crate::holdings::{Ledger, netlink_of};
use crate::{CallContext, CapabilityError};

/// The file whose lock keeps a refresh and a removal apart, beside the page.
pub const TERM_LOCK: &str = "addresses";

/// How long a removal waits for a refresh. One that takes longer has stopped, and the address ends by itself.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// The moment until which what runs of the object is this node's. None: it has no deadline.
fn term_of(keeper: &Path, object: &str) -> Option<Duration> {
    let bytes = std::fs::read(keeper.join(PAGE_FILE)).ok()?;
    let (first, second) = bytes.split_at_checked(HALF)?;
    // The daemon writes the halves in turn. While it writes one, the other is whole.
    let (_, body, _) = newest(first, second)?;
    let slot = PageView::parse(body)?.slot_of(object)?;
    Some(slot.until).filter(|until| *until != NO_DEADLINE)
}

/// Adds an address for the resource of the call, with the lifetime that its instance's deadline leaves.
pub(crate) async fn add_in_term(
    context: &CallContext,
    netlink: &Netlink,
    link: &NetworkLink,
    (cidr, options): (IpNet, AddressOptions<'_>),
) -> Result<bool, CapabilityError> {
    let Some(until) = term_of(&context.paths().instance.keeper, &context.subject().object.to_string()) else {
        return Ok(netlink.add_address_with(link, cidr, options).await?);
    };
    let passed = || CapabilityError::Other(format!("{cidr} is not added: the deadline of this instance has passed"));
    let lifetime = address_lifetime(until, clock::boot()).ok_or_else(passed)?;
    keep_others(netlink, link, cidr).await?;
    let added = netlink.add_address_with(link, cidr, AddressOptions { lifetime: Some(lifetime), ..options }).await?;
    // The kernel counts the lifetime from the call. This process may have been stopped between its look at the clock
    // and the call, and then the lifetime is too long.
    match clock::boot() > address_limit(until) {
        true => {
            netlink.remove_address(link, cidr).await?;
            Err(passed())
        }
        false => Ok(added),
    }
}

/// The kernel takes the other addresses of a network along with the first one, also at the end of its lifetime.
async fn keep_others(netlink: &Netlink, link: &NetworkLink, cidr: IpNet) -> Result<(), CapabilityError> {
    match cidr {
        // IPv6 knows no secondary addresses, and a network of one address holds no other.
        IpNet::V4(cidr) if cidr.prefix_len() < 32 => Ok(netlink.keep_secondaries(link).await?),
        _ => Ok(()),
    }
}

/// Sets the lifetimes of all addresses that an instance holds. `until` is the moment until which it is this node's, or
/// [`NO_DEADLINE`]. Returns what went wrong.
///
/// Without the lock nothing is done: another process removes an address just now, and the next refresh comes soon.
pub async fn refresh_terms(keeper: &Path, ledger: &Ledger, until: Duration) -> Vec<String> {
    let lock = File::open(keeper.join(TERM_LOCK));
    if !lock.as_ref().is_ok_and(|lock| lock.try_lock().is_ok()) {
        return Vec::new();
    }
    let held =
        ledger.records(|record| record.stage == HoldingStage::Held && matches!(record.holding, Holding::Address(_)));
    let mut problems = Vec::new();
    for record in held {
        let Holding::Address(address) = &record.holding else { continue };
        if let Err(error) = refresh(address, until).await {
            problems.push(format!("{}: {address}: {error}", record.rid));
        }
    }
    problems
}

async fn refresh(held: &holding::AddressHolding, until: Duration) -> Result<(), CapabilityError> {
    let Some(netlink) = netlink_of(held.netns.as_ref())? else { return Ok(()) };
    let Some(link) = netlink.link_at(held.index).await? else { return Ok(()) };
    let cidr = network_of(&held.cidr)?;
    // Set all the same: the address may still have the lifetime of an earlier deadline.
    if until == NO_DEADLINE {
        netlink.set_lifetime(&link, cidr, None).await?;
        return Ok(());
    }
    let Some(lifetime) = address_lifetime(until, clock::boot()) else { return Ok(()) };
    keep_others(&netlink, &link, cidr).await?;
    netlink.set_lifetime(&link, cidr, Some(lifetime)).await?;
    if clock::boot() > address_limit(until) {
        netlink.remove_address(&link, cidr).await?;
    }
    Ok(())
}

/// A removal under the lock: while it is held, no refresh makes the address again.
#[derive(Debug)]
pub(crate) struct TermLock {
    _file: Option<File>,
}

impl TermLock {
    /// Waits for a refresh. Without a keeper there is none.
    pub(crate) async fn take(context: &CallContext) -> TermLock {
        let Ok(file) = File::open(context.paths().instance.keeper.join(TERM_LOCK)) else {
            return TermLock { _file: None };
        };
        let limit = Instant::now() + PATIENCE;
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            if Instant::now() >= limit {
                break;
            }
            sleep(PAUSE).await;
        }
        TermLock { _file: Some(file) }
    }
}
