//! A disk that fails or fills up under a running store: each transaction ends as it was answered, reads go on, and the store works
//! again when the disk does.

use std::io::ErrorKind;

use store::conformance::{RandomWords, StoreModel, check_history, random_request};
use store::{FaultKind, KeyRange, Retention, Store, StoreError, StoreHealth, TxnOutcome, TxnRequest};

use crate::RedbStore;
use crate::crash_tests::{empty_store, run_script};
use crate::fault_disk::FaultDisk;
use crate::file::StoreFile;
use crate::medium::StoreMedium;

fn start(disk: &FaultDisk) -> RedbStore {
    let file = StoreFile::open(disk.open().unwrap()).unwrap();
    let timeline = file.load().unwrap();
    RedbStore::start(disk.clone(), file, timeline, Retention::ALL).unwrap()
}

/// Applies random requests one after the other, and follows what was answered in the model.
struct Follower {
    model: StoreModel,
    /// A transaction that may have been applied.
    doubt: Option<TxnRequest>,
    faults: Vec<StoreError>,
}

impl Follower {
    fn new() -> Self {
        Self { model: StoreModel::new(0), doubt: None, faults: Vec::new() }
    }

    async fn step(&mut self, store: &RedbStore, request: TxnRequest) {
        if request.check().is_err() {
            return;
        }
        match store.txn(request.clone()).await {
            Ok(outcome) => {
                // The file is open again, so what was in doubt is decided: the revisions show it.
                let mut without = self.model.clone();
                match self.doubt.take() {
                    Some(doubt) if without.apply(&request) != outcome => drop(self.model.apply(&doubt)),
                    _ => {}
                }
                assert_eq!(outcome, self.model.apply(&request));
            }
            Err(error) => {
                self.settle(store).await;
                if error.may_be_applied() {
                    self.doubt = Some(request);
                } else {
                    assert!(matches!(error, StoreError::NotApplied(_)), "{error:?}");
                }
                self.faults.push(error);
            }
        }
    }

    /// A transaction in doubt was applied if the store got further, while the last one failed.
    async fn settle(&mut self, store: &RedbStore) {
        let revision = store.status().await.unwrap().revision;
        if let Some(doubt) = self.doubt.take_if(|_| revision > self.model.revision()) {
            self.model.apply(&doubt);
        }
    }
}

async fn run(disk: &FaultDisk, fault: impl Fn(&FaultDisk)) -> Follower {
    let store = start(disk);
    let mut follower = Follower::new();
    let mut words = RandomWords::Seed(11);
    for step in 0..10 {
        if step == 3 {
            fault(disk);
        }
        let request = random_request(&mut words, &follower.model);
        follower.step(&store, request).await;
        follower.step(&store, TxnRequest::new().put("large", vec![b'x'; 20_000])).await;
    }
    disk.state().capacity = None;
    disk.state().fails_at = None;
    follower.step(&store, TxnRequest::new().put("last", "1")).await;
    check_history(&store, &follower.model, 0).await;
    assert!(matches!(store.status().await.unwrap().health, StoreHealth::Serving));
    store.close().await.unwrap();
    check_history(&start(disk), &follower.model, 0).await;
    follower
}

/// Runs with a failure that begins at each operation in turn and lasts for some. Returns how many transactions failed, and
/// how many of them were in doubt.
async fn fail_everywhere(length: u64, kind: ErrorKind) -> (usize, usize) {
    let content = empty_store();
    let whole = FaultDisk::holding(content.clone());
    run(&whole, |_| {}).await;
    let mut faults = Vec::new();
    for fails_at in 1..=whole.operations() {
        let disk = FaultDisk::holding(content.clone());
        let follower = run(&disk, |disk| {
            let mut state = disk.state();
            let first = state.operations() + fails_at;
            state.fails_at = Some((first..first + length, kind));
        });
        faults.extend(follower.await.faults);
    }
    (faults.len(), faults.iter().filter(|error| error.may_be_applied()).count())
}

#[tokio::test]
async fn operation_that_fails_once_leaves_no_doubt() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem] {
        let (failed, in_doubt) = fail_everywhere(1, kind).await;
        assert!(failed > 10, "{failed} transactions failed with {kind}");
        assert_eq!(in_doubt, 0);
    }
}

#[tokio::test]
async fn operations_that_fail_for_a_while_leave_doubt_that_ends_with_them() {
    for length in [2, 5, 20] {
        let (failed, in_doubt) = fail_everywhere(length, ErrorKind::Other).await;
        assert!(in_doubt > 10 && failed >= in_doubt, "{failed} failed, {in_doubt} in doubt");
    }
}

