//! The ledgers of all instances, and what the capabilities write into the one of their resource.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use holding::{Holding, HoldingRecord, HoldingScope, HoldingStage, LedgerContent, LedgerEvent};

use super::file::LedgerFile;
use crate::CapabilityError;

/// Where the ledger of an instance is: one file for each scope. Drivers may write neither.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerPlaces {
    /// Void after a boot, so it need not reach the disk.
    pub boot: PathBuf,
    /// The second name of the same file, in a directory that holds nothing else.
    pub link: PathBuf,
    pub persistent: PathBuf,
    /// The directory of the boot scope of all instances: each has the file `KIND/NAME` or `namespaces/NAMESPACE/KIND/NAME`.
    pub all: PathBuf,
    /// The same of the scope that survives a boot.
    pub all_persistent: PathBuf,
}

/// The ledgers that this process has read so far. Parallel steps share one. A clone is the same set.
#[derive(Debug, Clone, Default)]
pub struct Ledgers(Arc<Mutex<BTreeMap<LedgerPlaces, Arc<Ledger>>>>);

impl Ledgers {
    /// The ledger at these places.
    pub fn at(&self, places: &LedgerPlaces) -> Arc<Ledger> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ledger) = known.get(places) {
            return Arc::clone(ledger);
        }
        let ledger = Arc::new(Ledger::open(places));
        known.insert(places.clone(), Arc::clone(&ledger));
        ledger
    }
}

/// The ledger of an instance.
#[derive(Debug)]
pub struct Ledger {
    boot: LedgerFile,
    persistent: LedgerFile,
}

/// Why it is not known what a resource holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct UnverifiedLedger {
    pub path: PathBuf,
    pub why: String,
}

impl Ledger {
    /// The ledger at these places. It is read when it is first asked.
    pub fn open(places: &LedgerPlaces) -> Ledger {
        Ledger {
            boot: LedgerFile::of_boot(&places.boot, &places.link),
            persistent: LedgerFile::persistent(&places.persistent),
        }
    }

    fn file(&self, scope: HoldingScope) -> &LedgerFile {
        match scope {
            HoldingScope::Boot => &self.boot,
            HoldingScope::Persistent => &self.persistent,
        }
    }

    fn files(&self) -> [&LedgerFile; 2] {
        [&self.persistent, &self.boot]
    }

    /// What resources hold, in the order in which it was made. Declared holdings are in the state of each resource instead.
    pub fn records(&self, wanted: impl Fn(&HoldingRecord) -> bool) -> Vec<HoldingRecord> {
        let wanted = |content: &LedgerContent| -> Vec<HoldingRecord> {
            content.records.iter().filter(|record| wanted(record)).cloned().collect()
        };
        self.files().into_iter().flat_map(|file| file.read(wanted)).collect()
    }

    /// What is wrong with the ledger, if anything: then resources may hold more than it says.
    pub fn unverified(&self) -> Option<UnverifiedLedger> {
        self.files().into_iter().find_map(|file| {
            let why = file.read(|content| content.damage.as_ref().map(ToString::to_string))?;
            Some(UnverifiedLedger { path: file.path().to_owned(), why })
        })
    }

    /// Takes holdings out that a look has found gone. An error does no harm: they are looked for again.
    pub fn forget(&self, gone: &[HoldingRecord]) {
        self.mark(gone, |number| LedgerEvent::Released { number });
    }

    /// Records that the host has found something left of these.
    pub fn left(&self, found: &[HoldingRecord]) {
        self.mark(found, |number| LedgerEvent::Left { number });
    }

    /// Records that calls have undone these. Only a look takes them out.
    pub(crate) fn undone(&self, records: &[HoldingRecord]) {
        // A file that is gone is not looked for.
        let (proven, rest): (Vec<_>, Vec<_>) =
            records.iter().cloned().partition(|record| record.holding.must_be_gone());
        self.mark(&proven, |number| LedgerEvent::Undone { number });
        self.forget(&rest);
    }

    /// The same, and programs may use them on.
    pub fn let_go(&self, records: &[HoldingRecord]) {
        self.mark(records, |number| LedgerEvent::LetGo { number });
    }

    /// Records what identifies a thing of this number that was only intended, and that a look has found.
    pub(crate) fn found(&self, number: u64, holding: impl Into<Holding>) {
        let holding = holding.into();
        let file = self.file(holding.scope());
        let _ = file.append(false, |_| vec![LedgerEvent::Held { number, holding }]);
    }

    fn mark(&self, records: &[HoldingRecord], event: impl Fn(u64) -> LedgerEvent) {
        for scope in HoldingScope::ALL {
            let own = records.iter().filter(|record| record.holding.scope() == scope);
            let events: Vec<LedgerEvent> = own.map(|record| event(record.number)).collect();
            if !events.is_empty() {
                // Not synced, and a failure is ignored: what is lost here is still held by the
                // ledger, and is looked for again.
                let _ = self.file(scope).append(false, |_| events);
            }
        }
    }

