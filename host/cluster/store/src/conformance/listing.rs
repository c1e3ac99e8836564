//! Lists: ranges, limits, and earlier revisions.

use std::sync::Arc;

use super::{delete, keys, put, revision};
use crate::{KeyQuery, KeyRange, Store, StoreError};

type StoreHandle = Arc<dyn Store>;

pub async fn list_is_in_order_and_of_its_range(store: StoreHandle) {
    for key in ["b/2", "a", "b", "c", "b/1", "b0"] {
        put(&*store, key, "1").await;
    }
    let current = |range| keys(&*store, KeyQuery::current(range));
    assert_eq!(current(KeyRange::all()).await, ["a", "b", "b/1", "b/2", "b0", "c"]);
    assert_eq!(current(KeyRange::prefix("b/")).await, ["b/1", "b/2"]);
    assert_eq!(current(KeyRange::key("b")).await, ["b"]);
    assert_eq!(current(KeyRange::prefix("x")).await, [""; 0]);
}

pub async fn list_goes_on_after_a_limit(store: StoreHandle) {
    for key in ["a/1", "a/2", "a/3", "b"] {
        put(&*store, key, "1").await;
    }
    let first = KeyQuery { limit: Some(2), ..KeyQuery::current(KeyRange::prefix("a/")) };
    let page = store.list(&first).await.unwrap();
    assert!(page.more);
    assert_eq!(page.entries.len(), 2);

    // The pages are of one revision, whatever happens between them.
    delete(&*store, "a/3").await;
    let rest = first.range.after(&page.entries[1].key);
    let last = store.list(&KeyQuery { range: rest, at: Some(page.revision), limit: Some(2) }).await.unwrap();
    assert_eq!(last.entries.iter().map(|entry| &entry.key[..]).collect::<Vec<_>>(), [b"a/3"]);
    assert!(!last.more);
}

pub async fn list_at_an_earlier_revision_shows_it(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let second = put(&*store, "b", "1").await;
    let third = delete(&*store, "a").await;
    let fourth = put(&*store, "a", "2").await;
    let at = |revision| keys(&*store, KeyQuery::at(KeyRange::all(), revision));
    assert_eq!(at(first).await, ["a"]);
    assert_eq!(at(second).await, ["a", "b"]);
    assert_eq!(at(third).await, ["b"]);
    let listing = store.list(&KeyQuery::at(KeyRange::key("a"), second)).await.unwrap();
    assert_eq!((listing.revision, &listing.entries[0].value[..]), (second, &b"1"[..]));
    assert_eq!(at(fourth).await, ["a", "b"]);
}

pub async fn list_of_a_future_revision_fails(store: StoreHandle) {
    let current = put(&*store, "a", "1").await;
    let error = store.list(&KeyQuery::at(KeyRange::all(), current + 1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Future { asked, .. } if asked == current + 1), "{error:?}");
}

pub async fn get_reads_one_key(store: StoreHandle) {
    put(&*store, "a", "1").await;
    let last = put(&*store, "ab", "2").await;
    let reading = store.get(b"a").await.unwrap();
    assert_eq!(reading.revision, last);
    assert_eq!(reading.entry.as_ref().unwrap().value, "1");
    assert_eq!(reading.mod_revision(), last - 1);
    let absent = store.get(b"b").await.unwrap();
    assert_eq!((absent.entry.is_none(), absent.mod_revision()), (true, 0));
}

pub async fn status_tells_the_revision(store: StoreHandle) {
    put(&*store, "a", "1").await;
    let status = store.status().await.unwrap();
    assert_eq!(status.revision, revision(&*store).await);
    assert!(!status.engine.is_empty());
}
