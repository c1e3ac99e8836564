//! Whose a thing is that this resource did not make: the ledgers of all instances are asked.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use holding::{Holding, HoldingRecord, replay};

use crate::CallContext;

/// A resource of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingOwner {
    /// The object, as an operator writes it.
    pub object: String,
    pub rid: String,
}

/// One holding of the node, and the object that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// The object, as an operator writes it.
    pub object: String,
    pub record: HoldingRecord,
}

impl NodeRecord {
    /// Whose it is.
    pub fn owner(&self) -> HoldingOwner {
        HoldingOwner { object: self.object.clone(), rid: self.record.rid.clone() }
    }
}

impl fmt::Display for HoldingOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.rid, self.object)
    }
}

/// The resource that holds this thing of the boot scope, if it is another one than that of the call.
pub(crate) fn other_owner(context: &CallContext, thing: &Holding) -> Option<HoldingOwner> {
    let (places, rid) = (&context.paths().instance.holdings, context.subject().rid.to_string());
    ledgers_below(&places.all).into_iter().find_map(|path| {
        let is_own = |record: &HoldingRecord| path == places.boot && record.rid == rid;
        let held = records_of_boot(&path)
            .into_iter()
            .find(|record| !record.is_undone() && record.holding.is_same(thing) && !is_own(record))?;
        Some(HoldingOwner { object: object_of(path.strip_prefix(&places.all).ok()?), rid: held.rid })
    })
}

/// What all resources of the node hold in the kernel's memory. `all` is the directory of [`LedgerPlaces`](super::LedgerPlaces).
pub fn records_of_node(all: &Path) -> Vec<NodeRecord> {
    let of = |path: PathBuf| {
        let object = path.strip_prefix(all).map(object_of).unwrap_or_default();
        let records = records_of_boot(&path).into_iter();
        records.map(move |record| NodeRecord { object: object.clone(), record })
    };
    ledgers_below(all).into_iter().flat_map(of).collect()
}

/// What a ledger of the boot scope says. After a boot, nothing of it is held.
fn records_of_boot(path: &Path) -> Vec<HoldingRecord> {
    let content = fs::read(path).map(|bytes| replay(&bytes)).unwrap_or_default();
    // Nothing empties the directory where an agent has a root of its own.
    let is_void = content.boot.is_some() && content.boot != kernel::clock::boot_id();
    if is_void { Vec::new() } else { content.records }
}

/// The resource of another object that holds the container of this id, on any engine: an engine can say any id, and the kernel's
/// groups are named after them.
pub(crate) fn other_holder_of_container(context: &CallContext, id: &str) -> Option<HoldingOwner> {
    let places = &context.paths().instance.holdings;
    let is_it = |record: &HoldingRecord| {
        let Holding::Container(held) = &record.holding else { return false };
        !record.is_undone() && held.id.as_deref() == Some(id)
    };
    // Its scope is the one that survives a boot.
    ledgers_below(&places.all_persistent).into_iter().filter(|path| *path != places.persistent).find_map(|path| {
        let held = replay(&fs::read(&path).ok()?).records.into_iter().find(is_it)?;
        Some(HoldingOwner { object: object_of(path.strip_prefix(&places.all_persistent).ok()?), rid: held.rid })
    })
}

/// The files, in the directory and below.
fn ledgers_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let found = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => ledgers_below(&entry.path()),
        _ => vec![entry.path()],
    });
    found.flatten().collect()
}

/// The object of a ledger: `svc/web` is `web`, and `namespaces/ns1/svc/web` is `ns1/svc/web`.
fn object_of(ledger: &Path) -> String {
    let text = ledger.to_string_lossy();
    let text = text.strip_prefix("namespaces/").unwrap_or(&text);
    text.strip_prefix("svc/").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use holding::{FileHolding, LedgerEvent, LedgerHeader, VERSION, encode_event, encode_header};

    use super::*;

    #[test]
    fn a_ledger_of_an_earlier_boot_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let header = |boot| LedgerHeader { ledger: VERSION, boot, next: 1, ..LedgerHeader::default() };
        let holding = FileHolding { path: "/srv/a".to_owned() }.into();
        let event = LedgerEvent::Intended { number: 1, rid: "fs#1".to_owned(), holding };
        fs::create_dir(directory.path().join("svc")).unwrap();
        for (boot, expected) in [(kernel::clock::boot_id(), 1), (Some("another boot".to_owned()), 0)] {
            let text = encode_header(&header(boot)) + &encode_event(&event);
            fs::write(directory.path().join("svc/web"), text).unwrap();
            assert_eq!(records_of_node(directory.path()).len(), expected);
        }
    }

    #[test]
    fn an_object_is_called_as_an_operator_calls_it() {
        for (ledger, expected) in
            [("svc/web", "web"), ("vol/data", "vol/data"), ("namespaces/ns1/svc/web", "ns1/svc/web")]
        {
            assert_eq!(object_of(Path::new(ledger)), expected);
        }
    }
}
