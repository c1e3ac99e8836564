//! The records of what resources hold, of one object and of the whole node.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use capability::holdings::{HoldingPresence, Ledger, NodeRecord, UnverifiedLedger, declared_of, look, records_of_node};
use capability::{AuditRecord, AuditSink, AuditVerdict, FileAudit};
use exec::blocking;
use holding::{Holding, HoldingRecord, HoldingStage};
use model::{ObjectPath, Rid};
use protocol::{HoldingDocument, HoldingList, UnverifiedRecord};

use crate::home::layout;
use crate::state::InstanceState;
use crate::{Agent, Directories, ObjectFiles};

/// What the record of one object says.
struct ObjectRecords {
    object: ObjectPath,
    records: Vec<HoldingRecord>,
    unverified: Option<UnverifiedLedger>,
    /// The resources of its configuration. None if that cannot be read.
    rids: Option<BTreeSet<String>>,
}

impl Agent {
    /// What the resources of these objects hold, or all resources of the node, by a look at each thing.
    pub async fn holdings(&self, objects: Option<&[ObjectPath]>) -> HoldingList {
        let (agent, objects) = (self.clone(), objects.map(<[ObjectPath]>::to_vec));
        let records = blocking(move || {
            let objects = objects.unwrap_or_else(|| agent.holders());
            objects.into_iter().map(|object| agent.records_of(object)).collect::<Vec<_>>()
        });
        let mut list = HoldingList::default();
        for ObjectRecords { object, records, unverified, rids } in records.await {
            let seen = look(&object.to_string(), &records, || every_record(self.home())).await;
            list.holdings.extend(records.iter().zip(&seen).map(|(record, seen)| {
                let orphan = rids.as_ref().is_some_and(|rids| !rids.contains(&record.rid));
                document(&object, record, seen, orphan)
            }));
            list.unverified.extend(unverified.map(|UnverifiedLedger { path, why }| UnverifiedRecord {
                object,
                file: path.display().to_string(),
                reason: why,
            }));
        }
        list
    }

    /// The things of an object that are there and must be gone before it is down, with the ids of their resources.
    pub(crate) async fn held_by(&self, object: &ObjectPath) -> Vec<HoldingDocument> {
        let list = self.holdings(Some(std::slice::from_ref(object))).await;
        list.holdings.into_iter().filter(|held| held.state != GONE && held.kind != "file").collect()
    }

    /// Why more may be held than the record of an object says, if that is so.
    pub(crate) async fn unverified(&self, object: &ObjectPath) -> Option<String> {
        let places = self.home().holdings(object);
        blocking(move || Ledger::open(&places).unverified()).await.as_ref().map(not_known)
    }

    /// Whether an object holds something by its record, or may, without a look at it. Blocks.
    pub(crate) fn may_hold(&self, object: &ObjectPath) -> bool {
        let is_live = |record: &HoldingRecord| !record.is_undone() && record.holding.must_be_gone();
        let ledger = Ledger::open(&self.home().holdings(object));
        !ledger.records(is_live).is_empty() || ledger.unverified().is_some()
    }

    /// What is there of an object and must be gone before its slot is another node's, in words.
    pub async fn held(&self, object: &ObjectPath) -> Vec<String> {
        let held = self.held_by(object).await.into_iter().map(|held| format!("{} ({})", held.label, held.rid));
        held.chain(self.unverified(object).await).collect()
    }

    /// The objects that may hold something.
    fn holders(&self) -> Vec<ObjectPath> {
        let mut found = objects(self.home());
        // An object without a ledger may hold something too: what drivers declared stands in the state of its instance.
        found.extend(ObjectFiles::of(self.home()).list().unwrap_or_default());
        found.sort();
        found.dedup();
        found
    }

    fn records_of(&self, object: ObjectPath) -> ObjectRecords {
        let ledger = Ledger::open(&self.home().holdings(&object));
        let mut records = ledger.records(|record| !record.is_undone());
        records.extend(declared(&InstanceState::of(self.home(), &object), |_| true));
        let exists = ObjectFiles::of(self.home()).exists(&object);
        // A configuration is read only where there is a record to judge by it. All that a deleted object
        // holds is an orphan. If the configuration cannot be read, nothing is called one: the operator
        // might take away what is in use.
        let rids = match (records.is_empty(), exists) {
            (true, _) | (_, false) => Some(BTreeSet::new()),
            (false, true) => self.configuration(&object).ok().and_then(|read| {
                let object = read.object().ok()?;
                Some(object.resources.iter().map(|resource| resource.rid.to_string()).collect())
            }),
        };
        ObjectRecords { object, unverified: ledger.unverified(), records, rids }
    }
}

