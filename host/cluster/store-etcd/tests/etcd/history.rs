//! An engine that is not what it was: wiped, restored, another one.

use store::{FaultKind, KeyQuery, KeyRange, Store, StoreError, TxnRequest};
use store_etcd::{EngineMark, EtcdSettings, EtcdStore, GenerationReader};

use crate::engine::{EtcdEngine, can_run, wait_for};

fn with_generation(settings: EtcdSettings) -> EtcdSettings {
    let read = |value: &[u8]| std::str::from_utf8(value).ok()?.parse().ok();
    EtcdSettings { generation: Some(GenerationReader { key: "generation".into(), read }), ..settings }
}

async fn put(store: &EtcdStore, key: &'static str, value: &str) -> u64 {
    store.txn(TxnRequest::new().put(key, value.to_owned())).await.unwrap().revision()
}

fn kind(error: &StoreError) -> FaultKind {
    match error {
        StoreError::Unreadable(fault) | StoreError::NotApplied(fault) | StoreError::MaybeApplied(fault) => fault.kind,
        other => panic!("{other:?}"),
    }
}

/// Waits until the engine is refused for what it is, and not for being on its way up.
async fn refused(store: &EtcdStore) -> StoreError {
    let all = KeyQuery::current(KeyRange::all());
    loop {
        match store.list(&all).await {
            Err(error) if kind(&error) == FaultKind::Regressed => return error,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Ok(listing) => panic!("it was to be refused: {listing:?}"),
        }
    }
}

#[tokio::test]
async fn wiped_engine_is_refused_until_it_is_accepted() {
    if !can_run() {
        return;
    }
    let mut engine = EtcdEngine::start(1);
    let store = engine.store().await;
    put(&store, "a", "1").await;
    let seen = store.mark();
    engine.members[0].wipe();
    engine.members[0].start_again();
    let error = refused(&store).await;
    assert!(format!("{error:?}").contains("Older"), "{error:?}");
    // Nothing is sent to it, so nothing was applied.
    let txn = store.txn(TxnRequest::new().put("a", "2")).await.unwrap_err();
    assert!(matches!(&txn, StoreError::NotApplied(fault) if fault.kind == FaultKind::Regressed), "{txn:?}");
    assert!(store.watch(KeyRange::all(), 2).await.is_err());
    assert_eq!(store.mark(), seen);

    // Another life of the process, which begins with the mark that this one kept.
    let again = EtcdStore::new(EtcdSettings { mark: seen, ..engine.settings() });
    refused(&again).await;

    store.accept_engine();
    put(&store, "a", "3").await;
    assert!(store.mark().revision < seen.revision + 2);
}

#[tokio::test]
async fn restored_engine_is_refused_unless_its_generation_is_greater() {
    if !can_run() {
        return;
    }
    let mut engine = EtcdEngine::start(1);
    let store = EtcdStore::new(with_generation(engine.settings()));
    wait_for(&store).await;
    put(&store, "generation", "1").await;
    put(&store, "a", "yesterday").await;
    let copy = engine.members[0].back_up();
    wait_for(&store).await;
    put(&store, "a", "today").await;
    let last = put(&store, "a", "now").await;

    engine.members[0].restore(&copy);
    engine.members[0].start_again();
    refused(&store).await;
    assert_eq!(store.mark().revision, last);

    // A restore by Hostler writes another generation, here by a client that has seen nothing yet.
    let restorer = engine.store().await;
    let written = put(&restorer, "generation", "2").await;
    assert!(written < last);
    wait_for(&store).await;
    assert_eq!(store.mark(), EngineMark { generation: 2, revision: written, ..restorer.mark() });
    assert_eq!(store.get(b"a").await.unwrap().entry.unwrap().value, "yesterday");
}

#[tokio::test]
async fn engine_of_another_cluster_is_refused() {
    if !can_run() {
        return;
    }
    let mine = EtcdEngine::start(1);
    let other = EtcdEngine::start_with(1, &["--initial-cluster-token", "other"]);
    let mark = { mine.store().await.mark() };
    let store = EtcdStore::new(EtcdSettings { mark, ..other.settings() });
    let error = refused(&store).await;
    assert!(format!("{error:?}").contains("Foreign"), "{error:?}");
}
