//! The file: rows of events, and a few facts. All of redb is here.
//!
//! A commit is immediate and in two phases. With one phase, redb takes a damaged last commit for one that a crash cut short, and
//! falls back to the one before it without a word.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::{
    ConcurrencyMode, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageBackend,
    StorageError, TableDefinition, WriteTransaction,
};
use store::{CompactedKeys, FaultKind, MisfitRow, RevisionChange, StoreFault, Timeline, TimelineLoader};
use thiserror::Error;

use crate::header::{doubted_flags, write_flags};
use crate::medium::StoreBytes;
use crate::row::{read_row, row_key, row_value};

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");

/// The engine and its version.
pub(crate) const ENGINE: &str = "redb 4.6.0";

/// The version of all that the file holds. A file of a later version is left alone.
const FORMAT: u64 = 1;
const FORMAT_FACT: &str = "format";
/// The revision of the last compaction.
const COMPACTED_FACT: &str = "compacted";
/// The revision of the store at that compaction, which may have left no row of it.
const REVISION_FACT: &str = "revision";

/// What redb keeps of pages in memory. The timeline holds the data; redb reads pages only to change them.
const CACHE_BYTES: usize = 4 << 20;

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum StoreFileError {
    /// The content is not what a store wrote.
    #[error("the file is damaged ({kind}): {text}")]
    Damaged { kind: DamageKind, text: String },
    #[error("a row of the file does not fit")]
    Misfit(#[from] MisfitRow),
    #[error("the file is of format {found}, this program knows {FORMAT}")]
    Format { found: u64 },
    #[error("another process has the file open")]
    Held,
    #[error("the file cannot be read or written")]
    Io(#[source] io::Error),
}

impl StoreFileError {
    /// How the content is at fault, if it is: the file is of no use any more.
    pub fn damage(&self) -> Option<DamageKind> {
        match self {
            StoreFileError::Damaged { kind, .. } => Some(*kind),
            StoreFileError::Misfit(_) => Some(DamageKind::Content),
            StoreFileError::Format { .. } | StoreFileError::Held | StoreFileError::Io(_) => None,
        }
    }

    pub(crate) fn damaged(kind: DamageKind, text: impl ToString) -> Self {
        StoreFileError::Damaged { kind, text: text.to_string() }
    }

    /// The fault that a store reports.
    pub(crate) fn into_fault(self) -> StoreFault {
        let kind = match &self {
            StoreFileError::Damaged { .. } | StoreFileError::Misfit(_) | StoreFileError::Format { .. } => {
                FaultKind::Damaged
            }
            StoreFileError::Held => FaultKind::Closed,
            StoreFileError::Io(error) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FaultKind::Full,
                io::ErrorKind::ReadOnlyFilesystem => FaultKind::ReadOnly,
                _ => FaultKind::Disk,
            },
        };
        StoreFault::caused(kind, self)
    }
}

/// What is wrong with the content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// It has no bytes.
    Empty,
    /// It is not a file of redb, or of another format than any store has.
    Foreign,
    /// It is not what redb wrote.
    Checksum,
    /// It is what redb wrote, and not what a store did.
    Content,
}

impl DamageKind {
    pub fn as_str(self) -> &'static str {
        match self {
            DamageKind::Empty => "empty",
            DamageKind::Foreign => "foreign",
            DamageKind::Checksum => "checksum",
            DamageKind::Content => "content",
        }
    }
}

impl fmt::Display for DamageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct StoreFile {
    database: Database,
}

impl StoreFile {
    /// Opens a file that a store made, and verifies all of it.
    pub(crate) fn open(bytes: StoreBytes) -> Result<Self, StoreFileError> {
        // redb would make an empty database of it.
        if bytes.len().map_err(StoreFileError::Io)? == 0 {
            return Err(StoreFileError::damaged(DamageKind::Empty, "it has no bytes"));
        }
        if let Some(flags) = doubted_flags(&bytes).map_err(StoreFileError::Io)?
            // On a copy, as redb writes while it opens. Without the slot that the mark names, redb would fall back
            // to the older one.
            && Self::open_as_it_says(bytes.copy().map_err(StoreFileError::Io)?).is_ok()
        {
            write_flags(&bytes, flags).map_err(StoreFileError::Io)?;
        }
        Self::open_as_it_says(bytes)
    }

    /// Opens a file, and believes which commit it calls the last one.
    fn open_as_it_says(bytes: StoreBytes) -> Result<Self, StoreFileError> {
        let file = Self { database: open_database(bytes)? };
        match file.fact(FORMAT_FACT)? {
            Some(FORMAT) => Ok(file),
            Some(found) => Err(StoreFileError::Format { found }),
            None => Err(StoreFileError::damaged(DamageKind::Content, "it has no format")),
        }
    }

    /// Makes the file of an empty store.
    pub(crate) fn create(bytes: StoreBytes) -> Result<Self, StoreFileError> {
        let file = Self { database: open_database(bytes)? };
        file.commit(|transaction| {
            transaction.open_table(ROWS).map_err(broken)?;
            let mut facts = transaction.open_table(FACTS).map_err(broken)?;
            facts.insert(FORMAT_FACT, FORMAT)?;
            Ok(())
        })?;
        Ok(file)
    }