/// That more may be held than a record says, in words.
pub(crate) fn not_known(unverified: &UnverifiedLedger) -> String {
    format!("what is not known, because of {unverified}")
}

const GONE: &str = "gone";

fn document(object: &ObjectPath, record: &HoldingRecord, seen: &HoldingPresence, orphan: bool) -> HoldingDocument {
    let state = match (&record.holding, seen) {
        (Holding::Declared(declared), _) if declared.device().is_none() => "declared",
        (_, HoldingPresence::Gone) if record.is_left_unseen() => "left",
        (_, HoldingPresence::Left(_) | HoldingPresence::Shared(_)) => "left",
        (_, HoldingPresence::Present(_)) => "present",
        (_, HoldingPresence::Gone) => GONE,
        (_, HoldingPresence::Unknown(_)) => "unknown",
    };
    let known = record.holding.attributes().into_iter().map(|(name, value)| (name.to_owned(), value));
    HoldingDocument {
        object: object.clone(),
        rid: record.rid.clone(),
        kind: record.holding.kind().to_owned(),
        label: record.holding.to_string(),
        state: state.to_owned(),
        orphan,
        attributes: known.chain(seen.attributes()).collect(),
    }
}

/// What all resources of the node hold in the kernel's memory.
pub(crate) fn every_record(home: &Directories) -> Vec<NodeRecord> {
    records_of_node(&home.run.join("holdings"))
}

/// The objects that hold something, or held it. Not all of them need exist any more.
pub(crate) fn objects(home: &Directories) -> Vec<ObjectPath> {
    let mut found = Vec::new();
    for top in [home.run.join("holdings"), home.var.join("holdings")] {
        collect(&top, &top, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn collect(top: &Path, directory: &Path, found: &mut Vec<ObjectPath>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => collect(top, &path, found),
            false => found.extend(path.strip_prefix(top).ok().and_then(layout::object_of_directory)),
        }
    }
}

/// What the drivers of an instance declared to hold.
pub(crate) fn declared(state: &InstanceState, wanted: impl Fn(&str) -> bool) -> Vec<HoldingRecord> {
    let names = state.with_record();
    let of = |rid: String| {
        let parsed: Option<Rid> = rid.parse().ok();
        let declared = parsed.map(|parsed| declared_of(&state.record(&parsed), &rid)).unwrap_or_default();
        declared.into_iter().map(move |declared| HoldingRecord {
            rid: rid.clone(),
            number: 0,
            stage: HoldingStage::Held,
            holding: Holding::Declared(declared),
        })
    };
    names.into_iter().filter(|rid| wanted(rid)).flat_map(of).collect()
}

/// Audits that an operator gave up what a resource still holds.
pub(crate) fn audit_given_up(home: &Directories, object: &ObjectPath, rid: &str, sid: &str, things: &[String]) {
    FileAudit::new(home.audit()).record(&AuditRecord {
        object: object.to_string(),
        rid: rid.to_owned(),
        driver: String::new(),
        digest: String::new(),
        sid: sid.to_owned(),
        action: "stop",
        call: format!("holdings = give up {}", things.join(", ")),
        judged: None,
        details: Vec::new(),
        verdict: AuditVerdict::Done("--force --i-know".to_owned()),
        duration: Duration::ZERO,
    });
}

/// Audits that an object was deleted and what it still holds is left behind.
pub(crate) fn audit_left(home: &Directories, object: &ObjectPath, things: &[String]) {
    FileAudit::new(home.audit()).record(&AuditRecord {
        object: object.to_string(),
        rid: String::new(),
        driver: String::new(),
        digest: String::new(),
        sid: String::new(),
        action: "delete",
        call: format!("holdings = leave behind {}", things.join(", ")),
        judged: None,
        details: Vec::new(),
        verdict: AuditVerdict::Done("--force --i-know".to_owned()),
        duration: Duration::ZERO,
    });
}
