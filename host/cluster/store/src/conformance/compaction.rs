//! Compaction: what is forgotten, and what stays.

use std::sync::Arc;

use super::{delete, keys, next, put};
use crate::{KeyQuery, KeyRange, Store, StoreError};

type StoreHandle = Arc<dyn Store>;

pub async fn compaction_forgets_what_was_before(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    put(&*store, "a", "2").await;
    let third = put(&*store, "b", "1").await;
    store.compact(third).await.unwrap();
    let list = store.list(&KeyQuery::at(KeyRange::all(), first)).await.unwrap_err();
    assert!(matches!(list, StoreError::Compacted { asked } if asked == first), "{list:?}");
    assert!(list.wants_list());
    // An engine may find out when the watch begins or when it is read.
    let watch = match store.watch(KeyRange::all(), first).await {
        Ok(mut feed) => feed.next().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(watch.wants_list(), "{watch:?}");
}

pub async fn compaction_keeps_the_present(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    put(&*store, "gone", "1").await;
    delete(&*store, "gone").await;
    let at = put(&*store, "b", "1").await;
    let after = put(&*store, "b", "2").await;
    store.compact(at).await.unwrap();
    assert_eq!(keys(&*store, KeyQuery::at(KeyRange::all(), at)).await, ["a", "b"]);
    let listing = store.list(&KeyQuery::current(KeyRange::all())).await.unwrap();
    assert_eq!(listing.revision, after);
    assert_eq!((listing.entries[0].mod_revision, listing.entries[0].version), (first, 1));
    assert_eq!((listing.entries[1].create_revision, listing.entries[1].version), (at, 2));
    let mut feed = store.watch(KeyRange::all(), after).await.unwrap();
    assert_eq!(next(&mut *feed).await.revision, after);
    assert_eq!(put(&*store, "gone", "1").await, after + 1);
}

pub async fn compaction_of_what_is_compacted_fails(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let second = put(&*store, "a", "2").await;
    store.compact(second).await.unwrap();
    for revision in [first, second] {
        let error = store.compact(revision).await.unwrap_err();
        assert!(matches!(error, StoreError::Compacted { asked } if asked == revision), "{error:?}");
    }
    let error = store.compact(second + 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Future { .. }), "{error:?}");
}

pub async fn watch_that_is_ahead_survives_a_compaction(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let mut feed = store.watch(KeyRange::all(), first + 1).await.unwrap();
    let second = put(&*store, "a", "2").await;
    assert_eq!(next(&mut *feed).await.revision, second);
    store.compact(second).await.unwrap();
    let third = put(&*store, "a", "3").await;
    assert_eq!(next(&mut *feed).await.revision, third);
}
