//! The store in a file: the suite, random histories over reopens, and everything about its directory.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use store::conformance::{RandomWords, StoreModel, apply_random, check_history};
use store::copy::{CopySelection, FillOrder, copy_store};
use store::{KeyQuery, KeyRange, MemoryStore, Retention, Store, StoreError, TxnRequest, WatchFeed};
use store_redb::{DamageKind, OpenError, RedbStore, StoreRebuild};
use tempfile::TempDir;

store::conformance_tests!(async { Arc::new(temporary()) });

/// A store whose files are gone already, which its open file outlives.
fn temporary() -> RedbStore {
    RedbStore::create(TempDir::new().unwrap().path(), Retention::ALL).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn put(store: &dyn Store, key: &str) -> u64 {
    block_on(store.txn(TxnRequest::new().put(key.to_owned(), "1"))).unwrap().revision()
}

/// A directory with a store of one entry, closed.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let store = RedbStore::create(directory.path(), Retention::ALL).unwrap();
    put(&store, "a");
    block_on(store.close()).unwrap();
    directory
}

fn open(directory: &Path) -> Result<RedbStore, OpenError> {
    RedbStore::open(directory, Retention::ALL)
}

fn aside(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("aside")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_history_survives_reopens(words in prop::collection::vec(any::<u64>(), 0..200), reopen in 1_usize..12) {
        block_on(async {
            let directory = TempDir::new().unwrap();
            let mut store = RedbStore::create(directory.path(), Retention::ALL).unwrap();
            let mut model = StoreModel::new(0);
            let mut words = RandomWords::Given(words.into_iter());
            let mut since = 0;
            for step in 0..15 {
                apply_random(&store, &mut model, &mut words).await;
                if step % reopen == 0 {
                    store.close().await.unwrap();
                    store = open(directory.path()).unwrap();
                    check_history(&store, &model, since).await;
                }
                if step == 7 && model.revision() > 2 {
                    since = model.revision() - 2;
                    store.compact(since).await.unwrap();
                }
            }
        });
    }
}

#[test]
fn history_is_bounded_and_so_is_the_file() {
    let directory = TempDir::new().unwrap();
    let retention = Retention { revisions: 20, bytes: usize::MAX };
    let store = RedbStore::create(directory.path(), retention).unwrap();
    let value = vec![b'x'; 10_000];
    for index in 0..200 {
        block_on(store.txn(TxnRequest::new().put((index % 3).to_string(), value.clone()))).unwrap();
    }
    let status = block_on(store.status()).unwrap();
    assert!(status.bytes < 1_500_000, "{status:?}");
    let old = block_on(store.list(&KeyQuery::at(KeyRange::all(), 100))).unwrap_err();
    assert!(matches!(old, StoreError::Compacted { .. }), "{old:?}");
    block_on(store.close()).unwrap();
    let again = RedbStore::open(directory.path(), retention).unwrap();
    assert_eq!(block_on(again.list(&KeyQuery::current(KeyRange::all()))).unwrap().revision, 200);
}

#[test]
fn revision_survives_when_nothing_else_does() {
    let directory = TempDir::new().unwrap();
    let store = RedbStore::create(directory.path(), Retention::ALL).unwrap();
    put(&store, "a");
    let deleted = block_on(store.txn(TxnRequest::new().delete("a"))).unwrap().revision();
    block_on(store.compact(deleted)).unwrap();
    block_on(store.close()).unwrap();
    assert_eq!(put(&open(directory.path()).unwrap(), "a"), deleted + 1);
}

#[test]
fn feeds_end_when_the_store_is_closed() {
    let store = temporary();
    put(&store, "a");
    let mut feed: Box<dyn WatchFeed> = block_on(store.watch(KeyRange::all(), 1)).unwrap();
    block_on(store.close()).unwrap();
    assert_eq!(block_on(feed.next()).unwrap().revision, 1);
    assert!(matches!(block_on(feed.next()), Err(StoreError::WatchLost(_))));
}

#[test]
fn store_is_made_only_on_request() {
    let directory = TempDir::new().unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::Missing { .. })));
    assert!(matches!(open(&directory.path().join("absent")), Err(OpenError::Missing { .. })));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "only the lock is there");
    let made = self::directory();
    assert!(matches!(RedbStore::create(made.path(), Retention::ALL), Err(OpenError::Exists { .. })));
}

