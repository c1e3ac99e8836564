//! The store in memory: the suite, random histories, and what only an embedded engine has.

use std::sync::Arc;

use proptest::prelude::*;
use store::conformance::{RandomWords, StoreModel, apply_random, check_history};
use store::{KeyQuery, KeyRange, MemoryStore, Retention, Store, StoreError, TxnRequest};

store::conformance_tests!(async { Arc::new(MemoryStore::new()) });

#[test]
fn every_case_of_the_suite_is_run() {
    let suite = include_str!("../src/conformance/mod.rs");
    let sources = [
        include_str!("../src/conformance/compaction.rs"),
        include_str!("../src/conformance/history.rs"),
        include_str!("../src/conformance/listing.rs"),
        include_str!("../src/conformance/transaction.rs"),
        include_str!("../src/conformance/watching.rs"),
    ];
    let cases = sources.iter().flat_map(|source| source.lines());
    let names = cases.filter_map(|line| line.strip_prefix("pub async fn ")?.strip_suffix("(store: StoreHandle) {"));
    let missing: Vec<&str> = names.filter(|name| !suite.contains(&format!("            {name}\n"))).collect();
    assert_eq!(missing, [""; 0]);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn put(store: &MemoryStore, key: &str) -> u64 {
    store.apply(&TxnRequest::new().put(key.to_owned(), "1")).unwrap().revision()
}

proptest! {
    #[test]
    fn any_history_is_that_of_the_model(words in prop::collection::vec(any::<u64>(), 0..300), compact in any::<prop::sample::Index>()) {
        block_on(async {
            let store = MemoryStore::new();
            let mut model = StoreModel::new(0);
            let mut words = RandomWords::Given(words.into_iter());
            for _ in 0..25 {
                apply_random(&store, &mut model, &mut words).await;
            }
            check_history(&store, &model, 0).await;
            let at = compact.index(model.revision() as usize + 1) as u64;
            if at > 0 {
                store.compact(at).await.unwrap();
                check_history(&store, &model, at).await;
            }
        });
    }
}

#[test]
fn equal_requests_give_equal_stores() {
    let run = || {
        let store = MemoryStore::new();
        let mut model = StoreModel::new(0);
        let mut words = RandomWords::Seed(7);
        block_on(async {
            for _ in 0..200 {
                apply_random(&store, &mut model, &mut words).await;
            }
        });
        format!("{store:?}")
    };
    assert_eq!(run(), run());
}

#[test]
fn slow_reader_costs_no_memory_and_must_list_again() {
    let store = MemoryStore::with(Retention { revisions: 100, bytes: usize::MAX });
    let mut slow = block_on(store.watch(KeyRange::all(), 1)).unwrap();
    for index in 0..10_000 {
        put(&store, &format!("{}", index % 10));
    }
    let error = block_on(slow.next()).unwrap_err();
    assert!(matches!(error, StoreError::Compacted { asked: 1 }), "{error:?}");
    assert!(block_on(store.status()).unwrap().bytes < 125 * 128);
    let listing = store.entries(&KeyQuery::current(KeyRange::all())).unwrap();
    assert_eq!((listing.revision, listing.entries.len()), (10_000, 10));
    let mut feed = block_on(store.watch(KeyRange::all(), listing.revision + 1)).unwrap();
    put(&store, "a");
    assert_eq!(block_on(feed.next()).unwrap().revision, 10_001);
}

#[test]
fn large_values_shorten_the_history() {
    let store = MemoryStore::with(Retention { revisions: u64::MAX, bytes: 1 << 20 });
    for _ in 0..100 {
        store.apply(&TxnRequest::new().put("a", vec![0_u8; 100_000])).unwrap();
    }
    assert!(block_on(store.status()).unwrap().bytes <= 5 << 18);
    assert!(store.entries(&KeyQuery::at(KeyRange::all(), 91)).is_ok());
    assert!(store.entries(&KeyQuery::at(KeyRange::all(), 80)).is_err());
}

#[test]
fn feeds_end_with_the_store() {
    let store = MemoryStore::new();
    put(&store, "a");
    let mut feed = block_on(store.watch(KeyRange::all(), 1)).unwrap();
    drop(store);
    assert_eq!(block_on(feed.next()).unwrap().revision, 1);
    let error = block_on(feed.next()).unwrap_err();
    assert!(matches!(error, StoreError::WatchLost(_)), "{error:?}");
}

#[test]
fn transaction_that_was_never_polled_was_not_asked_for() {
    let store = MemoryStore::new();
    drop(store.txn(TxnRequest::new().put("a", "1")));
    assert_eq!(block_on(store.status()).unwrap().revision, 0);
}
