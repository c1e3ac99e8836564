//! `wit/holdings.wit`: what calls of a resource's driver made on this node, and nothing has undone yet.
//!
//! ```text
//!  mount, block, net, netns, process, files ──note──▶ Ledger: a line before the call of the kernel, and one after it
//!                                                       │
//!                    list, release, adopt ◀── records ──┘
//!                      │
//!                      └──▶ look: is the very thing still there?
//! ```
//!
//! Drivers do nothing for it: every capability that makes something lasting writes the ledger around its call of the kernel. What a
//! driver declares itself is in the resource's state, so that it is on disk in the same write as the memory of it.

mod adopt;
mod device;
mod file;
mod ledger;
mod look;
mod mount_scan;
mod mount_sight;
mod network;
mod others;
mod proof;
mod release;
mod unmount;

pub use adopt::adopt;
pub use device::identity_of;
pub(crate) use ledger::{HoldingNote, ResourceLedger};
pub use ledger::{Ledger, LedgerPlaces, Ledgers, UnverifiedLedger};
pub(crate) use look::processes;
pub use look::{HoldingPresence, look};
pub(crate) use mount_sight::{made_identity, sees, signature_of};
pub(crate) use network::netlink_of;
pub use others::{HoldingOwner, NodeRecord, records_of_node};
pub(crate) use others::{other_holder_of_container, other_owner};
pub use proof::{HoldingProof, ProofVerdict, prove};
pub use release::{ReleaseOptions, end_processes, release};

use grant::GrantKeyword;
use grant::op::SeeHoldings;
use holding::{AddressHolding, DeviceIdentity, Holding, HoldingRecord, HoldingScope, HoldingStage, RouteHolding};

use model::Rid;

use crate::call::GrantTemplates;
use crate::state::{self, DeclaredEntry, KeywordThen, StateFiles};
use crate::{CallContext, CapabilityError, Effect, RecordPlace};

/// A holding of the resource, as `holding` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingEntry {
    pub kind: String,
    pub id: String,
    pub label: String,
    pub attributes: Vec<(String, String)>,
    /// Whether it is there by a cheap look. True if that could not be found out.
    pub present: bool,
}

/// Lists what the resource holds, in the order in which it was made.
pub async fn list(context: &CallContext) -> Result<Vec<HoldingEntry>, CapabilityError> {
    let (ledger, state) = (context.ledger(), StateFiles::of(context));
    let (all, object) = (context.paths().instance.holdings.all.clone(), context.subject().object.to_string());
    // Also of a resource that is stuck: no call of the look can be.
    let listed = context.admit_beside(SeeHoldings)?.waiting(|_| async move {
        let mut records = ledger.records();
        records.retain(|record| !record.is_undone());
        let declared = state.declared()?;
        learn_earlier_grants(context, &declared);
        records.extend(declared.into_iter().map(|declared| declared_record(&ledger.rid, declared.holding)));
        let seen = look(&object, &records, || records_of_node(&all)).await;
        Ok(Effect::Nothing(records.iter().zip(&seen).map(|(record, seen)| entry(record, seen)).collect::<Vec<_>>()))
    });
    let listed = listed.await?;
    for entry in listed.iter().filter(|entry| entry.present && entry.kind == "loop") {
        // Ownership is kept in memory, so that it is learned again by each process that looks.
        entry.attributes.iter().filter(|(name, _)| name == "device").for_each(|(_, path)| context.give_device(path));
    }
    Ok(listed)
}

/// Lets the call do also what the grants allowed when a thing was declared, if the keywords were others then.
fn learn_earlier_grants(context: &CallContext, declared: &[DeclaredEntry]) {
    let Some(GrantTemplates { requests, context: around, .. }) = context.templates() else { return };
    let has_changed = |entry: &&DeclaredEntry| !entry.keywords.iter().all(|then| then.is_as(context.keywords()));
    for DeclaredEntry { keywords, .. } in declared.iter().filter(has_changed) {
        let sources: Vec<_> = keywords.iter().map(KeywordThen::provenance).collect();
        let bound: Vec<GrantKeyword<'_>> = keywords
            .iter()
            .zip(&sources)
            .map(|(then, provenance)| GrantKeyword { name: &then.name, values: &then.values, provenance })
            .collect();
        let gave = |_: &Rid, device: &str| context.services().owners.gave_any(&context.subject().object, device);
        context.grants().learn_earlier(requests, around, &bound, &gave);
    }
}

