//! What nodes agree on: keys with revisions, guarded transactions, and watches. Keys and values are bytes: a store knows no object.
//!
//! ```text
//!   Store (trait) ◀── MemoryStore          here: a Timeline, for tests and for the simulator
//!                 ◀── RedbStore            host/cluster/store-redb: the same Timeline, and a file
//!                 ◀── EtcdStore            host/cluster/store-etcd: other processes keep the timeline
//!
//!   TxnRequest ──Draft──▶ TxnOutcome + RevisionChange ──extend──▶ Timeline ──▶ lists, watches
//! ```
//!
//! The semantics are etcd's wherever an embedded engine can have them, so that one caller works with both:
//!
//! - Every transaction that changes something takes one revision, and all that it changes bears it. One that changes nothing
//!   takes none.
//! - A key has the revision of its creation, that of its last change, and a version that counts from 1. A deletion is a change
//!   that watches see; a key that is created again begins anew.
//! - A list at an earlier revision, and a watch from one, work until that revision is compacted. An engine may compact by itself
//!   at any time, so every caller must be ready to list again.
//! - A compare is on the revision of a key's last change, 0 for a key that does not exist, or on its value. A compare of the value
//!   of a key that does not exist fails.
//!
//! A transaction has one of three endings, and [`StoreError`] keeps them apart: it was applied or refused ([`TxnOutcome`]), it
//! was certainly not applied, or it may be applied, now or at any later time. A caller that drops the future of a transaction
//! does not know either.

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod copy;
mod entry;
mod error;
mod key;
mod memory;
mod shared;
mod store;
mod timeline;
mod txn;

pub use entry::{KeyEntry, KeyEvent, KeyListing, KeyQuery, KeyReading, RevisionChange};
pub use error::{FaultKind, InvalidRequest, StoreError, StoreFault};
pub use key::KeyRange;
pub use memory::MemoryStore;
pub use shared::SharedTimeline;
pub use store::{Store, StoreFuture, StoreHealth, StoreStatus, WatchFeed};
pub use timeline::{CompactedKeys, Draft, MisfitRow, Retention, Timeline, TimelineLoader};
pub use txn::{ComparedKey, MAX_OPERATIONS, MAX_REQUEST_BYTES, TxnCompare, TxnOperation, TxnOutcome, TxnRequest};
