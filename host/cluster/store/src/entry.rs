//! What a store holds and tells: entries, lists of them, and the changes of one revision.

use std::sync::Arc;

use bytes::Bytes;

use crate::KeyRange;

/// A key that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    pub key: Bytes,
    pub value: Bytes,
    /// The revision that created the key.
    pub create_revision: u64,
    /// The revision that last changed it.
    pub mod_revision: u64,
    /// How often the key was put since its creation, from 1.
    pub version: u64,
}

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQuery {
    pub range: KeyRange,
    /// The revision to list at; the current one without.
    pub at: Option<u64>,
    /// The largest number of entries to answer with.
    pub limit: Option<usize>,
}

impl KeyQuery {
    /// All entries of a range, as they are now.
    pub fn current(range: KeyRange) -> Self {
        Self { range, at: None, limit: None }
    }

    /// All entries of a range, as they were at a revision.
    pub fn at(range: KeyRange, revision: u64) -> Self {
        Self { range, at: Some(revision), limit: None }
    }
}

/// The entries of a range, in order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyListing {
    /// The revision of which this is the state. A watch from the next one misses nothing.
    pub revision: u64,
    pub entries: Vec<KeyEntry>,
    /// Whether the limit kept entries out.
    pub more: bool,
}

/// One key at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReading {
    pub revision: u64,
    pub entry: Option<KeyEntry>,
}

impl KeyReading {
    /// What a compare on the key's revision expects as long as the key stays as it was read.
    pub fn mod_revision(&self) -> u64 {
        self.entry.as_ref().map_or(0, |entry| entry.mod_revision)
    }
}

/// What happened to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyEvent {
    Put(KeyEntry),
    Delete { key: Bytes },
}

impl KeyEvent {
    pub fn key(&self) -> &Bytes {
        match self {
            KeyEvent::Put(entry) => &entry.key,
            KeyEvent::Delete { key } => key,
        }
    }

    /// What the event leaves behind.
    pub fn entry(&self) -> Option<&KeyEntry> {
        match self {
            KeyEvent::Put(entry) => Some(entry),
            KeyEvent::Delete { .. } => None,
        }
    }

    /// The memory that the event holds on to, roughly.
    pub(crate) fn weight(&self) -> usize {
        64 + self.key().len() + self.entry().map_or(0, |entry| entry.value.len())
    }
}

/// All that one transaction changed, or the part of it in a watched range. Each key is there once; their order means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionChange {
    pub revision: u64,
    pub events: Arc<[KeyEvent]>,
}