/// Declares a holding that only the driver knows, and sets values of the state in the same write.
pub async fn declare(
    context: &CallContext,
    scope: &str,
    (kind, id, label): (&str, &str, &str),
    memory: Vec<(String, String)>,
) -> Result<(), CapabilityError> {
    if Holding::KINDS.contains(&kind) {
        return Err(CapabilityError::Invalid(format!("{kind:?} is a kind of the host's own: it records those itself")));
    }
    if kind.is_empty() || id.is_empty() {
        return Err(CapabilityError::Invalid("a holding is declared with a kind and an id".to_owned()));
    }
    if kind == DeviceIdentity::KIND && DeviceIdentity::parse(id).is_none() {
        let expected = "expected dm: or md: and its UUID, as block.identity-of says it";
        return Err(CapabilityError::Invalid(format!("{id:?} is not the id of a device: {expected}")));
    }
    state::declare(context, scope, [kind, id, label].map(str::to_owned), memory).await
}

/// Takes a declared holding back: it is gone. False if it was not declared.
pub async fn withdraw(context: &CallContext, kind: &str, id: &str) -> Result<bool, CapabilityError> {
    state::withdraw(context, kind.to_owned(), id.to_owned()).await
}

/// What the driver of a resource declared to hold, by the host's record of it. Nothing if that cannot be read: then a call of its
/// driver fails and says so.
pub fn declared_of(record: &RecordPlace, rid: &str) -> Vec<holding::DeclaredHolding> {
    let declared = StateFiles::at(record, rid).declared().unwrap_or_default();
    declared.into_iter().map(|declared| declared.holding).collect()
}

/// Takes back what the driver of a resource declared to hold, as far as it is gone.
pub fn forget_declared(
    record: &RecordPlace,
    rid: &str,
    is_gone: impl Fn(&holding::DeclaredHolding) -> bool,
) -> Result<(), CapabilityError> {
    StateFiles::at(record, rid).forget_declared(is_gone)
}

/// A declared holding as a record.
pub(crate) fn declared_record(rid: &str, declared: holding::DeclaredHolding) -> HoldingRecord {
    HoldingRecord { rid: rid.to_owned(), number: 0, stage: HoldingStage::Held, holding: Holding::Declared(declared) }
}

pub(crate) fn entry(record: &HoldingRecord, seen: &HoldingPresence) -> HoldingEntry {
    let HoldingRecord { holding, .. } = record;
    let mut attributes: Vec<(String, String)> =
        holding.attributes().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    attributes.extend(seen.attributes());
    let is_left = matches!(seen, HoldingPresence::Gone) && record.is_left_unseen();
    attributes.extend(is_left.then(|| ("left".to_owned(), "true".to_owned())));
    HoldingEntry {
        kind: holding.kind().to_owned(),
        id: record.id(),
        label: label_now(holding, &attributes),
        attributes,
        present: !matches!(seen, HoldingPresence::Gone | HoldingPresence::Shared(_)) || is_left,
    }
}

/// The words for a holding, with the name that its link has now.
fn label_now(holding: &Holding, attributes: &[(String, String)]) -> String {
    let Some((_, dev)) = attributes.iter().find(|(name, _)| name == network::DEV_NOW) else {
        return holding.to_string();
    };
    match holding.clone() {
        Holding::Address(address) => Holding::Address(AddressHolding { dev: dev.clone(), ..address }).to_string(),
        Holding::Route(route) => Holding::Route(RouteHolding { dev: Some(dev.clone()), ..route }).to_string(),
        other => other.to_string(),
    }
}

/// The scope of a word of the contract.
pub(crate) fn scope_of(word: &str) -> Result<HoldingScope, CapabilityError> {
    HoldingScope::ALL.into_iter().find(|scope| scope.as_str() == word).ok_or_else(|| {
        CapabilityError::Invalid(format!("{word:?} is not a scope of state: expected boot or persistent"))
    })
}