    /// Reads the whole file.
    pub(crate) fn load(&self) -> Result<Timeline, StoreFileError> {
        // Before the rows: up to this revision they are a base of one entry for each key, and after it a history
        // without gaps.
        let compacted = self.fact(COMPACTED_FACT)?.unwrap_or(0);
        let mut loader = TimelineLoader::new(compacted);
        let transaction = self.database.begin_read().map_err(|error| broken(redb::Error::from(error)))?;
        let rows = transaction.open_table(ROWS).map_err(broken)?;
        for row in rows.iter()? {
            let (key, value) = row?;
            let (revision, event) = read_row(key.value(), value.value())
                .ok_or_else(|| StoreFileError::damaged(DamageKind::Content, "a row is not one of a store"))?;
            loader.push(revision, event)?;
        }
        Ok(loader.finish(self.fact(REVISION_FACT)?.unwrap_or(0))?)
    }

    /// Writes changes durably, all or none.
    pub(crate) fn append(&self, changes: &[RevisionChange]) -> Result<(), StoreFileError> {
        self.commit(|transaction| {
            let mut rows = transaction.open_table(ROWS).map_err(broken)?;
            for change in changes {
                for event in change.events.iter() {
                    let (key, value) = (row_key(change.revision, event.key()), row_value(event));
                    rows.insert(&key[..], &value[..])?;
                }
            }
            Ok(())
        })
    }

    /// Forgets versions of keys, durably, and notes at which revision.
    pub(crate) fn compact(&self, revision: u64, current: u64, forgotten: &CompactedKeys) -> Result<(), StoreFileError> {
        self.commit(|transaction| {
            let mut facts = transaction.open_table(FACTS).map_err(broken)?;
            // In one transaction with the rows: a base with two entries of a key, or a history with a gap, is a
            // damaged file to the next open.
            facts.insert(COMPACTED_FACT, revision)?;
            facts.insert(REVISION_FACT, current)?;
            let mut rows = transaction.open_table(ROWS).map_err(broken)?;
            for (revision, key) in forgotten {
                rows.remove(&row_key(*revision, key)[..])?;
            }
            Ok(())
        })
    }

    /// The revision of the last change.
    pub(crate) fn revision(&self) -> Result<u64, StoreFileError> {
        let transaction = self.database.begin_read().map_err(|error| broken(redb::Error::from(error)))?;
        let rows = transaction.open_table(ROWS).map_err(broken)?;
        let last = match rows.last()? {
            None => 0,
            Some((key, value)) => read_row(key.value(), value.value())
                .map(|(revision, _)| revision)
                .ok_or_else(|| StoreFileError::damaged(DamageKind::Content, "its last row is not one of a store"))?,
        };
        Ok(last.max(self.fact(REVISION_FACT)?.unwrap_or(0)))
    }

    /// The revision of the last compaction.
    pub(crate) fn compacted(&self) -> Result<u64, StoreFileError> {
        Ok(self.fact(COMPACTED_FACT)?.unwrap_or(0))
    }

    /// Closes the file. Without this, the next open takes it for one that a crash left.
    pub(crate) fn close(self) -> Result<(), StoreFileError> {
        Ok(self.database.close()?)
    }

    fn fact(&self, name: &str) -> Result<Option<u64>, StoreFileError> {
        let transaction = self.database.begin_read().map_err(|error| broken(redb::Error::from(error)))?;
        let facts = transaction.open_table(FACTS).map_err(broken)?;
        Ok(facts.get(name)?.map(|value| value.value()))
    }

    fn commit(
        &self,
        write: impl FnOnce(&WriteTransaction) -> Result<(), StoreFileError>,
    ) -> Result<(), StoreFileError> {
        let mut transaction = self.database.begin_write().map_err(|error| broken(redb::Error::from(error)))?;
        transaction.set_durability(Durability::Immediate).map_err(broken)?;
        transaction.set_two_phase_commit(true);
        write(&transaction)?;
        transaction.commit().map_err(broken)
    }
}

/// redb reports damage when it verifies, but promises that only for what it foresaw.
fn open_database(bytes: StoreBytes) -> Result<Database, StoreFileError> {
    let open = || {
        Database::builder()
            .set_concurrency_mode(ConcurrencyMode::ExclusiveWriter)
            .set_check_integrity_on_open(true)
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(bytes)
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(database) => Ok(database?),
        Err(_) => Err(StoreFileError::damaged(DamageKind::Checksum, "redb panicked when it verified the file")),
    }
}

impl From<DatabaseError> for StoreFileError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => StoreFileError::Held,
            DatabaseError::Storage(error) => error.into(),
            // Only the current format was ever written, so another one is damage.
            error => StoreFileError::damaged(DamageKind::Foreign, error),
        }
    }
}

impl From<StorageError> for StoreFileError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Corrupted(text) => StoreFileError::damaged(DamageKind::Checksum, text),
            StorageError::Io(error) => match error.kind() {
                // How redb says that the file is none of its own, or too short.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    StoreFileError::damaged(DamageKind::Foreign, error)
                }
                _ => StoreFileError::Io(error),
            },
            error => StoreFileError::Io(io::Error::other(error)),
        }
    }
}

/// An error of a table or a transaction: of the storage below it, or of a file that lacks what every store has.
fn broken(error: impl Into<redb::Error>) -> StoreFileError {
    match error.into() {
        redb::Error::Corrupted(text) => StoreFileError::damaged(DamageKind::Checksum, text),
        redb::Error::Io(error) => StorageError::Io(error).into(),
        error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed) => StoreFileError::Io(io::Error::other(error)),
        error => StoreFileError::damaged(DamageKind::Content, error),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn engine_is_the_one_that_is_pinned() {
        let pin = format!("{:?}", super::ENGINE.replace("redb ", "="));
        assert!(include_str!("../../../../Cargo.toml").contains(&format!("redb = {pin}")), "{pin}");
    }
}
