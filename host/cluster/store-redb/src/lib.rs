//! The store of a single node: the timeline of `hostler-store` in memory, and durable in one file of redb.
//!
//! ```text
//!   Store::txn ──queue──▶ writer (thread) ── draft ──▶ StoreFile: one commit for all that waits ──▶ timeline ──▶ answers, feeds
//!   Store::list, watch ──▶ timeline
//! ```
//!
//! Reads never touch the disk. A transaction is answered when it is durable. If a commit fails, the writer opens the file again and
//! looks whether the commit is in it, so that most failures are certain; until the file can be opened, reads go on.
//!
//! Every open verifies every checksum. A file that is damaged is moved aside and never replaced by an empty one: [`OpenError`]
//! says so, and a [`StoreRebuild`] makes a new store in its place.

mod directory;
mod file;
mod header;
mod medium;
mod open;
mod rebuild;
mod row;
mod store;
mod writer;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod fault_disk;

pub use file::{DamageKind, StoreFileError};
pub use open::OpenError;
pub use rebuild::StoreRebuild;
pub use store::RedbStore;