    /// Writes the ledger anew without what is not held any more. A damaged one is left as it is.
    pub fn compact(&self) -> std::io::Result<()> {
        self.files().into_iter().try_for_each(LedgerFile::compact)
    }

    /// Writes the ledger anew without these, and without what was damaged: the operator knows that nothing of it is held.
    pub fn give_up(&self, given_up: impl Fn(&HoldingRecord) -> bool) -> std::io::Result<()> {
        self.files().into_iter().try_for_each(|file| file.give_up(&given_up))
    }
}

/// The ledger as one resource writes it.
#[derive(Debug, Clone)]
pub(crate) struct ResourceLedger {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) rid: String,
}

impl ResourceLedger {
    /// Records what is about to be made. An error means that nothing may be made: it could not be found again.
    pub(crate) fn intend(&self, holding: impl Into<Holding>) -> Result<HoldingNote, CapabilityError> {
        let (holding, rid) = (holding.into(), self.rid.clone());
        let (scope, synced) = (holding.scope(), holding.must_be_gone());
        let file = self.ledger.file(scope);
        let mut number = 0;
        // Made under the lock of the file, so that no other process draws the same number.
        let event = |content: &LedgerContent| {
            number = content.next;
            vec![LedgerEvent::Intended { number, rid, holding }]
        };
        let written = file.append(synced, event);
        written.map_err(|error| CapabilityError::io(&format!("cannot write {}", file.path().display()), &error))?;
        Ok(HoldingNote { ledger: Arc::clone(&self.ledger), scope, number })
    }

    /// Records what is there already, as held.
    pub(crate) fn take_on(&self, holding: impl Into<Holding>) -> Result<(), CapabilityError> {
        let holding = holding.into();
        self.intend(holding.clone())?.held(holding);
        Ok(())
    }

    /// Records what is about to be made. What is held already keeps its number, and is what is made from then on.
    pub(crate) fn intend_again(&self, holding: impl Into<Holding>) -> Result<HoldingNote, CapabilityError> {
        let holding = holding.into();
        let known = self.records().into_iter().find(|record| is_live(record) && record.holding.is_same(&holding));
        match known {
            Some(HoldingRecord { number, .. }) => {
                Ok(HoldingNote { ledger: Arc::clone(&self.ledger), scope: holding.scope(), number })
            }
            None => self.intend(holding),
        }
    }

    /// Records what is about to be made, unless it is held already.
    pub(crate) fn intend_once(&self, holding: impl Into<Holding>) -> Result<Option<HoldingNote>, CapabilityError> {
        let holding = holding.into();
        let is_held = self.records().iter().any(|record| is_live(record) && record.holding.is_same(&holding));
        if is_held { Ok(None) } else { self.intend(holding).map(Some) }
    }

    /// What the resource holds, and what its calls have undone.
    pub(crate) fn records(&self) -> Vec<HoldingRecord> {
        self.ledger.records(|record| record.rid == self.rid)
    }

    /// Records that a call has undone these, whichever resource of the object made them.
    pub(crate) fn released(&self, which: impl Fn(&Holding) -> bool) {
        self.ledger.undone(&self.ledger.records(|record| !record.is_undone() && which(&record.holding)));
    }
}

/// Whether the thing is held, or perhaps is.
pub(crate) fn is_live(record: &HoldingRecord) -> bool {
    matches!(record.stage, HoldingStage::Intended | HoldingStage::Held)
}

/// A holding that was intended. Dropped, it stays so: a call that was cut short may have made it.
#[derive(Debug)]
#[must_use]
pub(crate) struct HoldingNote {
    ledger: Arc<Ledger>,
    scope: HoldingScope,
    number: u64,
}

impl HoldingNote {
    /// Records that it is there. If that cannot be written, it stays intended, and is looked for with what was known before.
    pub(crate) fn held(self, holding: impl Into<Holding>) {
        self.ledger.found(self.number, holding);
    }

    /// Records that it was not made.
    pub(crate) fn nothing(self) {
        let number = self.number;
        let _ = self.ledger.file(self.scope).append(false, |_| vec![LedgerEvent::Released { number }]);
    }
}

/// The places of the ledger of an instance, for tests and for those who have one directory for both scopes.
impl LedgerPlaces {
    pub fn below(directory: &Path) -> LedgerPlaces {
        LedgerPlaces {
            boot: directory.join("boot/svc/web"),
            link: directory.join("links/svc/web"),
            persistent: directory.join("holdings"),
            all: directory.join("boot"),
            all_persistent: directory.join("persistent"),
        }
    }
}
