//! The handle of an open store.

use std::future::ready;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use store::{
    FaultKind, KeyListing, KeyQuery, KeyRange, Retention, SharedTimeline, Store, StoreError, StoreFault, StoreFuture,
    StoreStatus, Timeline, TxnOutcome, TxnRequest, WatchFeed,
};
use tokio::sync::{mpsc, oneshot};

use crate::StoreFileError;
use crate::file::{ENGINE, StoreFile};
use crate::medium::StoreMedium;
use crate::writer::{StoreState, WriteOrder, Writer};

/// The requests that may wait for the writer. More wait for their turn to queue.
const QUEUE: usize = 1024;

/// A store in a file of this node.
///
/// The writer ends with the handle. [`RedbStore::close`] waits for it and leaves a file that needs no repair.
#[derive(Debug)]
pub struct RedbStore {
    orders: mpsc::Sender<WriteOrder>,
    state: Arc<StoreState>,
    path: PathBuf,
}

impl RedbStore {
    /// Begins to serve an open file and what was loaded from it.
    pub(crate) fn start(
        medium: impl StoreMedium,
        file: StoreFile,
        timeline: Timeline,
        retention: Retention,
    ) -> Result<Self, StoreFileError> {
        let state = Arc::new(StoreState::new(SharedTimeline::new(timeline)));
        let writer = Writer::new(medium, file, Arc::clone(&state), retention);
        let (orders, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("store".to_owned());
        // A thread of its own, as a commit blocks for as long as the disk takes.
        thread.spawn(move || writer.run(queue)).map_err(StoreFileError::Io)?;
        Ok(Self { orders, state, path: PathBuf::new() })
    }

    pub(crate) fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// Does what waits, and closes the file. After this, reads go on and nothing is applied.
    pub async fn close(&self) -> Result<(), StoreFileError> {
        let (reply, answer) = oneshot::channel();
        let gone = |_| StoreFileError::Io(io::Error::other("the writer of the store is gone"));
        self.orders.send(WriteOrder::Close { reply }).await.map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))?
    }

    async fn ask<T>(
        &self,
        order: WriteOrder,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let closed = || StoreFault::new(FaultKind::Closed);
        // The queue gives back what the writer has not taken.
        self.orders.send(order).await.map_err(|_| StoreError::NotApplied(closed()))?;
        // A writer that panicked may have done so after the commit.
        answer.await.unwrap_or_else(|_| Err(StoreError::MaybeApplied(closed())))
    }

    fn describe(&self) -> StoreStatus {
        let engine = ENGINE.to_owned();
        let revision = self.state.timeline.read(|timeline| timeline.revision());
        let bytes = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        StoreStatus { engine, revision, bytes, health: self.state.health() }
    }
}

impl Store for RedbStore {
    fn list<'a>(&'a self, query: &'a KeyQuery) -> StoreFuture<'a, KeyListing> {
        Box::pin(ready(self.state.timeline.read(|timeline| timeline.list(query))))
    }

    fn txn(&self, request: TxnRequest) -> StoreFuture<'_, TxnOutcome> {
        Box::pin(async move {
            request.check()?;
            let (reply, answer) = oneshot::channel();
            self.ask(WriteOrder::Txn { request, reply }, answer).await
        })
    }

    fn watch(&self, range: KeyRange, from: u64) -> StoreFuture<'_, Box<dyn WatchFeed>> {
        Box::pin(ready(self.state.timeline.watch(range, from)))
    }

    fn compact(&self, revision: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.ask(WriteOrder::Compact { revision, reply }, answer).await
        })
    }

    fn status(&self) -> StoreFuture<'_, StoreStatus> {
        Box::pin(ready(Ok(self.describe())))
    }
}
