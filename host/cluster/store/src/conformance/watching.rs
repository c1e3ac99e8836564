//! Watches: from any revision, every change of the range, once and in order.

use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;

use super::{applied, changes_until, delete, entry, next, put, revision};
use crate::{KeyEvent, KeyRange, Store, StoreError, TxnRequest};

type StoreHandle = Arc<dyn Store>;

pub async fn watch_begins_where_it_is_told(store: StoreHandle) {
    put(&*store, "a", "1").await;
    let second = put(&*store, "a", "2").await;
    let third = put(&*store, "a", "3").await;
    let mut feed = store.watch(KeyRange::all(), second).await.unwrap();
    assert_eq!(next(&mut *feed).await.revision, second);
    let change = next(&mut *feed).await;
    assert_eq!(change.revision, third);
    assert_eq!(change.events[..], [KeyEvent::Put(entry(&*store, "a").await)]);
}

pub async fn watch_sees_its_range_only(store: StoreHandle) {
    let first = put(&*store, "b/1", "1").await;
    let mut feed = store.watch(KeyRange::prefix("b/"), first + 1).await.unwrap();
    put(&*store, "a", "1").await;
    put(&*store, "c", "1").await;
    let last = applied(&*store, TxnRequest::new().put("a", "2").put("b/2", "1")).await;
    let change = next(&mut *feed).await;
    assert_eq!(change.revision, last);
    assert_eq!(change.events[..], [KeyEvent::Put(entry(&*store, "b/2").await)]);
}

pub async fn watch_sees_deletions(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let deleted = delete(&*store, "a").await;
    let mut feed = store.watch(KeyRange::key("a"), first + 1).await.unwrap();
    let change = next(&mut *feed).await;
    assert_eq!(change.revision, deleted);
    assert_eq!(change.events[..], [KeyEvent::Delete { key: Bytes::from("a") }]);
}

pub async fn watch_gets_a_transaction_whole(store: StoreHandle) {
    put(&*store, "a", "1").await;
    put(&*store, "b", "1").await;
    let both = applied(&*store, TxnRequest::new().delete("a").put("b", "2").put("c", "1")).await;
    let mut feed = store.watch(KeyRange::all(), both).await.unwrap();
    let change = next(&mut *feed).await;
    let mut keys: Vec<_> = change.events.iter().map(|event| (event.key().clone(), event.entry().is_some())).collect();
    keys.sort();
    assert_eq!(keys, [(Bytes::from("a"), false), (Bytes::from("b"), true), (Bytes::from("c"), true)]);
}

pub async fn watch_waits_for_a_change(store: StoreHandle) {
    let from = revision(&*store).await + 1;
    let mut feed = store.watch(KeyRange::all(), from).await.unwrap();
    let waiting = tokio::spawn(async move { feed.next().await.map(|change| change.revision) });
    tokio::task::yield_now().await;
    let changed = put(&*store, "a", "1").await;
    assert_eq!(waiting.await.unwrap().unwrap(), changed);
}

pub async fn watch_of_the_future_fails(store: StoreHandle) {
    let current = put(&*store, "a", "1").await;
    let error = store.watch(KeyRange::all(), current + 2).await.unwrap_err();
    assert!(matches!(error, StoreError::Future { asked, .. } if asked == current + 2), "{error:?}");
    assert!(store.watch(KeyRange::all(), current + 1).await.is_ok());
}

pub async fn dropped_wait_loses_nothing(store: StoreHandle) {
    let from = revision(&*store).await + 1;
    let mut feed = store.watch(KeyRange::all(), from).await.unwrap();
    let _ = feed.next().as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let first = put(&*store, "a", "1").await;
    let second = put(&*store, "a", "2").await;
    let seen = changes_until(&mut *feed, second).await;
    assert_eq!(seen.iter().map(|change| change.revision).collect::<Vec<_>>(), [first, second]);
}

pub async fn many_watches_see_the_same(store: StoreHandle) {
    let from = revision(&*store).await + 1;
    let mut feeds = Vec::new();
    for _ in 0..50 {
        feeds.push(store.watch(KeyRange::all(), from).await.unwrap());
    }
    let mut last = 0;
    for value in 0..100 {
        last = put(&*store, "a", &value.to_string()).await;
    }
    let mut seen = Vec::new();
    for feed in &mut feeds {
        seen.push(changes_until(&mut **feed, last).await);
    }
    assert_eq!(seen[0].len(), 100);
    assert!(seen.iter().all(|changes| *changes == seen[0]));
}
