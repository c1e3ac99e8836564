//! Where the entries of a copy come from, page by page.

use std::pin::Pin;

use bytes::Bytes;

use super::{CopyError, CopySelection};
use crate::{KeyQuery, KeyRange, Store, StoreError};

/// The entries of one page: keys with their values.
pub type EntryPage = Vec<(Bytes, Bytes)>;

/// Entries of one revision, in the order of their keys.
pub trait EntrySource: Send {
    fn revision(&self) -> u64;

    /// The next entries; none when all were read.
    fn next_page(&mut self) -> Pin<Box<dyn Future<Output = Result<EntryPage, CopyError>> + Send + '_>>;
}

/// How many entries are read, or put, at once.
pub(super) const PAGE_ENTRIES: usize = 100;

/// Reads a store at the revision that it had when this was opened. If that revision is compacted meanwhile, the copy fails and
/// must begin again.
#[derive(Clone)]
pub struct StoreSource<'a> {
    store: &'a dyn Store,
    selection: CopySelection<'a>,
    revision: u64,
    /// What is left to read.
    rest: Option<KeyRange>,
}

impl<'a> StoreSource<'a> {
    pub async fn open(store: &'a dyn Store, selection: CopySelection<'a>) -> Result<Self, StoreError> {
        let first = KeyQuery { limit: Some(1), ..KeyQuery::current(selection.range.clone()) };
        let revision = store.list(&first).await?.revision;
        let rest = Some(selection.range.clone());
        Ok(Self { store, selection, revision, rest })
    }

    /// The next page that is not empty after the selection.
    async fn read(&mut self) -> Result<EntryPage, CopyError> {
        while let Some(range) = self.rest.take() {
            // At the first page's revision: pages of the present would show a transaction in part.
            let query = KeyQuery { range, at: Some(self.revision), limit: Some(PAGE_ENTRIES) };
            let listing = self.store.list(&query).await?;
            if listing.more {
                self.rest = listing.entries.last().map(|entry| query.range.after(&entry.key));
            }
            let taken = listing.entries.into_iter().filter(|entry| self.selection.takes(&entry.key));
            let page: EntryPage = taken.map(|entry| (entry.key, entry.value)).collect();
            // A page that the selection leaves nothing of is not the end, which an empty one would say.
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }
}

impl EntrySource for StoreSource<'_> {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn next_page(&mut self) -> Pin<Box<dyn Future<Output = Result<EntryPage, CopyError>> + Send + '_>> {
        Box::pin(self.read())
    }
}
