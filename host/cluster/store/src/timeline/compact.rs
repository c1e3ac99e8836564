//! Forgetting: the history before a revision, on request or when it outgrows its bounds.

use bytes::Bytes;

use super::Timeline;
use crate::StoreError;

/// How much history an embedded store keeps by itself. A reader that falls further behind must list again, so a slow reader
/// costs no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The revisions that are kept at least.
    pub revisions: u64,
    /// The bytes of history beyond which fewer revisions are kept.
    pub bytes: usize,
}

impl Retention {
    /// Nothing is forgotten but on request.
    pub const ALL: Retention = Retention { revisions: u64::MAX, bytes: usize::MAX };
}

impl Default for Retention {
    fn default() -> Self {
        Self { revisions: 10_000, bytes: 8 << 20 }
    }
}

/// The versions of keys that a compaction forgot: revision and key, of puts and of tombstones.
pub type CompactedKeys = Vec<(u64, Bytes)>;

impl Timeline {
    /// The revision to compact at, if the history outgrew its bounds. It outgrows them by a quarter, so that compactions are few.
    pub fn excess(&self, retention: Retention) -> Option<u64> {
        let slack = |bound: u64| bound.saturating_add(bound / 4);
        let weight = self.weight as u64;
        let kept = self.revision - self.compacted;
        if kept <= slack(retention.revisions) && weight <= slack(retention.bytes as u64) {
            return None;
        }
        // Back to the bound itself, not to its slack: otherwise each further transaction would compact again.
        let mut surplus = self.weight.saturating_sub(retention.bytes);
        let by_bytes = self.changes.iter().take_while(|change| {
            let before = surplus;
            surplus = surplus.saturating_sub(change.events.iter().map(|event| event.weight()).sum());
            before > 0
        });
        let at_bytes = by_bytes.last().map_or(self.compacted, |change| change.revision);
        let at_revisions = self.revision.saturating_sub(retention.revisions);
        Some(at_bytes.max(at_revisions)).filter(|revision| *revision > self.compacted)
    }

    /// Refuses a revision that cannot be compacted.
    pub fn check_compaction(&self, revision: u64) -> Result<(), StoreError> {
        if revision <= self.compacted {
            return Err(StoreError::Compacted { asked: revision });
        }
        if revision > self.revision {
            return Err(StoreError::Future { asked: revision, current: self.revision });
        }
        Ok(())
    }

    /// What compacting at a revision will forget.
    pub fn compacted_by(&self, revision: u64) -> CompactedKeys {
        let mut forgotten = Vec::new();
        for change in self.changes.iter().take_while(|change| change.revision <= revision) {
            for key in change.events.iter().map(|event| event.key()) {
                let Some(versions) = self.keys.get(key) else { continue };
                let later = versions.partition_point(|version| version.revision <= revision);
                let stale = &versions[..later - kept_before(&versions[..later])];
                // A key that changed several times comes up several times.
                if versions[..later].last().is_some_and(|version| version.revision == change.revision) {
                    forgotten.extend(stale.iter().map(|version| (version.revision, key.clone())));
                }
            }
        }
        forgotten
    }

    /// Forgets how the store was before a revision that has passed [`Timeline::check_compaction`].
    pub fn compact(&mut self, revision: u64) {
        // Only keys that have changed since the last compaction have a version to forget, so the others are not
        // visited.
        while let Some(change) = self.changes.pop_front_if(|change| change.revision <= revision) {
            for event in change.events.iter() {
                self.weight -= event.weight();
                self.forget(event.key(), revision);
            }
        }
        // A tombstone before the compaction is forgotten with its key: a list at `compacted` does not show it, and
        // no watch may begin before.
        self.compacted = self.compacted.max(revision);
    }

    fn forget(&mut self, key: &Bytes, revision: u64) {
        let Some(versions) = self.keys.get_mut(key) else { return };
        let later = versions.partition_point(|version| version.revision <= revision);
        versions.drain(..later - kept_before(&versions[..later]));
        if versions.is_empty() {
            self.keys.remove(key);
        }
    }
}

/// How many of the versions up to a compaction stay: the last one, unless it is a tombstone.
fn kept_before(versions: &[super::KeyVersion]) -> usize {
    usize::from(versions.last().is_some_and(|version| version.entry.is_some()))
}
