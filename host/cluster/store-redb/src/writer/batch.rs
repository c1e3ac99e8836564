//! Transactions that wait at the same time become one commit, so that a slow disk costs each of them one wait.

use store::{Draft, StoreError, StoreFault, TxnOutcome, TxnRequest};
use tokio::sync::mpsc;

use super::commit::{Commit, CommitFailure};
use super::{Reply, WriteOrder, Writer};
use crate::medium::StoreMedium;

/// The transactions that are committed at once, at most.
const BATCH: usize = 256;
/// The bytes of their requests, beyond which no other one joins them.
const BATCH_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Batch {
    requests: Vec<(TxnRequest, Reply<TxnOutcome>)>,
    bytes: usize,
}

impl Batch {
    /// Adds a request, unless its caller is gone.
    pub(super) fn add(&mut self, request: TxnRequest, reply: Reply<TxnOutcome>) {
        // A caller that has given up takes its transaction for one that may be applied, so it may as well not be.
        if !reply.is_closed() {
            self.bytes += request.bytes();
            self.requests.push((request, reply));
        }
    }

    fn is_full(&self) -> bool {
        self.requests.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}

/// Adds the transactions that wait. Returns an order of another kind that came after them.
pub(super) fn gather(queue: &mut mpsc::Receiver<WriteOrder>, batch: &mut Batch) -> Option<WriteOrder> {
    while !batch.is_full() {
        // Only what waits already: one transaction is not held up for others that may come.
        match queue.try_recv() {
            Ok(WriteOrder::Txn { request, reply }) => batch.add(request, reply),
            // A compaction or a close is done behind the transactions that were sent before it.
            Ok(order) => return Some(order),
            Err(_) => break,
        }
    }
    None
}

impl<M: StoreMedium> Writer<M> {
    /// Applies a batch and answers it.
    pub(super) fn serve(&mut self, batch: Batch) {
        if let Err(fault) = self.ready() {
            for (_, reply) in batch.requests {
                drop(reply.send(Err(StoreError::NotApplied(fault.clone()))));
            }
            return;
        }
        let (requests, replies): (Vec<_>, Vec<_>) = batch.requests.into_iter().unzip();
        // The lock is given up before the commit, so that reads go on. Only this thread changes the timeline, so
        // the draft still fits then.
        let (outcomes, changes) = self.state.timeline.read(|timeline| {
            let mut draft = Draft::new(timeline);
            let outcomes: Vec<TxnOutcome> = requests.iter().map(|request| draft.apply(request)).collect();
            (outcomes, draft.into_changes())
        });
        let committed = if changes.is_empty() { Ok(()) } else { self.commit(Commit::Append(changes)) };
        for (outcome, reply) in outcomes.into_iter().zip(replies) {
            drop(reply.send(answer(outcome, &committed)));
        }
        // Behind the answers, which need not wait for it.
        self.trim();
    }

    /// Compacts what the history has in excess. A failure shows at the next transaction.
    fn trim(&mut self) {
        if let Some(revision) = self.state.timeline.read(|timeline| timeline.excess(self.retention)) {
            let _ = self.compact(revision);
        }
    }
}

/// What a transaction's caller learns. A refusal rests on what was committed with it, so it is none if that failed.
fn answer(outcome: TxnOutcome, committed: &Result<(), CommitFailure>) -> Result<TxnOutcome, StoreError> {
    let not_applied = |fault: &StoreFault| Err(StoreError::NotApplied(fault.clone()));
    match (outcome, committed) {
        (outcome, Ok(())) => Ok(outcome),
        (TxnOutcome::Refused { .. }, Err(CommitFailure::Unknown(fault))) => not_applied(fault),
        (_, Err(CommitFailure::Undone(fault))) => not_applied(fault),
        (TxnOutcome::Applied { .. }, Err(CommitFailure::Unknown(fault))) => {
            Err(StoreError::MaybeApplied(fault.clone()))
        }
    }
}
