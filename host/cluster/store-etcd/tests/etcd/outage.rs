//! Members that are frozen, dead, or without a majority. Nothing waits for ever, and nothing is called "not applied" that may be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::{FaultKind, KeyQuery, KeyRange, Store, StoreError, TxnOutcome, TxnRequest};
use store_etcd::{EtcdSettings, EtcdStore};

use crate::engine::{EtcdEngine, PATIENCE, can_run, short_limits, wait_for};

fn all() -> KeyQuery {
    KeyQuery::current(KeyRange::all())
}

/// The member that leads, by its place.
async fn leader(store: &EtcdStore) -> usize {
    let begun = Instant::now();
    loop {
        let reports = store.examine_members().await;
        let leads = |(_, report): &(String, Result<store_etcd::MemberReport, _>)| {
            report.as_ref().is_ok_and(store_etcd::MemberReport::is_leader)
        };
        if let Some(index) = reports.iter().position(leads) {
            return index;
        }
        assert!(begun.elapsed() < PATIENCE, "{reports:?}");
    }
}

#[tokio::test]
async fn member_that_is_dead_costs_a_transaction_nothing() {
    if !can_run() {
        return;
    }
    let engine = EtcdEngine::start(1);
    engine.store().await;
    // Nobody listens at the first address, so it never gets what is sent.
    let settings = EtcdSettings::new(["http://127.0.0.1:9".to_owned()].into_iter().chain(engine.settings().members));
    let store = EtcdStore::new(settings);
    let outcome = store.txn(TxnRequest::new().put("a", "1")).await;
    assert!(matches!(outcome, Ok(TxnOutcome::Applied { .. })), "{outcome:?}");
}

#[tokio::test]
async fn without_any_member_nothing_was_applied() {
    let store = EtcdStore::new(EtcdSettings::new(["http://127.0.0.1:9".to_owned(), "http://127.0.0.1:10".to_owned()]));
    let error = store.txn(TxnRequest::new().put("a", "1")).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotApplied(fault) if fault.kind == FaultKind::Unreachable), "{error:?}");
    let text = std::error::Error::source(&error).and_then(|fault| fault.source()).unwrap().to_string();
    assert!(text.contains("http://127.0.0.1:9: no connection") && text.contains("127.0.0.1:10"), "{text}");
}

#[tokio::test]
async fn transaction_that_a_frozen_leader_holds_may_be_applied_and_the_next_goes_elsewhere() {
    if !can_run() {
        return;
    }
    let engine = EtcdEngine::start(3);
    let store = engine.store().await;
    let seen = store.txn(TxnRequest::new().put("a", "1")).await.unwrap().revision();
    let leader = leader(&store).await;
    // A client that prefers the leader, and has proven it.
    let mut settings = engine.settings();
    settings.members.rotate_left(leader);
    let store = EtcdStore::new(settings);
    wait_for(&store).await;

    engine.members[leader].pause();
    let begun = Instant::now();
    let given_up = store.txn(TxnRequest::new().if_unchanged("a", seen).put("a", "given up")).await;
    assert!(matches!(&given_up, Err(StoreError::MaybeApplied(_))), "{given_up:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    // The others elect a leader, and the same client goes on with them.
    wait_for(&store).await;
    let newer = store.txn(TxnRequest::new().if_unchanged("a", seen).put("a", "newer")).await.unwrap();
    assert!(matches!(newer, TxnOutcome::Applied { .. }), "{newer:?}");

    engine.members[leader].resume();
    // Once the old leader is in step again, all that it held has been proposed or dropped.
    let old = EtcdStore::new(EtcdSettings::new([engine.members[leader].plan.client()]));
    wait_for(&old).await;
    assert_eq!(old.get(b"a").await.unwrap().entry.unwrap().value, "newer");
}

#[tokio::test]
async fn without_a_majority_everything_fails_in_time_and_comes_back() {
    if !can_run() {
        return;
    }
    let mut engine = EtcdEngine::start(3);
    let store = EtcdStore::new(EtcdSettings { limits: short_limits(), ..engine.settings() });
    wait_for(&store).await;
    let first = store.txn(TxnRequest::new().put("a", "1")).await.unwrap().revision();
    let mut feed = store.watch(KeyRange::all(), first + 1).await.unwrap();
    let watching = tokio::spawn(async move { feed.next().await });
    engine.members[0].stop();
    engine.members[1].stop();

    let begun = Instant::now();
    let read = store.list(&all()).await.unwrap_err();
    assert!(matches!(&read, StoreError::Unreadable(fault) if fault.kind == FaultKind::Unreachable), "{read:?}");
    let write = store.txn(TxnRequest::new().put("a", "2")).await.unwrap_err();
    assert!(matches!(write, StoreError::NotApplied(_) | StoreError::MaybeApplied(_)), "{write:?}");
    assert!(store.watch(KeyRange::all(), first + 1).await.is_err());
    assert!(store.status().await.is_err());
    // Each of the four asks three members, of which two are not there.
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    let lost = tokio::time::timeout(PATIENCE, watching).await.unwrap().unwrap().unwrap_err();
    assert!(lost.wants_list(), "{lost:?}");

    engine.members[0].start_again();
    wait_for(&store).await;
    assert!(store.txn(TxnRequest::new().put("a", "3")).await.is_ok());
}

#[tokio::test]
async fn watch_of_a_frozen_member_ends() {
    if !can_run() {
        return;
    }
    let engine = EtcdEngine::start(1);
    let store = EtcdStore::new(EtcdSettings { limits: short_limits(), ..engine.settings() });
    wait_for(&store).await;
    let mut feed = store.watch(KeyRange::all(), store.mark().revision + 1).await.unwrap();
    // It is asked for progress several times, and answers.
    let quiet = tokio::time::timeout(Duration::from_secs(3), feed.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    engine.members[0].pause();
    let lost = tokio::time::timeout(Duration::from_secs(5), feed.next()).await.expect("the watch was to end");
    assert!(matches!(lost, Err(StoreError::WatchLost(_))), "{lost:?}");
    engine.members[0].resume();
}

#[tokio::test]
async fn catching_up_misses_nothing_however_much_there_is() {
    if !can_run() {
        return;
    }
    let engine = EtcdEngine::start(1);
    let store = Arc::new(engine.store().await);
    let first = store.txn(TxnRequest::new().put("k/0", "")).await.unwrap().revision();
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for index in 0..400 {
                store.txn(TxnRequest::new().put(format!("k/{}", index % 300), format!("{writer}"))).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    // More bytes than one answer is allowed to have elsewhere.
    for index in 0..8 {
        store.txn(TxnRequest::new().put(format!("large/{index}"), vec![7_u8; 1_400_000])).await.unwrap();
    }
    let last = store.mark().revision;
    let mut feed = store.watch(KeyRange::all(), first).await.unwrap();
    for revision in first..=last {
        assert_eq!(feed.next().await.unwrap().revision, revision);
    }
    let listing = store.list(&all()).await.unwrap();
    assert_eq!((listing.revision, listing.entries.len(), listing.more), (last, 308, false));
    assert!(listing.entries.is_sorted_by(|a, b| a.key < b.key));
}
