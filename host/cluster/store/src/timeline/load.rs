//! A timeline from the rows that an engine kept on its disk, each checked against those before it.

use std::collections::btree_map::Entry;

use thiserror::Error;

use super::{KeyVersion, Timeline};
use crate::{KeyEntry, KeyEvent, RevisionChange};

/// Builds a timeline from rows in the order of revision and key.
#[derive(Debug)]
pub struct TimelineLoader {
    timeline: Timeline,
    /// The events of the revision that is being read.
    open: Vec<KeyEvent>,
    open_revision: u64,
}

/// A row that no store could have written after those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MisfitRow {
    #[error("revision {found} follows revision {before}")]
    Gap { before: u64, found: u64 },
    #[error("a deletion at revision {revision}, which was compacted")]
    CompactedDeletion { revision: u64 },
    #[error("two entries of one key, at revisions {first} and {second}, which were compacted")]
    CompactedTwice { first: u64, second: u64 },
    #[error("an entry at revision {revision} has the creation {create_revision}, version {version}")]
    Numbering { revision: u64, create_revision: u64, version: u64 },
    #[error("a deletion at revision {revision} of a key that did not exist")]
    AbsentDeletion { revision: u64 },
    #[error("the last revision is {found}, expected {expected}")]
    Short { found: u64, expected: u64 },
}

impl TimelineLoader {
    /// For a store that was compacted at this revision, 0 if it was not.
    pub fn new(compacted: u64) -> Self {
        // It begins at the compaction: all that is older is a base without history.
        let timeline = Timeline { compacted, revision: compacted, ..Timeline::default() };
        Self { timeline, open: Vec::new(), open_revision: 0 }
    }

    /// Adds the next row.
    pub fn push(&mut self, revision: u64, event: KeyEvent) -> Result<(), MisfitRow> {
        if revision <= self.timeline.compacted {
            return self.push_base(revision, event);
        }
        // A revision is whole only when the next one begins, as rows are read one by one.
        if revision != self.open_revision {
            self.close()?;
            self.open_revision = revision;
        }
        self.check(revision, &event)?;
        self.open.push(event);
        Ok(())
    }

    /// The timeline, whose last revision must be at least this one.
    pub fn finish(mut self, at_least: u64) -> Result<Timeline, MisfitRow> {
        self.close()?;
        let found = self.timeline.revision;
        // Rows that were lost at the end leave a timeline that is whole in itself, and would give out revisions
        // again that tokens bear.
        if found < at_least {
            return Err(MisfitRow::Short { found, expected: at_least });
        }
        Ok(self.timeline)
    }

    /// An entry that a compaction left.
    fn push_base(&mut self, revision: u64, event: KeyEvent) -> Result<(), MisfitRow> {
        let KeyEvent::Put(entry) = event else { return Err(MisfitRow::CompactedDeletion { revision }) };
        if entry.mod_revision != revision || !plausible(&entry) {
            return Err(misnumbered(revision, &entry));
        }
        match self.timeline.keys.entry(entry.key.clone()) {
            Entry::Occupied(present) => {
                let first = present.get().first().map_or(0, |version| version.revision);
                Err(MisfitRow::CompactedTwice { first, second: revision })
            }
            Entry::Vacant(free) => {
                free.insert(vec![KeyVersion { revision, entry: Some(entry) }]);
                Ok(())
            }
        }
    }

    /// An event must follow from what its key was.
    fn check(&self, revision: u64, event: &KeyEvent) -> Result<(), MisfitRow> {
        let before = self.timeline.latest(event.key());
        match (event, before) {
            (KeyEvent::Delete { .. }, None) => Err(MisfitRow::AbsentDeletion { revision }),
            (KeyEvent::Delete { .. }, Some(_)) => Ok(()),
            (KeyEvent::Put(entry), before) => {
                // Recomputed, and compared with the row: the checksums of redb say that it is what was written,
                // not that it follows from the row before.
                let created = before.map_or(revision, |before| before.create_revision);
                let version = before.map_or(1, |before| before.version + 1);
                let fits = entry.mod_revision == revision && entry.create_revision == created;
                if fits && entry.version == version { Ok(()) } else { Err(misnumbered(revision, entry)) }
            }
        }
    }

    /// Appends the revision that was read.
    fn close(&mut self) -> Result<(), MisfitRow> {
        if self.open.is_empty() {
            return Ok(());
        }
        let revision = self.open_revision;
        // Each revision has at least one row, as one that changes nothing takes none.
        if revision != self.timeline.revision + 1 {
            return Err(MisfitRow::Gap { before: self.timeline.revision, found: revision });
        }
        let events = std::mem::take(&mut self.open).into();
        self.timeline.extend([RevisionChange { revision, events }]);
        Ok(())
    }
}

fn plausible(entry: &KeyEntry) -> bool {
    entry.version >= 1 && entry.create_revision >= 1 && entry.create_revision <= entry.mod_revision
}

fn misnumbered(revision: u64, entry: &KeyEntry) -> MisfitRow {
    MisfitRow::Numbering { revision, create_revision: entry.create_revision, version: entry.version }
}
