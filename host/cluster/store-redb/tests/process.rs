//! The store in real processes on a real file system: killed in the middle of its work, and on a disk that fills up.
//!
//! Each test runs this program again as the process that it watches.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use store::{FaultKind, KeyQuery, KeyRange, Retention, Store, StoreError, StoreHealth, TxnRequest};
use store_redb::RedbStore;
use tempfile::TempDir;

/// The directory of the store, in the process that is watched.
const DIRECTORY: &str = "STORE_DIRECTORY";

/// This program, running one of its tests on a directory.
fn this_program(test: &str) -> Vec<String> {
    let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [&program, "--exact", test, "--nocapture"].map(str::to_owned).to_vec()
}

fn told_directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn put(store: &RedbStore, key: u64) -> Result<u64, StoreError> {
    let request = TxnRequest::new().put(format!("key/{key}"), vec![b'x'; 5000]);
    Ok(store.txn(request).await?.revision())
}

#[test]
fn killed_process_loses_nothing_that_it_acknowledged() {
    let directory = TempDir::new().unwrap();
    block_on(RedbStore::create(directory.path(), Retention::default()).unwrap().close()).unwrap();
    let mut before = 0;
    for kill_after in [1, 3, 10, 40] {
        let words = this_program("puts_for_ever");
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = lines.filter_map(|line| line.unwrap().strip_prefix("put ")?.parse::<u64>().ok());
        let seen = acknowledged.nth(kill_after).expect("the process puts");
        child.kill().unwrap();
        child.wait().unwrap();

        let store = RedbStore::open(directory.path(), Retention::default()).unwrap();
        let listing = block_on(store.list(&KeyQuery::current(KeyRange::all()))).unwrap();
        assert!(listing.revision >= seen && seen > before, "{} is there, {seen} was seen", listing.revision);
        assert_eq!(listing.entries.len() as u64, listing.revision);
        before = listing.revision;
        block_on(store.close()).unwrap();
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn puts_for_ever() {
    let Some(directory) = told_directory() else { return };
    let store = RedbStore::open(&directory, Retention::default()).unwrap();
    block_on(async {
        let mut next = store.status().await.unwrap().revision;
        loop {
            println!("put {}", put(&store, next).await.unwrap());
            next += 1;
        }
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that skips says why")]
fn store_on_a_full_file_system_is_read_and_goes_on_when_there_is_space() {
    let directory = TempDir::new().unwrap();
    // A mount namespace of its own, which takes the mount along when it ends.
    let script = "mount -t tmpfs -o size=1m store \"$STORE_DIRECTORY\" || exit 77; exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .args(this_program("fills_its_file_system"))
        .env(DIRECTORY, directory.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code() != Some(101) => {
            eprintln!("skipped: cannot mount a tmpfs: {}", String::from_utf8_lossy(&output.stderr));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn fills_its_file_system() {
    if let Some(directory) = told_directory() {
        block_on(fill(&directory));
    }
}

async fn fill(directory: &Path) {
    let store = RedbStore::create(directory, Retention::ALL).unwrap();
    let mut applied = 0;
    let error = loop {
        match put(&store, applied).await {
            Ok(_) => applied += 1,
            Err(error) => break error,
        }
    };
    assert!(applied > 20, "{applied}");
    assert!(matches!(&error, StoreError::NotApplied(fault) if fault.kind == FaultKind::Full), "{error:?}");
    assert!(matches!(store.status().await.unwrap().health, StoreHealth::ReadsOnly(_)));
    assert_eq!(store.list(&KeyQuery::current(KeyRange::all())).await.unwrap().entries.len() as u64, applied);

    // A process that starts now can read, too.
    store.close().await.unwrap();
    let store = RedbStore::open(directory, Retention::ALL).unwrap();
    assert_eq!(store.status().await.unwrap().revision, applied);

    let grown = Command::new("mount").args(["-o", "remount,size=16m"]).arg(directory).status().unwrap();
    assert!(grown.success());
    assert_eq!(put(&store, applied).await.unwrap(), applied + 1);
    assert!(matches!(store.status().await.unwrap().health, StoreHealth::Serving));
}
