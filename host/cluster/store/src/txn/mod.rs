//! A transaction: compares, the operations if they hold, and what comes back.

mod check;

pub use check::{MAX_OPERATIONS, MAX_REQUEST_BYTES};

use bytes::Bytes;

use crate::{KeyEntry, KeyRange};

/// What to do, and on which condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TxnRequest {
    /// All of them must hold. Without one, the operations are applied.
    pub compares: Vec<TxnCompare>,
    pub operations: Vec<TxnOperation>,
}

impl TxnRequest {
    pub fn new() -> Self {
        Self::default()
    }

    /// The key must be as it was at this revision, 0 for a key that did not exist.
    #[must_use]
    pub fn if_unchanged(mut self, key: impl Into<Bytes>, mod_revision: u64) -> Self {
        self.compares.push(TxnCompare::Unchanged { key: key.into(), mod_revision });
        self
    }

    /// The key must have been changed, created or deleted since this revision.
    #[must_use]
    pub fn if_changed(mut self, key: impl Into<Bytes>, mod_revision: u64) -> Self {
        self.compares.push(TxnCompare::Changed { key: key.into(), mod_revision });
        self
    }

    /// The key must exist and have this value.
    #[must_use]
    pub fn if_value(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.compares.push(TxnCompare::Value { key: key.into(), value: value.into() });
        self
    }

    #[must_use]
    pub fn put(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.operations.push(TxnOperation::Put { key: key.into(), value: value.into() });
        self
    }

    #[must_use]
    pub fn delete(self, key: impl Into<Bytes>) -> Self {
        self.delete_range(KeyRange::key(key))
    }

    #[must_use]
    pub fn delete_range(mut self, range: KeyRange) -> Self {
        self.operations.push(TxnOperation::Delete { range });
        self
    }
}

/// A condition on one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxnCompare {
    /// The revision of the key's last change is this one, or the key does not exist and this is 0.
    Unchanged { key: Bytes, mod_revision: u64 },
    /// It is another one.
    Changed { key: Bytes, mod_revision: u64 },
    /// The key exists and has this value.
    Value { key: Bytes, value: Bytes },
}

impl TxnCompare {
    pub fn key(&self) -> &Bytes {
        match self {
            TxnCompare::Unchanged { key, .. } | TxnCompare::Changed { key, .. } | TxnCompare::Value { key, .. } => key,
        }
    }

    /// Whether it holds for what the key is.
    pub fn holds(&self, entry: Option<&KeyEntry>) -> bool {
        let found = entry.map_or(0, |entry| entry.mod_revision);
        match self {
            TxnCompare::Unchanged { mod_revision, .. } => found == *mod_revision,
            TxnCompare::Changed { mod_revision, .. } => found != *mod_revision,
            // As in etcd, where a compare of the value of an absent key fails, with "not equal" as well.
            TxnCompare::Value { value, .. } => entry.is_some_and(|entry| entry.value == *value),
        }
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxnOperation {
    Put {
        key: Bytes,
        value: Bytes,
    },
    /// Deletes the keys of the range that exist.
    Delete {
        range: KeyRange,
    },
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxnOutcome {
    /// The compares held. What was put has this revision; if nothing was changed, it is the current one.
    Applied { revision: u64 },
    /// A compare failed, and nothing was changed. `compared` has what each compare found, in their order.
    Refused { revision: u64, compared: Vec<ComparedKey> },
}

impl TxnOutcome {
    /// The revision of the store just after the transaction.
    pub fn revision(&self) -> u64 {
        match self {
            TxnOutcome::Applied { revision } | TxnOutcome::Refused { revision, .. } => *revision,
        }
    }
}

/// What a compare of a refused transaction found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedKey {
    pub key: Bytes,
    pub entry: Option<KeyEntry>,
}

impl ComparedKey {
    /// The revision of the key's last change, 0 if it does not exist.
    pub fn mod_revision(&self) -> u64 {
        self.entry.as_ref().map_or(0, |entry| entry.mod_revision)
    }
}
