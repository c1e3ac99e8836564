//! Reading: entries at a revision, and the next change of a range.

use bytes::Bytes;

use super::{KeyVersion, Timeline};
use crate::{KeyEntry, KeyEvent, KeyListing, KeyQuery, KeyRange, RevisionChange, StoreError};

impl Timeline {
    /// The key as it is.
    pub fn latest(&self, key: &[u8]) -> Option<&KeyEntry> {
        self.keys.get(key)?.last()?.entry.as_ref()
    }

    /// The entries of a range as they are.
    pub fn latest_in<'a>(&'a self, range: &'a KeyRange) -> impl Iterator<Item = &'a KeyEntry> {
        self.keys.range::<[u8], _>(range.bounds()).filter_map(|(_, versions)| versions.last()?.entry.as_ref())
    }

    /// Lists entries at a revision that is not compacted.
    pub fn list(&self, query: &KeyQuery) -> Result<KeyListing, StoreError> {
        let revision = query.at.unwrap_or(self.revision);
        self.check_revision(revision)?;
        let mut found = self
            .keys
            .range::<[u8], _>(query.range.bounds())
            .filter_map(|(_, versions)| entry_at(versions, revision))
            .cloned();
        let entries = found.by_ref().take(query.limit.unwrap_or(usize::MAX)).collect();
        // Asked after the page is taken: a limit that is just met is not a list that goes on.
        Ok(KeyListing { revision, entries, more: found.next().is_some() })
    }

    /// The first change of a range at or after revision `from`, and the revision to ask for next.
    pub fn next_change(&self, range: &KeyRange, from: u64) -> Result<(Option<RevisionChange>, u64), StoreError> {
        self.check_watch(from)?;
        let first = self.compacted + 1;
        let skipped = usize::try_from(from - first).unwrap_or(usize::MAX);
        for change in self.changes.iter().skip(skipped) {
            if let Some(part) = part_in(change, range) {
                return Ok((Some(part), change.revision + 1));
            }
        }
        // The feed goes on behind what it has looked at, so changes of other keys are looked at once.
        Ok((None, self.revision + 1))
    }

    /// Refuses a watch whose first changes are compacted, or whose caller knows of more than there is.
    pub fn check_watch(&self, from: u64) -> Result<(), StoreError> {
        if from <= self.compacted {
            return Err(StoreError::Compacted { asked: from });
        }
        // A caller that knows of more than there is has seen another store, or this one before a restore: it must
        // not wait in silence, as etcd would have it do.
        if from > self.revision + 1 {
            return Err(StoreError::Future { asked: from, current: self.revision });
        }
        Ok(())
    }

    fn check_revision(&self, revision: u64) -> Result<(), StoreError> {
        if revision < self.compacted {
            return Err(StoreError::Compacted { asked: revision });
        }
        if revision > self.revision {
            return Err(StoreError::Future { asked: revision, current: self.revision });
        }
        Ok(())
    }
}

/// The entry of a key at a revision.
fn entry_at(versions: &[KeyVersion], revision: u64) -> Option<&KeyEntry> {
    let later = versions.partition_point(|version| version.revision <= revision);
    versions[..later].last()?.entry.as_ref()
}

/// The events of a change in a range, if there is one.
fn part_in(change: &RevisionChange, range: &KeyRange) -> Option<RevisionChange> {
    let inside = |key: &Bytes| range.contains(key);
    if change.events.iter().all(|event| inside(event.key())) {
        return Some(change.clone());
    }
    let events: Vec<KeyEvent> = change.events.iter().filter(|event| inside(event.key())).cloned().collect();
    (!events.is_empty()).then(|| RevisionChange { revision: change.revision, events: events.into() })
}