#[test]
fn second_opener_is_refused_with_the_pid_of_the_first() {
    let directory = directory();
    let _first = open(directory.path()).unwrap();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Held { pid: Some(pid), .. } if *pid == std::process::id()), "{error:?}");

    // Another process, which is this test again.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opens_what_it_is_told", "--nocapture"])
        .env("STORE_TO_OPEN", directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(&format!("is in use by process {}", std::process::id())), "{text}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn opens_what_it_is_told() {
    if let Some(directory) = std::env::var_os("STORE_TO_OPEN") {
        println!("{}", open(Path::new(&directory)).unwrap_err());
    }
}

#[test]
fn damaged_store_is_moved_aside_and_not_replaced() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let mut content = fs::read(&path).unwrap();
    let middle = content.windows(2).position(|bytes| bytes == [1, b'p']).expect("a row");
    content[middle] ^= 4;
    fs::write(&path, &content).unwrap();

    let error = open(directory.path()).unwrap_err();
    let OpenError::Damaged { kind: DamageKind::Checksum, aside: Some(moved), .. } = &error else { panic!("{error:?}") };
    assert_eq!(fs::read(moved).unwrap(), content);
    let name = moved.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("20") && name.ends_with("Z-checksum.redb"), "{name}");
    assert!(error.to_string().contains("om cluster rebuild"), "{error}");

    // From then on it is lost: an empty store is not made by accident.
    let lost = open(directory.path()).unwrap_err();
    assert!(matches!(lost, OpenError::Lost { .. }), "{lost:?}");
    assert!(lost.to_string().contains("om cluster rebuild"), "{lost}");
    assert!(matches!(RedbStore::create(directory.path(), Retention::ALL), Err(OpenError::Exists { .. })));
}

#[test]
fn empty_and_foreign_files_are_damage() {
    for (content, kind) in [(&b""[..], "empty"), (b"#!/bin/sh\n", "foreign"), (&[0; 80_000], "foreign")] {
        let directory = directory();
        fs::write(directory.path().join("store.redb"), content).unwrap();
        let error = open(directory.path()).unwrap_err();
        assert!(matches!(&error, OpenError::Damaged { kind: found, .. } if found.as_str() == kind), "{error:?}");
        assert!(aside(directory.path())[0].ends_with(&format!("-{kind}.redb")));
    }
}

#[test]
fn lost_store_is_rebuilt() {
    let directory = directory();
    fs::remove_file(directory.path().join("store.redb")).unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::Lost { .. })));

    let source = MemoryStore::new();
    source.apply(&TxnRequest::new().put("b", "2")).unwrap();
    let order = FillOrder { selection: CopySelection::all(), mark: Bytes::from("copying"), last: Vec::new() };
    block_on(async {
        let rebuild = StoreRebuild::begin(directory.path()).unwrap();
        copy_store(&source, rebuild.store(), &order, &mut |_| {}).await.unwrap();
        let store = rebuild.finish(Retention::ALL).await.unwrap();
        assert_eq!(store.get(b"b").await.unwrap().entry.unwrap().value, "2");
        store.close().await.unwrap();
    });
    assert!(open(directory.path()).is_ok());
}

#[test]
fn rebuild_moves_the_old_store_aside_only_at_its_end() {
    let directory = directory();
    drop(StoreRebuild::begin(directory.path()).unwrap());
    let store = open(directory.path()).unwrap();
    assert_eq!(aside(directory.path()), [""; 0]);
    assert!(!directory.path().join("store.redb.new").exists());
    block_on(store.close()).unwrap();

    for _ in 0..7 {
        let rebuild = StoreRebuild::begin(directory.path()).unwrap();
        block_on(async { rebuild.finish(Retention::ALL).await.unwrap().close().await }).unwrap();
    }
    let files = aside(directory.path());
    assert_eq!(files.len(), 5);
    assert!(files.iter().all(|name| name.ends_with("-replaced.redb")), "{files:?}");
}

#[test]
fn store_whose_making_was_not_noted_is_noted_when_it_is_opened() {
    let directory = directory();
    let note = directory.path().join("made");
    fs::remove_file(&note).unwrap();
    block_on(open(directory.path()).unwrap().close()).unwrap();
    assert!(note.exists());
}

#[test]
fn store_of_a_later_format_is_left_alone() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let database = redb::Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(redb::TableDefinition::<&str, u64>::new("facts")).unwrap().insert("format", 2).unwrap();
    write.commit().unwrap();
    drop(database);
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
    assert!(path.exists());
}
