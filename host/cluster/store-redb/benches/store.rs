//! The costs of the store against those of the disk in the same run: `make bench`, `cargo bench -p hostler-store-redb`.
//!
//! It prints a table and always succeeds: it is not a test.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::{KeyRange, MemoryStore, Retention, Store, TxnRequest};
use store_redb::RedbStore;
use tokio::runtime::Runtime;

/// How often each thing is measured; the median counts.
const ROUNDS: usize = 200;
/// The transactions that wait at the same time.
const TOGETHER: u32 = 200;
/// The entries of the store that is opened.
const ENTRIES: u32 = 10_000;

fn main() {
    // `cargo test --benches` runs this too, without a word.
    if std::env::args().any(|word| word == "--bench") {
        let directory = tempfile::TempDir::new().expect("a directory");
        print(&measure(directory.path()));
    }
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn print(text: &str) {
    print!("{text}");
}

fn measure(directory: &Path) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let sync = write_and_sync(directory);
    let store = Arc::new(RedbStore::create(&directory.join("store"), Retention::default()).expect("a store"));
    let memory = MemoryStore::new();
    let mut table = "| what | median | against |\n|---|--:|---|\n".to_owned();
    line(&mut table, "write 4 KiB to a file, fdatasync", sync, None);
    let put = median(|index| timed(|| runtime.block_on(put(&*store, index))));
    line(&mut table, "a transaction, alone", put, Some((sync, "the disk")));
    let shared = median_of(10, |_| timed(|| together(&runtime, &store))) / TOGETHER;
    line(&mut table, &format!("a transaction, of {TOGETHER} at once"), shared, Some((put, "alone")));
    let apply = median(|index| timed(|| runtime.block_on(self::put(&memory, index))));
    line(&mut table, "a transaction, in memory", apply, Some((put, "in a file")));
    let get = median(|_| timed(|| runtime.block_on(store.get(b"key/7")).expect("a reading")));
    line(&mut table, "get", get, Some((put, "a transaction")));
    let seen = median(|index| change_to_feed(&runtime, &memory, index));
    line(&mut table, "a change in memory, until a feed has it", seen, Some((apply, "the change")));
    let open = open_filled(&runtime, &directory.join("filled"));
    line(&mut table, &format!("open and verify {ENTRIES} entries of 300 bytes"), open, None);
    table
}

fn line(table: &mut String, what: &str, time: Duration, against: Option<(Duration, &str)>) {
    let ratio = against.map_or(String::new(), |(other, name)| match time.as_secs_f64() / other.as_secs_f64() {
        slower if slower >= 1.0 => format!("{slower:.1} × {name}"),
        faster => format!("{:.0} times faster than {name}", 1.0 / faster),
    });
    let _ = writeln!(table, "| {what} | {:.1} µs | {ratio} |", time.as_secs_f64() * 1e6);
}

async fn put(store: &dyn Store, index: usize) {
    let request = TxnRequest::new().put(format!("key/{}", index % 50), vec![b'x'; 256]);
    store.txn(request).await.expect("an outcome");
}

fn together(runtime: &Runtime, store: &Arc<RedbStore>) {
    runtime.block_on(async {
        let put = |index: u32| {
            let store = Arc::clone(store);
            tokio::spawn(async move { self::put(&*store, index as usize).await })
        };
        let tasks: Vec<_> = (0..TOGETHER).map(put).collect();
        for task in tasks {
            task.await.expect("a task");
        }
    });
}

fn change_to_feed(runtime: &Runtime, store: &MemoryStore, index: usize) -> Duration {
    runtime.block_on(async {
        let from = store.status().await.expect("a status").revision + 1;
        let mut feed = store.watch(KeyRange::all(), from).await.expect("a feed");
        let waiting = tokio::spawn(async move { feed.next().await.map(|_| Instant::now()) });
        tokio::task::yield_now().await;
        let start = Instant::now();
        put(store, index).await;
        waiting.await.expect("a task").expect("a change").duration_since(start)
    })
}

fn open_filled(runtime: &Runtime, directory: &Path) -> Duration {
    let store = RedbStore::create(directory, Retention::default()).expect("a store");
    for first in (0..ENTRIES).step_by(100) {
        let batch = (first..first + 100)
            .fold(TxnRequest::new(), |request, index| request.put(format!("svc/{index}"), vec![b'x'; 300]));
        runtime.block_on(store.txn(batch)).expect("an outcome");
    }
    runtime.block_on(store.close()).expect("a closed store");
    median_of(5, |_| {
        let mut store = None;
        let time = timed(|| store = RedbStore::open(directory, Retention::default()).ok());
        runtime.block_on(store.expect("a store").close()).expect("a closed store");
        time
    })
}

fn write_and_sync(directory: &Path) -> Duration {
    let file = File::create(directory.join("reference")).expect("a file");
    let page = [7; 4096];
    median(|index| {
        timed(|| {
            file.write_all_at(&page, index as u64 % 8 * 4096).expect("a write");
            file.sync_data().expect("a synchronisation");
        })
    })
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(measure: impl FnMut(usize) -> Duration) -> Duration {
    median_of(ROUNDS, measure)
}

fn median_of(rounds: usize, measure: impl FnMut(usize) -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(measure).collect();
    times.sort();
    times[rounds / 2]
}
