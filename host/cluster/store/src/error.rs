//! How a request to a store fails. What a caller must know of a failed transaction is whether it can still be applied.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Why a request failed.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// No store would take this request. It was not applied.
    #[error("the store does not take this request")]
    Invalid(#[from] InvalidRequest),
    /// The revision is older than what the store keeps.
    #[error("revision {asked} is compacted: list again")]
    Compacted { asked: u64 },
    /// The store has not reached this revision. If it was seen before, this is an older or another store.
    #[error("revision {asked} is in the future: the store is at {current}")]
    Future { asked: u64, current: u64 },
    /// The store could not be read.
    #[error("the store cannot be read")]
    Unreadable(#[source] StoreFault),
    /// The transaction was not applied, and never will be.
    #[error("the store did not apply the transaction")]
    NotApplied(#[source] StoreFault),
    /// The transaction may be applied, now or at any later time: read before deciding again.
    #[error("the store may have applied the transaction, or may apply it later")]
    MaybeApplied(#[source] StoreFault),
    /// The watch missed changes or ended: list again, and watch from there.
    #[error("the watch lost its place: list again")]
    WatchLost(#[source] StoreFault),
}

impl StoreError {
    /// Whether a transaction that failed in this way may be applied all the same.
    pub fn may_be_applied(&self) -> bool {
        matches!(self, StoreError::MaybeApplied(_))
    }

    /// Whether a watch or a list must begin again from the current state.
    pub fn wants_list(&self) -> bool {
        matches!(self, StoreError::Compacted { .. } | StoreError::WatchLost(_))
    }
}

/// What is wrong with the store, or with the way to it.
#[derive(Debug, Clone)]
pub struct StoreFault {
    pub kind: FaultKind,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl StoreFault {
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, cause: None }
    }

    pub fn caused(kind: FaultKind, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { kind, cause: Some(Arc::new(cause)) }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.as_str())
    }
}

impl std::error::Error for StoreFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

/// What kind of fault it is, as far as it changes what an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The disk or the quota is full.
    Full,
    /// The disk is mounted read-only.
    ReadOnly,
    /// The disk fails.
    Disk,
    /// The store's file is not what the store wrote.
    Damaged,
    /// The store was closed, or its task has failed.
    Closed,
    /// The store, or a majority of its members, does not answer.
    Unreachable,
    /// The store is older than what was seen of it, or another one.
    Regressed,
    /// The reader is slower than the changes, which are no longer kept for it.
    Slow,
}

impl FaultKind {
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::Full => "no space is left for it",
            FaultKind::ReadOnly => "its disk is read-only",
            FaultKind::Disk => "its disk fails",
            FaultKind::Damaged => "its file is damaged",
            FaultKind::Closed => "it is closed",
            FaultKind::Unreachable => "it does not answer",
            FaultKind::Regressed => "it is older than what was seen of it, or another one",
            FaultKind::Slow => "the reader is too slow",
        }
    }
}

/// A request that no store takes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidRequest {
    #[error("a key is empty")]
    EmptyKey,
    #[error("{count} {what} in one transaction, at most {limit} are possible")]
    TooMany { what: &'static str, count: usize, limit: usize },
    #[error("the transaction has {bytes} bytes, at most {limit} are possible")]
    TooLarge { bytes: usize, limit: usize },
    #[error("two operations of the transaction concern the key {key:?}")]
    DuplicateKey { key: String },
}
