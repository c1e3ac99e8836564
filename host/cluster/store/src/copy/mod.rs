//! Copying: one routine from store to store, from a store to an archive, and back. Making a cluster, leaving it, backup, restore
//! and rebuilding are all this routine.
//!
//! ```text
//!   Store ──StoreSource──┐                 ┌──fill──▶ Store
//!                        ├── EntrySource ──┤
//!   file ─ArchiveReader──┘                 └──ArchiveWriter──▶ file
//! ```
//!
//! A copy is of one revision, read in pages. It takes keys and values; revisions and versions are the target's own. Two copies
//! hold the same if their [`EntryDigest`] is equal.
//!
//! Archives are read and written without giving way to other tasks: use them on a thread that may block.

mod archive;
mod digest;
mod fill;
mod source;

pub use archive::{ArchiveError, ArchiveReader, ArchiveWriter};
pub use digest::EntryDigest;
pub use fill::{FillError, FillOrder, fill_store};
pub use source::{EntryPage, EntrySource, StoreSource};

use std::io::Write;

use thiserror::Error;

use crate::{KeyRange, Store, StoreError};

/// Which entries a copy takes.
#[derive(Clone)]
pub struct CopySelection<'a> {
    pub range: KeyRange,
    /// Leaves out the keys for which it is false.
    pub keep: &'a (dyn Fn(&[u8]) -> bool + Send + Sync),
}

impl CopySelection<'_> {
    /// Every entry.
    pub fn all() -> Self {
        Self { range: KeyRange::all(), keep: &|_| true }
    }

    pub(crate) fn takes(&self, key: &[u8]) -> bool {
        self.range.contains(key) && (self.keep)(key)
    }
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CopyProgress {
    pub entries: u64,
    /// The bytes of keys and values.
    pub bytes: u64,
}

impl CopyProgress {
    pub(crate) fn count(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
    }
}

/// Gets told how far a copy is, after each page.
pub type ProgressSink<'a> = &'a mut (dyn FnMut(CopyProgress) + Send);

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyReport {
    /// The revision of the source.
    pub revision: u64,
    pub copied: CopyProgress,
    pub digest: EntryDigest,
}

/// Why a copy could not be read, or an archive not be written.
#[derive(Debug, Error)]
pub enum CopyError {
    #[error("the store that is copied cannot be read")]
    Store(#[from] StoreError),
    #[error("the archive cannot be read or written")]
    Archive(#[from] ArchiveError),
}

/// Copies a store to another one, which [`fill_store`] describes.
pub async fn copy_store(
    from: &dyn Store,
    to: &dyn Store,
    order: &FillOrder<'_>,
    progress: ProgressSink<'_>,
) -> Result<CopyReport, FillError> {
    let mut source = StoreSource::open(from, order.selection.clone()).await?;
    fill_store(&mut source, to, order, progress).await
}

/// Writes an archive of a store. The caller makes it durable.
pub async fn export_store<W: Write + Send>(
    from: &dyn Store,
    selection: CopySelection<'_>,
    to: W,
    progress: ProgressSink<'_>,
) -> Result<CopyReport, CopyError> {
    let mut source = StoreSource::open(from, selection).await?;
    let mut archive = ArchiveWriter::begin(to, source.revision())?;
    loop {
        let page = source.next_page().await?;
        if page.is_empty() {
            break;
        }
        for (key, value) in &page {
            archive.add(key, value)?;
        }
        progress(archive.written());
    }
    Ok(archive.finish()?)
}
