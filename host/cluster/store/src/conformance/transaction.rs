//! Transactions: revisions, compares, and what a refusal returns.

use std::sync::Arc;

use bytes::Bytes;

use super::{applied, delete, entry, put, revision};
use crate::{
    ComparedKey, InvalidRequest, KeyQuery, KeyRange, MAX_OPERATIONS, MAX_REQUEST_BYTES, Store, StoreError, TxnOutcome,
    TxnRequest,
};

type StoreHandle = Arc<dyn Store>;

pub async fn transaction_without_compares_is_applied(store: StoreHandle) {
    let before = revision(&*store).await;
    let after = put(&*store, "a", "1").await;
    assert!(after > before);
    assert_eq!(entry(&*store, "a").await.value, "1");
}

pub async fn entry_counts_versions_from_its_creation(store: StoreHandle) {
    let created = put(&*store, "a", "1").await;
    put(&*store, "b", "1").await;
    let changed = put(&*store, "a", "2").await;
    let found = entry(&*store, "a").await;
    assert_eq!((found.create_revision, found.mod_revision, found.version), (created, changed, 2));
}

pub async fn key_that_is_created_again_begins_anew(store: StoreHandle) {
    put(&*store, "a", "1").await;
    put(&*store, "a", "2").await;
    delete(&*store, "a").await;
    assert_eq!(store.get(b"a").await.unwrap().entry, None);
    let again = put(&*store, "a", "3").await;
    let found = entry(&*store, "a").await;
    assert_eq!((found.create_revision, found.mod_revision, found.version), (again, again, 1));
}

pub async fn transaction_takes_one_revision(store: StoreHandle) {
    put(&*store, "c", "1").await;
    let before = revision(&*store).await;
    let after = applied(&*store, TxnRequest::new().put("a", "1").put("b", "1").delete("c")).await;
    assert_eq!(after, before + 1);
    assert_eq!(revision(&*store).await, after);
    assert_eq!(entry(&*store, "a").await.mod_revision, after);
    assert_eq!(entry(&*store, "b").await.mod_revision, after);
}

pub async fn transaction_that_changes_nothing_takes_none(store: StoreHandle) {
    let before = put(&*store, "a", "1").await;
    assert_eq!(applied(&*store, TxnRequest::new()).await, before);
    assert_eq!(delete(&*store, "absent").await, before);
    assert_eq!(applied(&*store, TxnRequest::new().delete_range(KeyRange::prefix("x"))).await, before);
    assert_eq!(revision(&*store).await, before);
    assert_eq!(put(&*store, "a", "2").await, before + 1);
}

pub async fn put_of_the_same_value_is_a_change(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let second = put(&*store, "a", "1").await;
    assert_eq!(second, first + 1);
    assert_eq!(entry(&*store, "a").await.version, 2);
}

pub async fn compare_on_a_revision_guards(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let second = applied(&*store, TxnRequest::new().if_unchanged("a", first).put("a", "2")).await;
    let stale = store.txn(TxnRequest::new().if_unchanged("a", first).delete("a")).await.unwrap();
    assert!(matches!(stale, TxnOutcome::Refused { .. }), "{stale:?}");
    assert_eq!(entry(&*store, "a").await.mod_revision, second);
}

pub async fn compare_on_revision_zero_means_absent(store: StoreHandle) {
    let create = TxnRequest::new().if_unchanged("a", 0).put("a", "1");
    applied(&*store, create.clone()).await;
    assert!(matches!(store.txn(create.clone()).await, Ok(TxnOutcome::Refused { .. })));
    delete(&*store, "a").await;
    applied(&*store, create).await;
}

pub async fn compare_on_another_revision_holds_for_absent_keys(store: StoreHandle) {
    let first = put(&*store, "a", "1").await;
    let moved = TxnRequest::new().if_changed("a", first).put("b", "1");
    assert!(matches!(store.txn(moved.clone()).await, Ok(TxnOutcome::Refused { .. })));
    delete(&*store, "a").await;
    applied(&*store, moved).await;
    assert!(matches!(store.txn(TxnRequest::new().if_changed("a", 0)).await, Ok(TxnOutcome::Refused { .. })));
}