#[tokio::test]
async fn full_disk_refuses_changes_and_serves_reads_until_there_is_space() {
    let content = empty_store();
    let mut failed = 0;
    for spare in 0..12 {
        let disk = FaultDisk::holding(content.clone());
        let follower = run(&disk, |disk| {
            let blocks = disk.blocks();
            disk.state().capacity = Some(blocks + spare);
        })
        .await;
        failed += follower.faults.len();
        let kind = |error: &StoreError| match error {
            StoreError::NotApplied(fault) | StoreError::MaybeApplied(fault) => fault.kind,
            other => panic!("{other:?}"),
        };
        assert!(follower.faults.iter().all(|error| kind(error) == FaultKind::Full), "{:?}", follower.faults);
    }
    assert!(failed > 0);
}

#[tokio::test]
async fn store_opens_on_a_full_disk() {
    for close in [true, false] {
        let disk = FaultDisk::holding(empty_store());
        let run = run_script(&disk, close);
        let blocks = disk.blocks();
        disk.state().capacity = Some(blocks);
        let store = start(&disk);
        check_history(&store, &run.model, run.compacted[0]).await;
        let error = store.txn(TxnRequest::new().put("large", vec![b'x'; 200_000])).await.unwrap_err();
        assert!(matches!(&error, StoreError::NotApplied(fault) if fault.kind == FaultKind::Full), "{error:?}");
        disk.state().capacity = None;
        store.txn(TxnRequest::new().put("large", vec![b'x'; 200_000])).await.unwrap();
    }
}

#[test]
fn store_is_not_made_on_a_full_disk() {
    let disk = FaultDisk::default();
    disk.state().capacity = Some(3);
    let error = StoreFile::create(disk.open().unwrap()).unwrap_err();
    assert_eq!(error.into_fault().kind, FaultKind::Full);
}

#[tokio::test]
async fn disk_that_is_gone_leaves_a_store_that_can_be_read() {
    let disk = FaultDisk::holding(empty_store());
    let store = start(&disk);
    store.txn(TxnRequest::new().put("a", "1")).await.unwrap();
    let operations = disk.operations();
    disk.state().dies_at = Some(operations + 1);
    let first = store.txn(TxnRequest::new().put("a", "2")).await.unwrap_err();
    assert!(first.may_be_applied(), "{first:?}");
    let second = store.txn(TxnRequest::new().put("a", "3")).await.unwrap_err();
    assert!(matches!(second, StoreError::NotApplied(_)), "{second:?}");
    assert_eq!(store.get(b"a").await.unwrap().entry.unwrap().value, "1");
    assert!(matches!(store.status().await.unwrap().health, StoreHealth::ReadsOnly(_)));
}

#[tokio::test]
async fn writer_that_panics_leaves_a_store_that_says_so() {
    let disk = FaultDisk::holding(empty_store());
    let store = start(&disk);
    store.txn(TxnRequest::new().put("a", "1")).await.unwrap();
    let mut feed = store.watch(KeyRange::all(), 2).await.unwrap();
    {
        let mut state = disk.state();
        let next = state.operations() + 1;
        state.fails_at = Some((next..next + 1, ErrorKind::Other));
        state.panics = true;
    }
    let first = store.txn(TxnRequest::new().put("a", "2")).await.unwrap_err();
    assert!(first.may_be_applied(), "{first:?}");
    assert!(matches!(feed.next().await, Err(StoreError::WatchLost(_))));
    let second = store.txn(TxnRequest::new().put("a", "3")).await.unwrap_err();
    assert!(matches!(&second, StoreError::NotApplied(fault) if fault.kind == FaultKind::Closed), "{second:?}");
    assert_eq!(store.get(b"a").await.unwrap().entry.unwrap().value, "1");
    assert!(matches!(store.status().await.unwrap().health, StoreHealth::ReadsOnly(_)));
}

#[tokio::test]
async fn transactions_that_wait_share_commits() {
    let disk = FaultDisk::holding(empty_store());
    let store = std::sync::Arc::new(start(&disk));
    let before = disk.operations();
    store.txn(TxnRequest::new().put("warm", "1")).await.unwrap();
    let one = disk.operations() - before;
    let tasks: Vec<_> = (0..200)
        .map(|index: u32| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move { store.txn(TxnRequest::new().put(index.to_string(), "1")).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Ok(TxnOutcome::Applied { .. })));
    }
    let all = disk.operations() - before - one;
    assert!(all < 100 * one, "200 transactions took {all} operations, one took {one}");
}
