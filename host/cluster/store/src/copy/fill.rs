//! Filling a store with a copy, so that it is seen to be whole or not to be.
//!
//! A mark stands in the target as long as the copy is incomplete, and every transaction of the copy is guarded by the mark's
//! revision. A copy that was cut short is begun again by the next one, which takes over the mark: whatever the first one sent
//! and gave up is refused from then on.

use bytes::Bytes;
use thiserror::Error;

use super::digest::DigestState;
use super::source::{EntryPage, PAGE_ENTRIES};
use super::{CopyError, CopyProgress, CopyReport, CopySelection, EntryDigest, EntrySource, ProgressSink, StoreSource};
use crate::{KeyQuery, MAX_OPERATIONS, MAX_REQUEST_BYTES, Store, StoreError, TxnOperation, TxnOutcome, TxnRequest};

/// How to fill a store.
#[derive(Clone)]
pub struct FillOrder<'a> {
    /// Which entries to take. The target must hold none of its range.
    pub selection: CopySelection<'a>,
    /// A key that stands in the target until the copy is whole. It is never copied.
    pub mark: Bytes,
    /// Applied in the transaction that removes the mark.
    pub last: Vec<TxnOperation>,
}

/// Why a store could not be filled. What was copied stays behind the mark, and another try begins anew.
#[derive(Debug, Error)]
pub enum FillError {
    #[error("the copy cannot be read")]
    Source(#[from] CopyError),
    #[error("the store to fill fails")]
    Target(#[source] StoreError),
    #[error("the store to fill is not empty: it holds the key {key:?}")]
    NotEmpty { key: String },
    #[error("another copy fills the same store")]
    Overtaken,
    #[error("the store was filled with other content: its digest is {found}, expected {expected}")]
    Differs { found: EntryDigest, expected: EntryDigest },
}

impl From<StoreError> for FillError {
    fn from(error: StoreError) -> Self {
        FillError::Source(error.into())
    }
}

/// Puts all entries of a source into a store, compares the digests, and removes the mark.
pub async fn fill_store(
    source: &mut dyn EntrySource,
    target: &dyn Store,
    order: &FillOrder<'_>,
    progress: ProgressSink<'_>,
) -> Result<CopyReport, FillError> {
    let filling = CopyInProgress::begin(target, order).await?;
    let mut digest = DigestState::default();
    let mut copied = CopyProgress::default();
    loop {
        let page = source.next_page().await?;
        if page.is_empty() {
            break;
        }
        // The source selects as well, but not one that is a file.
        let page: EntryPage = page.into_iter().filter(|(key, _)| order.takes(key)).collect();
        for (key, value) in &page {
            digest.add(key, value);
            copied.count(key, value);
        }
        filling.put(page).await?;
        progress(copied);
    }
    let digest = digest.finish();
    // Before the mark goes: once it is gone, the copy is what the cluster runs by.
    filling.verify(digest).await?;
    filling.finish().await?;
    Ok(CopyReport { revision: source.revision(), copied, digest })
}

impl FillOrder<'_> {
    fn takes(&self, key: &[u8]) -> bool {
        key != &self.mark[..] && self.selection.takes(key)
    }
}

/// A copy in progress: the target, and the revision of the mark that this copy put.
struct CopyInProgress<'a> {
    target: &'a dyn Store,
    order: &'a FillOrder<'a>,
    mark_revision: u64,
}

impl<'a> CopyInProgress<'a> {
    /// Puts the mark, or takes it over from a copy that was cut short.
    async fn begin(target: &'a dyn Store, order: &'a FillOrder<'a>) -> Result<Self, FillError> {
        let earlier = target.get(&order.mark).await.map_err(FillError::Target)?.mod_revision();
        if earlier == 0
            && let Some(key) = first_key(target, order).await?
        {
            return Err(FillError::NotEmpty { key: String::from_utf8_lossy(&key).into_owned() });
        }
        // The mark gets a new revision: what the earlier copy has under way compares the old one, and is refused.
        let request = TxnRequest::new().if_unchanged(order.mark.clone(), earlier).put(order.mark.clone(), "");
        let mark_revision = applied(target, request).await?;
        let filling = Self { target, order, mark_revision };
        filling.clear().await?;
        Ok(filling)
    }

    fn guarded(&self) -> TxnRequest {
        TxnRequest::new().if_unchanged(self.order.mark.clone(), self.mark_revision)
    }

    /// Deletes what an earlier copy left.
    async fn clear(&self) -> Result<(), FillError> {
        // A page at a time, as a transaction takes MAX_OPERATIONS at most.
        let mut rest = StoreSource::open(self.target, self.everything()).await.map_err(FillError::Target)?;
        loop {
            let page = rest.next_page().await?;
            let keys = page.into_iter().map(|(key, _)| key).filter(|key| *key != self.order.mark);
            let request = keys.fold(self.guarded(), |request, key| request.delete(key));
            if request.operations.is_empty() {
                return Ok(());
            }
            applied(self.target, request).await?;
        }
    }

    async fn put(&self, page: EntryPage) -> Result<(), FillError> {
        let mut request = self.guarded();
        for (key, value) in page {
            let bytes = request.bytes() + key.len() + value.len();
            if request.operations.len() == MAX_OPERATIONS || bytes > MAX_REQUEST_BYTES {
                applied(self.target, std::mem::replace(&mut request, self.guarded())).await?;
            }
            request = request.put(key, value);
        }
        applied(self.target, request).await.map(|_| ())
    }

    /// Reads the target back.
    async fn verify(&self, expected: EntryDigest) -> Result<(), FillError> {
        // All that is there and not what was copied, so that an entry too many is found as well.
        let mut filled = StoreSource::open(self.target, self.everything()).await.map_err(FillError::Target)?;
        let mut digest = DigestState::default();
        loop {
            let page = filled.next_page().await?;
            if page.is_empty() {
                break;
            }
            page.iter().filter(|(key, _)| *key != self.order.mark).for_each(|(key, value)| digest.add(key, value));
        }
        let found = digest.finish();
        if found == expected { Ok(()) } else { Err(FillError::Differs { found, expected }) }
    }

    async fn finish(&self) -> Result<(), FillError> {
        let mut request = self.guarded().delete(self.order.mark.clone());
        // With the mark's removal, or a crash in between would leave a whole copy without what makes it valid.
        request.operations.extend(self.order.last.iter().cloned());
        applied(self.target, request).await.map(|_| ())
    }

    /// The whole range, also what is not copied: nothing else may be there.
    fn everything(&self) -> CopySelection<'a> {
        CopySelection { range: self.order.selection.range.clone(), keep: &|_| true }
    }
}

async fn first_key(target: &dyn Store, order: &FillOrder<'_>) -> Result<Option<Bytes>, FillError> {
    let query = KeyQuery { limit: Some(PAGE_ENTRIES), ..KeyQuery::current(order.selection.range.clone()) };
    let listing = target.list(&query).await.map_err(FillError::Target)?;
    Ok(listing.entries.into_iter().map(|entry| entry.key).next())
}

async fn applied(target: &dyn Store, request: TxnRequest) -> Result<u64, FillError> {
    match target.txn(request).await.map_err(FillError::Target)? {
        TxnOutcome::Applied { revision } => Ok(revision),
        TxnOutcome::Refused { .. } => Err(FillError::Overtaken),
    }
}
