//! A full engine: what it refuses it may have applied, which is reported, and room is made again.

use std::sync::Arc;

use store::{FaultKind, KeyQuery, KeyRange, Store, StoreError, StoreHealth, TxnRequest};

use store_etcd::EtcdStore;

use crate::engine::{EtcdEngine, can_run};

/// Writes in waves until something is refused.
async fn fill(store: &Arc<EtcdStore>) {
    let mut refused = 0;
    for wave in 0..10 {
        let writers = (0..8).map(|index| {
            let (store, key) = (Arc::clone(store), format!("large/{wave}/{index}"));
            tokio::spawn(async move { store.txn(TxnRequest::new().put(key, vec![7_u8; 1_000_000])).await })
        });
        for writer in writers.collect::<Vec<_>>() {
            if let Err(error) = writer.await.unwrap() {
                // Some of the transactions that etcd answers with "no space" it has applied: it looks at the quota once more
                // when it applies them, does so, and answers with the error all the same.
                assert!(
                    matches!(&error, StoreError::MaybeApplied(fault) if fault.kind == FaultKind::Full),
                    "{error:?}"
                );
                refused += 1;
            }
        }
        if refused > 0 {
            return;
        }
    }
    panic!("nothing was refused");
}

#[tokio::test]
async fn full_engine_is_told_as_what_it_is_and_recovers() {
    if !can_run() {
        return;
    }
    let engine = EtcdEngine::start_with(1, &["--quota-backend-bytes=12582912"]);
    let store = Arc::new(engine.store().await);
    store.txn(TxnRequest::new().put("kept", "1")).await.unwrap();
    fill(&store).await;
    let status = store.status().await.unwrap();
    assert!(matches!(&status.health, StoreHealth::ReadsOnly(fault) if fault.kind == FaultKind::Full), "{status:?}");
    assert_eq!(store.get(b"kept").await.unwrap().entry.unwrap().value, "1");
    assert!(store.txn(TxnRequest::new().put("kept", "2")).await.is_err());

    let deleted = store.txn(TxnRequest::new().delete_range(KeyRange::prefix("large/"))).await.unwrap().revision();
    store.compact(deleted).await.unwrap();
    store.reclaim_space().await.unwrap();
    let status = store.status().await.unwrap();
    assert!(matches!(status.health, StoreHealth::Serving), "{status:?}");
    store.txn(TxnRequest::new().put("kept", "3")).await.unwrap();
    let keys = store.list(&KeyQuery::current(KeyRange::all())).await.unwrap().entries;
    assert_eq!(keys.len(), 1);
}
