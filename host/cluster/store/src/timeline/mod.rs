//! The state of an embedded store: every key with its history, and the changes by revision. Pure: no clock, no lock, no I/O.
//!
//! ```text
//!             compacted                          revision
//!   ──forgotten──│── lists and watches work ────────│
//!
//!   keys      each key's versions, the first at or before `compacted`; a tombstone where it was deleted
//!   changes   those of each revision after `compacted`, without a gap
//! ```
//!
//! A [`Draft`] computes what requests would change, and [`Timeline::extend`] makes that the state. Between the two, an engine
//! with a disk makes the changes durable.

mod compact;
mod draft;
mod load;
mod read;

pub use compact::{CompactedKeys, Retention};
pub use draft::Draft;
pub use load::{MisfitRow, TimelineLoader};

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::{KeyEntry, RevisionChange};

/// All that an embedded store knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    keys: BTreeMap<Bytes, Vec<KeyVersion>>,
    changes: VecDeque<RevisionChange>,
    /// The revision of the last change, 0 if there was none.
    revision: u64,
    /// The first revision that can be listed.
    compacted: u64,
    /// The memory that `changes` holds on to.
    weight: usize,
}

/// A key from one revision on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyVersion {
    revision: u64,
    /// None if the key was deleted.
    entry: Option<KeyEntry>,
}

impl Timeline {
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The bytes of the history that compaction can free, roughly.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Appends changes that follow the current revision.
    pub fn extend(&mut self, changes: impl IntoIterator<Item = RevisionChange>) {
        for change in changes {
            // `next_change` finds a revision by its distance from the first one.
            debug_assert_eq!(change.revision, self.revision + 1, "revisions have no gap");
            self.revision = change.revision;
            for event in change.events.iter() {
                let version = KeyVersion { revision: change.revision, entry: event.entry().cloned() };
                self.keys.entry(event.key().clone()).or_default().push(version);
                self.weight += event.weight();
            }
            self.changes.push_back(change);
        }
    }
}
