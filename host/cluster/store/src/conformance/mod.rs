//! What every engine must do alike: `store::conformance_tests!(make)` makes a test of each case, where `make()` is a future of a
//! fresh, empty store that nobody else uses, `Arc<dyn Store>`.
//!
//! The cases assume no first revision and no engine's limits besides those of the trait, and they await events, never time.

mod compaction;
mod history;
mod listing;
mod model;
mod random;
mod transaction;
mod watching;

pub use compaction::*;
pub use history::*;
pub use listing::*;
pub use model::StoreModel;
pub use random::{RandomWords, random_request};
pub use transaction::*;
pub use watching::*;

use std::pin::Pin;
use std::sync::Arc;

use crate::{KeyEntry, KeyQuery, KeyRange, RevisionChange, Store, TxnOutcome, TxnRequest, WatchFeed};

/// Makes a test of each case. `$make` is an expression that makes a future of a fresh store.
#[macro_export]
macro_rules! conformance_tests {
    (@tests $make:expr; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let store: std::sync::Arc<dyn $crate::Store> = $make.await;
                $crate::conformance::$case(store).await;
            }
        )*
    };
    (@list $make:expr; $($case:ident)*) => {
        vec![$($crate::conformance::ConformanceCase {
            name: stringify!($case),
            run: |store| Box::pin($crate::conformance::$case(store)),
        }),*]
    };
    (@cases $form:ident $make:expr) => {
        $crate::conformance_tests! { @$form $make;
            transaction_without_compares_is_applied
            entry_counts_versions_from_its_creation
            key_that_is_created_again_begins_anew
            transaction_takes_one_revision
            transaction_that_changes_nothing_takes_none
            put_of_the_same_value_is_a_change
            compare_on_a_revision_guards
            compare_on_revision_zero_means_absent
            compare_on_another_revision_holds_for_absent_keys
            compare_on_a_value_fails_for_absent_keys
            refused_transaction_returns_what_was_compared
            range_is_deleted_at_once
            largest_transaction_is_applied
            keys_and_values_are_any_bytes
            invalid_transactions_are_refused
            of_contending_transactions_one_is_applied
            list_is_in_order_and_of_its_range
            list_goes_on_after_a_limit
            list_at_an_earlier_revision_shows_it
            list_of_a_future_revision_fails
            get_reads_one_key
            watch_begins_where_it_is_told
            watch_sees_its_range_only
            watch_sees_deletions
            watch_gets_a_transaction_whole
            watch_waits_for_a_change
            watch_of_the_future_fails
            dropped_wait_loses_nothing
            many_watches_see_the_same
            compaction_forgets_what_was_before
            compaction_keeps_the_present
            compaction_of_what_is_compacted_fails
            watch_that_is_ahead_survives_a_compaction
            status_tells_the_revision
            random_histories_are_those_of_the_model
        }
    };
    ($make:expr) => {
        $crate::conformance_tests! { @cases tests $make }
    };
}

/// A case, for a test that runs all of them on one engine: a store whose keys were deleted is as good as a fresh one.
#[derive(Debug, Clone, Copy)]
pub struct ConformanceCase {
    pub name: &'static str,
    pub run: fn(Arc<dyn Store>) -> CaseFuture,
}

/// A case at work. It panics if the engine fails it.
pub type CaseFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All cases, in the order in which they are listed here.
pub fn cases() -> Vec<ConformanceCase> {
    crate::conformance_tests! { @cases list () }
}

/// Applies a request that is expected to be applied, and returns its revision.
pub(crate) async fn applied(store: &dyn Store, request: TxnRequest) -> u64 {
    match store.txn(request.clone()).await {
        Ok(TxnOutcome::Applied { revision }) => revision,
        other => panic!("{request:?} was to be applied: {other:?}"),
    }
}

pub(crate) async fn put(store: &dyn Store, key: &str, value: &str) -> u64 {
    applied(store, TxnRequest::new().put(key.to_owned(), value.to_owned())).await
}

pub(crate) async fn delete(store: &dyn Store, key: &str) -> u64 {
    applied(store, TxnRequest::new().delete(key.to_owned())).await
}

/// The entry of a key that is expected to exist.
pub(crate) async fn entry(store: &dyn Store, key: &str) -> KeyEntry {
    store.get(key.as_bytes()).await.unwrap().entry.unwrap_or_else(|| panic!("{key} was to exist"))
}

pub(crate) async fn revision(store: &dyn Store) -> u64 {
    store.list(&KeyQuery::current(KeyRange::all())).await.unwrap().revision
}

/// The keys of a range, at a revision.
pub(crate) async fn keys(store: &dyn Store, query: KeyQuery) -> Vec<String> {
    let entries = store.list(&query).await.unwrap().entries;
    entries.into_iter().map(|entry| String::from_utf8_lossy(&entry.key).into_owned()).collect()
}

/// The next change of a feed that is expected to have one.
pub(crate) async fn next(feed: &mut dyn WatchFeed) -> RevisionChange {
    feed.next().await.expect("the watch was to go on")
}

/// The changes up to a revision that is expected to change something in the feed's range.
pub(crate) async fn changes_until(feed: &mut dyn WatchFeed, last: u64) -> Vec<RevisionChange> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|change: &RevisionChange| change.revision < last) {
        seen.push(next(feed).await);
    }
    seen
}
