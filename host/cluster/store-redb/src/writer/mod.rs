//! The writer: a thread that owns the file.
//!
//! Input: orders from a queue. Output: commits, then the timeline, then answers. It ends when the queue does, or when it is told
//! to close. If it panics, the feeds end, and each request that waits learns that it may have been applied.

mod batch;
mod commit;

use std::sync::{Arc, Mutex, PoisonError};

use store::{FaultKind, Retention, SharedTimeline, StoreError, StoreFault, StoreHealth, TxnOutcome, TxnRequest};
use tokio::sync::{mpsc, oneshot};

use self::batch::{Batch, gather};
use self::commit::Commit;
use crate::StoreFileError;
use crate::file::StoreFile;
use crate::medium::StoreMedium;

/// What the writer is asked for, and where the answer goes.
#[derive(Debug)]
pub(crate) enum WriteOrder {
    Txn { request: TxnRequest, reply: Reply<TxnOutcome> },
    Compact { revision: u64, reply: Reply<()> },
    Close { reply: oneshot::Sender<Result<(), StoreFileError>> },
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer and the handle of the store have in common.
#[derive(Debug)]
pub(crate) struct StoreState {
    pub(crate) timeline: SharedTimeline,
    health: Mutex<StoreHealth>,
}

impl StoreState {
    pub(crate) fn new(timeline: SharedTimeline) -> Self {
        Self { timeline, health: Mutex::new(StoreHealth::Serving) }
    }

    pub(crate) fn health(&self) -> StoreHealth {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_health(&self, health: StoreHealth) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }
}

#[derive(Debug)]
pub(crate) struct Writer<M> {
    medium: M,
    /// None after a failure, until it can be opened again.
    file: Option<StoreFile>,
    state: Arc<StoreState>,
    retention: Retention,
    /// What may or may not be in the file.
    undecided: Option<Commit>,
}

impl<M: StoreMedium> Writer<M> {
    pub(crate) fn new(medium: M, file: StoreFile, state: Arc<StoreState>, retention: Retention) -> Self {
        Self { medium, file: Some(file), state, retention, undecided: None }
    }

    /// Serves the queue to its end.
    pub(crate) fn run(self, queue: mpsc::Receiver<WriteOrder>) {
        // In this order, so that the feeds end last: who sees that finds the queue closed.
        let _end = WriterEnd(Arc::clone(&self.state));
        let (mut writer, mut queue) = (self, queue);
        let mut held = None;
        while let Some(order) = held.take().or_else(|| queue.blocking_recv()) {
            match order {
                WriteOrder::Txn { request, reply } => {
                    let mut batch = Batch::default();
                    batch.add(request, reply);
                    held = gather(&mut queue, &mut batch);
                    writer.serve(batch);
                }
                WriteOrder::Compact { revision, reply } => drop(reply.send(writer.compact(revision))),
                WriteOrder::Close { reply } => {
                    let closed = writer.close();
                    // The lock first, so that the store can be opened again at once.
                    drop(writer);
                    drop(reply.send(closed));
                    return;
                }
            }
        }
        // Nobody is left to hear of an error; the next open repairs the file.
        let _ = writer.close();
    }

    fn close(&mut self) -> Result<(), StoreFileError> {
        self.file.take().map_or(Ok(()), StoreFile::close)
    }
}

/// Ends the feeds when the writer ends, however it does.
struct WriterEnd(Arc<StoreState>);

impl Drop for WriterEnd {
    fn drop(&mut self) {
        self.0.set_health(StoreHealth::ReadsOnly(StoreFault::new(FaultKind::Closed)));
        self.0.timeline.close();
    }
}
