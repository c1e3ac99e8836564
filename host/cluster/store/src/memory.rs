//! A store in memory: for tests, and for a simulator, which may use it without a runtime and without a clock.

use std::future::ready;

use crate::{
    Draft, KeyListing, KeyQuery, KeyRange, Retention, SharedTimeline, Store, StoreError, StoreFuture, StoreHealth,
    StoreStatus, Timeline, TxnOutcome, TxnRequest, WatchFeed,
};

/// A store that is gone with its process. Equal requests in equal order give equal answers.
#[derive(Debug)]
pub struct MemoryStore {
    shared: SharedTimeline,
    retention: Retention,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::with(Retention::default())
    }

    pub fn with(retention: Retention) -> Self {
        Self { shared: SharedTimeline::new(Timeline::default()), retention }
    }

    /// Does what [`Store::txn`] does, at once.
    pub fn apply(&self, request: &TxnRequest) -> Result<TxnOutcome, StoreError> {
        request.check()?;
        let outcome = self.shared.change(|timeline| {
            let mut draft = Draft::new(timeline);
            let outcome = draft.apply(request);
            let changes = draft.into_changes();
            timeline.extend(changes);
            // As the engine with a disk does, so that tests and the simulator see watches that a compaction
            // overtakes.
            if let Some(revision) = timeline.excess(self.retention) {
                timeline.compact(revision);
            }
            outcome
        });
        Ok(outcome)
    }

    /// Does what [`Store::list`] does, at once.
    pub fn entries(&self, query: &KeyQuery) -> Result<KeyListing, StoreError> {
        self.shared.read(|timeline| timeline.list(query))
    }

    fn forget(&self, revision: u64) -> Result<(), StoreError> {
        self.shared.change(|timeline| {
            timeline.check_compaction(revision)?;
            timeline.compact(revision);
            Ok(())
        })
    }

    fn describe(&self) -> StoreStatus {
        let (revision, bytes) = self.shared.read(|timeline| (timeline.revision(), timeline.weight() as u64));
        StoreStatus { engine: "memory".to_owned(), revision, bytes, health: StoreHealth::Serving }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, KeyListing> {
        Box::pin(ready(self.entries(query)))
    }

    fn txn(&self, request: TxnRequest) -> StoreFuture<'_, TxnOutcome> {
        // When it is polled, not before: a caller that drops the future has not asked.
        Box::pin(async move { self.apply(&request) })
    }

    fn watch(&self, range: KeyRange, from: u64) -> StoreFuture<'_, Box<dyn WatchFeed>> {
        Box::pin(ready(self.shared.watch(range, from)))
    }

    fn compact(&self, revision: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.forget(revision) })
    }

    fn status(&self) -> StoreFuture<'_, StoreStatus> {
        Box::pin(ready(Ok(self.describe())))
    }
}
