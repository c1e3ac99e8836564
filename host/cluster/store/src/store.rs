//! The trait that every engine implements.

use std::fmt::Debug;
use std::pin::Pin;

use crate::{KeyEntry, KeyQuery, KeyRange, KeyReading, RevisionChange, StoreError, StoreFault, TxnOutcome, TxnRequest};

/// A future that may move between threads.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store. Every answer is linearizable: it holds all that was acknowledged before it was asked for.
///
/// Time limits are the caller's. One that stops waiting for a transaction must take it for one that may be applied.
pub trait Store: Send + Sync + Debug {
    /// Lists entries, at the current revision or at an earlier one that is not compacted.
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, crate::KeyListing>;

    /// Applies the operations if all compares hold, and else answers with what was compared. Nothing comes between compares and
    /// operations.
    fn txn(&self, request: TxnRequest) -> StoreFuture<'_, TxnOutcome>;

    /// Watches a range, from the changes of revision `from` on. The feed is cancelled by dropping it.
    ///
    /// `from` may be the next revision but not one beyond: a caller that knows of more than the store does learns of it.
    fn watch(&self, range: KeyRange, from: u64) -> StoreFuture<'_, Box<dyn WatchFeed>>;

    /// Forgets how the store was before `revision`, which must not be compacted yet. The store at `revision` and the changes
    /// after it stay.
    fn compact(&self, revision: u64) -> StoreFuture<'_, ()>;

    /// How the store is.
    fn status(&self) -> StoreFuture<'_, StoreStatus>;

    /// Reads one key.
    fn get<'a>(&'a self, key: &'a [u8]) -> StoreFuture<'a, KeyReading> {
        Box::pin(async move {
            let query = KeyQuery::current(KeyRange::key(key.to_vec()));
            let listing = self.list(&query).await?;
            let entry: Option<KeyEntry> = listing.entries.into_iter().next();
            Ok(KeyReading { revision: listing.revision, entry })
        })
    }
}

/// The changes of a watched range, in order and without a gap, one revision at a time.
pub trait WatchFeed: Send + Debug {
    /// Waits for the next revision that changed something in the range. After an error the feed is at its end: the caller lists
    /// again. Nothing is lost if the future is dropped.
    fn next(&mut self) -> StoreFuture<'_, RevisionChange>;
}

/// How a store is.
#[derive(Debug, Clone)]
pub struct StoreStatus {
    /// The engine and its version.
    pub engine: String,
    /// The revision of the last change.
    pub revision: u64,
    /// The bytes that the store takes where it is kept.
    pub bytes: u64,
    pub health: StoreHealth,
}

/// What a store can do now.
#[derive(Debug, Clone)]
pub enum StoreHealth {
    Serving,
    /// It answers reads, and applies nothing until the fault is gone.
    ReadsOnly(StoreFault),
}
