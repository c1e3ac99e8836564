//! A store that keeps a copy of everything for each revision: slow, and too simple to be wrong.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{ComparedKey, KeyEntry, KeyEvent, RevisionChange, TxnOperation, TxnOutcome, TxnRequest};

/// The state at each revision since the first.
#[derive(Debug, Clone)]
pub struct StoreModel {
    first: u64,
    states: Vec<BTreeMap<Bytes, KeyEntry>>,
}

impl StoreModel {
    /// An empty store at a revision.
    pub fn new(first: u64) -> Self {
        Self { first, states: vec![BTreeMap::new()] }
    }

    pub fn first(&self) -> u64 {
        self.first
    }

    pub fn revision(&self) -> u64 {
        self.first + self.states.len() as u64 - 1
    }

    /// All entries at a revision.
    pub fn entries(&self, revision: u64) -> Vec<KeyEntry> {
        self.state(revision).values().cloned().collect()
    }

    pub fn latest(&self, key: &[u8]) -> Option<&KeyEntry> {
        self.state(self.revision()).get(key)
    }

    pub fn apply(&mut self, request: &TxnRequest) -> TxnOutcome {
        let revision = self.revision();
        if !request.compares.iter().all(|compare| compare.holds(self.latest(compare.key()))) {
            let compared = request.compares.iter().map(|compare| {
                let key = compare.key().clone();
                ComparedKey { entry: self.latest(&key).cloned(), key }
            });
            return TxnOutcome::Refused { revision, compared: compared.collect() };
        }
        let state = self.after(request);
        if state == *self.state(revision) {
            return TxnOutcome::Applied { revision };
        }
        self.states.push(state);
        TxnOutcome::Applied { revision: revision + 1 }
    }

    /// What changed at a revision: the difference to the state before.
    pub fn change(&self, revision: u64) -> RevisionChange {
        let (before, after) = (self.state(revision - 1), self.state(revision));
        let gone = before.keys().filter(|key| !after.contains_key(*key)).cloned().map(|key| KeyEvent::Delete { key });
        let put = after.values().filter(|entry| entry.mod_revision == revision).cloned().map(KeyEvent::Put);
        let mut events: Vec<KeyEvent> = gone.chain(put).collect();
        events.sort_by(|a, b| a.key().cmp(b.key()));
        RevisionChange { revision, events: events.into() }
    }

    fn state(&self, revision: u64) -> &BTreeMap<Bytes, KeyEntry> {
        &self.states[usize::try_from(revision - self.first).unwrap()]
    }

    fn after(&self, request: &TxnRequest) -> BTreeMap<Bytes, KeyEntry> {
        let before = self.state(self.revision());
        let mut state = before.clone();
        for operation in &request.operations {
            match operation {
                TxnOperation::Delete { range } => state.retain(|key, _| !range.contains(key)),
                TxnOperation::Put { key, value } => {
                    let mod_revision = self.revision() + 1;
                    let earlier = before.get(key);
                    let create_revision = earlier.map_or(mod_revision, |entry| entry.create_revision);
                    let version = earlier.map_or(0, |entry| entry.version) + 1;
                    let (key, value) = (key.clone(), value.clone());
                    let entry = KeyEntry { key: key.clone(), value, create_revision, mod_revision, version };
                    state.insert(key, entry);
                }
            }
        }
        state
    }
}