pub async fn compare_on_a_value_fails_for_absent_keys(store: StoreHandle) {
    let guarded = TxnRequest::new().if_value("gen", "1").put("a", "1");
    assert!(matches!(store.txn(guarded.clone()).await, Ok(TxnOutcome::Refused { .. })));
    let empty = TxnRequest::new().if_value("gen", "").put("a", "1");
    assert!(matches!(store.txn(empty).await, Ok(TxnOutcome::Refused { .. })));
    put(&*store, "gen", "1").await;
    applied(&*store, guarded.clone()).await;
    put(&*store, "gen", "2").await;
    assert!(matches!(store.txn(guarded).await, Ok(TxnOutcome::Refused { .. })));
}

pub async fn refused_transaction_returns_what_was_compared(store: StoreHandle) {
    put(&*store, "a", "1").await;
    let last = put(&*store, "b", "2").await;
    let request =
        TxnRequest::new().if_value("a", "1").if_unchanged("absent", 7).if_unchanged("b", 1).put("a", "x").put("c", "x");
    let outcome = store.txn(request).await.unwrap();
    let found = |key: &str, entry| ComparedKey { key: Bytes::from(key.to_owned()), entry };
    let compared = vec![
        found("a", Some(entry(&*store, "a").await)),
        found("absent", None),
        found("b", Some(entry(&*store, "b").await)),
    ];
    assert_eq!(outcome, TxnOutcome::Refused { revision: last, compared });
    assert_eq!(entry(&*store, "a").await.value, "1");
    assert_eq!(store.get(b"c").await.unwrap().entry, None);
}

pub async fn range_is_deleted_at_once(store: StoreHandle) {
    for key in ["a", "b/1", "b/2", "c"] {
        put(&*store, key, "1").await;
    }
    let before = revision(&*store).await;
    assert_eq!(applied(&*store, TxnRequest::new().delete_range(KeyRange::prefix("b/"))).await, before + 1);
    assert_eq!(super::keys(&*store, KeyQuery::current(KeyRange::all())).await, ["a", "c"]);
}

pub async fn largest_transaction_is_applied(store: StoreHandle) {
    let value = vec![7_u8; MAX_REQUEST_BYTES - 3];
    applied(&*store, TxnRequest::new().put("big", value.clone())).await;
    assert_eq!(entry(&*store, "big").await.value, value);

    let many = (0..MAX_OPERATIONS).fold(TxnRequest::new(), |request, index| {
        let key = format!("many/{index:03}");
        request.if_unchanged(key.clone(), 0).put(key, "1")
    });
    let revision = applied(&*store, many).await;
    let listing = store.list(&KeyQuery::current(KeyRange::prefix("many/"))).await.unwrap();
    assert_eq!(listing.entries.len(), MAX_OPERATIONS);
    assert!(listing.entries.iter().all(|entry| entry.mod_revision == revision));
}

pub async fn keys_and_values_are_any_bytes(store: StoreHandle) {
    let every: Vec<u8> = (0..=255).collect();
    for key in [&b"\0"[..], b"\xff\xff", b"a\0b", &every] {
        applied(&*store, TxnRequest::new().put(key.to_vec(), every.clone())).await;
        assert_eq!(store.get(key).await.unwrap().entry.unwrap().value, every);
    }
    applied(&*store, TxnRequest::new().put("empty", "")).await;
    assert_eq!(entry(&*store, "empty").await.value, "");
}

pub async fn invalid_transactions_are_refused(store: StoreHandle) {
    let before = put(&*store, "a", "1").await;
    let twice = store.txn(TxnRequest::new().put("a", "1").put("a", "2")).await;
    assert!(matches!(twice, Err(StoreError::Invalid(InvalidRequest::DuplicateKey { .. }))), "{twice:?}");
    let large = store.txn(TxnRequest::new().put("a", vec![0_u8; MAX_REQUEST_BYTES])).await;
    assert!(matches!(large, Err(StoreError::Invalid(InvalidRequest::TooLarge { .. }))), "{large:?}");
    assert_eq!(revision(&*store).await, before);
}

pub async fn of_contending_transactions_one_is_applied(store: StoreHandle) {
    let contend = |value: u8| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.txn(TxnRequest::new().if_unchanged("slot", 0).put("slot", vec![value])).await })
    };
    let tasks: Vec<_> = (0..20).map(contend).collect();
    let mut winners = Vec::new();
    for (value, task) in (0_u8..).zip(tasks) {
        match task.await.unwrap().unwrap() {
            TxnOutcome::Applied { .. } => winners.push(value),
            TxnOutcome::Refused { compared, .. } => assert!(compared[0].entry.is_some()),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(entry(&*store, "slot").await.value, winners);
}
