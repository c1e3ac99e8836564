//! What requests would change, computed on top of a timeline without touching it. Several requests make one draft, so that an
//! engine writes them to its disk at once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Timeline;
use crate::{ComparedKey, KeyEntry, KeyEvent, KeyRange, RevisionChange, TxnOperation, TxnOutcome, TxnRequest};

/// Changes that nobody has seen yet.
#[derive(Debug)]
pub struct Draft<'a> {
    timeline: &'a Timeline,
    /// The keys that the draft changes, as they would be.
    changed: BTreeMap<Bytes, Option<KeyEntry>>,
    changes: Vec<RevisionChange>,
}

impl<'a> Draft<'a> {
    pub fn new(timeline: &'a Timeline) -> Self {
        Self { timeline, changed: BTreeMap::new(), changes: Vec::new() }
    }

    /// The changes, in the order of their revisions.
    pub fn into_changes(self) -> Vec<RevisionChange> {
        self.changes
    }

    /// Applies a request that has passed [`TxnRequest::check`] on top of the earlier ones.
    pub fn apply(&mut self, request: &TxnRequest) -> TxnOutcome {
        // On top of the earlier requests of the draft, though they are not durable yet: if their commit fails,
        // this answer is not given.
        let holds = request.compares.iter().all(|compare| compare.holds(self.latest(compare.key())));
        if !holds {
            return self.refuse(request);
        }
        let revision = self.revision() + 1;
        // By key: two deletions of one transaction may meet in a key, which is one event.
        let mut events = BTreeMap::new();
        for operation in &request.operations {
            self.collect(operation, revision, &mut events);
        }
        // As etcd does: a transaction that changes nothing takes no revision.
        if events.is_empty() {
            return TxnOutcome::Applied { revision: self.revision() };
        }
        for event in events.values() {
            self.changed.insert(event.key().clone(), event.entry().cloned());
        }
        let events = events.into_values().collect::<Vec<_>>().into();
        self.changes.push(RevisionChange { revision, events });
        TxnOutcome::Applied { revision }
    }

    fn refuse(&self, request: &TxnRequest) -> TxnOutcome {
        let read = |key: &Bytes| ComparedKey { key: key.clone(), entry: self.latest(key).cloned() };
        let compared = request.compares.iter().map(|compare| read(compare.key())).collect();
        TxnOutcome::Refused { revision: self.revision(), compared }
    }

    /// The events of one operation. No two operations concern the same key, unless both delete it.
    fn collect(&self, operation: &TxnOperation, revision: u64, events: &mut BTreeMap<Bytes, KeyEvent>) {
        match operation {
            TxnOperation::Put { key, value } => {
                let earlier = self.latest(key);
                let entry = KeyEntry {
                    key: key.clone(),
                    value: value.clone(),
                    create_revision: earlier.map_or(revision, |entry| entry.create_revision),
                    mod_revision: revision,
                    version: earlier.map_or(1, |entry| entry.version + 1),
                };
                events.insert(key.clone(), KeyEvent::Put(entry));
            }
            TxnOperation::Delete { range } => {
                for key in self.latest_in(range) {
                    events.insert(key.clone(), KeyEvent::Delete { key });
                }
            }
        }
    }

    fn revision(&self) -> u64 {
        self.changes.last().map_or(self.timeline.revision(), |change| change.revision)
    }

    fn latest(&self, key: &[u8]) -> Option<&KeyEntry> {
        match self.changed.get(key) {
            Some(entry) => entry.as_ref(),
            None => self.timeline.latest(key),
        }
    }

    /// The keys of a range that exist.
    fn latest_in(&self, range: &KeyRange) -> BTreeSet<Bytes> {
        let before = self.timeline.latest_in(range).map(|entry| &entry.key);
        let mut keys: BTreeSet<Bytes> = before.filter(|key| !self.changed.contains_key(*key)).cloned().collect();
        let changed = self.changed.range::<[u8], _>(range.bounds());
        keys.extend(changed.filter(|(_, entry)| entry.is_some()).map(|(key, _)| key.clone()));
        keys
    }
}
