//! Stores that are copied: a node's own into the engine, the engine's into a node's own, into a file, and back. All by the one
//! routine of `store::copy`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use model::{NodeName, ObjectPath};
use replica::request::{ConfigPublication, publish_config};
use replica::{ConfigRow, GenerationRow, SharedKey, SharedState, everything, generation_key};
use store::copy::{
    ArchiveError, ArchiveReader, CopyError, CopySelection, EntrySource, FillError, FillOrder, copy_store, export_store,
};
use store::{KeyQuery, KeyRange, MemoryStore, Retention, Store, StoreError, TxnOperation, TxnOutcome};
use store_redb::{OpenError, RedbStore};

use crate::{ClusterPlace, FileFault, Roster, RosterFault, file};

/// Stands in a store as long as a copy into it is not whole.
pub(crate) const MARK: &[u8] = b"copying";

/// So many archives that were made by themselves are kept.
const KEPT: usize = 10;

/// How long a store that is held is waited for.
const HELD_WAIT: Duration = Duration::from_secs(10);
const HELD_PAUSE: Duration = Duration::from_millis(50);

/// Why a store cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFault {
    #[error("this node's own store cannot be opened")]
    Own(#[from] OpenError),
    #[error("the copy is not made")]
    Fill(#[from] FillError),
    #[error("the engine is not read")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Roster(#[from] RosterFault),
    #[error(transparent)]
    File(#[from] FileFault),
    #[error("{} is not used", .0.display())]
    Archive(PathBuf, #[source] ArchiveError),
    #[error("{} is not written", .0.display())]
    Write(PathBuf, #[source] CopyError),
    #[error("others changed {0} at the same time: try again")]
    Overtaken(ObjectPath),
}

/// Fills a new engine with this node's own store, begins another generation, and writes the roster: all of it or nothing.
pub async fn take_over(place: &ClusterPlace, engine: &dyn Store, roster: &Roster) -> Result<u64, ArchiveFault> {
    let own = open_own(place).await?;
    let empty = MemoryStore::default();
    let from: &dyn Store = own.as_ref().map_or(&empty as &dyn Store, |own| own);
    let (key, value) = roster.row();
    // Both are written in the transaction that removes the mark. An engine that was filled half has no roster, so
    // no node takes it for its cluster.
    let last = vec![next_generation(from).await?, TxnOperation::Put { key: key.into(), value: value.into() }];
    let selection = CopySelection { range: everything(), keep: &is_of_all_lives };
    let order = FillOrder { selection, mark: Bytes::from_static(MARK), last };
    let filled = copy_store(from, engine, &order, &mut |_| {}).await;
    close(own).await;
    Ok(filled?.copied.entries)
}

/// Moves the objects of this node's own store into the engine of others, one by one. What is there already stays as it is.
pub async fn move_in(place: &ClusterPlace, engine: &dyn Store) -> Result<usize, ArchiveFault> {
    let Some(own) = open_own(place).await? else { return Ok(0) };
    let moved = move_objects(&own, engine).await;
    close(Some(own)).await;
    moved
}

async fn move_objects(own: &RedbStore, engine: &dyn Store) -> Result<usize, ArchiveFault> {
    let listing = own.list(&KeyQuery::current(everything())).await?;
    let mut moved = 0;
    for entry in &listing.entries {
        // Each object has a mark of its own, below its prefix: a move that was cut short goes on with the objects
        // that are missing, and one of them is whole or marked.
        let Some(SharedKey::Object(path)) = SharedKey::parse(&entry.key) else { continue };
        let prefix = SharedKey::Object(path).to_bytes();
        let prefix = prefix.strip_suffix(b"shared").unwrap_or(&prefix).to_vec();
        let mark = Bytes::from([&prefix[..], MARK].concat());
        let selection = CopySelection { range: KeyRange::prefix(prefix), keep: &is_of_all_lives };
        let order = FillOrder { selection, mark, last: Vec::new() };
        match copy_store(own, engine, &order, &mut |_| {}).await {
            Ok(_) => moved += 1,
            // Moved by an earlier try, or the cluster's own: `AdmissionDesk` has checked that the two are the
            // same.
            Err(FillError::NotEmpty { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(moved)
}

/// Makes this node's own store from that of the cluster it leaves, with these objects.
pub async fn move_out(
    place: &ClusterPlace,
    engine: &dyn Store,
    node: &NodeName,
    stays: &(dyn Fn(&ObjectPath) -> bool + Send + Sync),
) -> Result<(), ArchiveFault> {
    let keep = |key: &[u8]| match SharedKey::parse(key) {
        Some(SharedKey::Object(path)) => stays(&path),
        Some(SharedKey::NodeFlags(of)) => of == *node,
        _ => false,
    };
    // First, as `RedbStore::create` takes no place that holds a store. Aside it can be looked at when the move
    // fails.
    place.set_own_store_aside()?;
    let directory = place.own_store();
    let own = blocking(move || RedbStore::create(&directory, Retention::default())).await?;
    let last = vec![next_generation(engine).await?];
    let selection = CopySelection { range: everything(), keep: &keep };
    let order = FillOrder { selection, mark: Bytes::from_static(MARK), last };
    let filled = copy_store(engine, &own, &order, &mut |_| {}).await;
    close(Some(own)).await;
    filled?;
    Ok(())
}

/// Writes an archive of the engine, by default into the directory of those that are made by themselves. Returns its file, and how
/// many entries it has.
pub async fn back_up(
    place: &ClusterPlace,
    engine: &dyn Store,
    to: Option<&Path>,
) -> Result<(PathBuf, u64), ArchiveFault> {
    let directory = place.directory().join("backup");
    let target = to.map_or_else(|| directory.join(format!("store-{:011}", crate::token::now())), Path::to_owned);
    let above = target.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if to.is_none() {
        file::make_directory(&directory)?;
    }
    // Made with mode 0600: configurations may hold what is not for everyone.
    // Beside the target: rename(2) replaces a file at once, but only within one file system.
    let draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(above);
    let draft = draft.map_err(FileFault::new("write", &target))?;
    let report = export_store(engine, CopySelection::all(), draft.as_file(), &mut |_| {}).await;
    let report = report.map_err(|error| ArchiveFault::Write(target.clone(), error))?;
    // Before the rename: after a crash, the name would otherwise stand for an archive without its content.
    draft.as_file().sync_all().map_err(FileFault::new("write", &target))?;
    draft.persist(&target).map_err(|error| FileFault::new("write", &target)(error.error))?;
    // And its name: without that, a crash after the answer could still take the archive away.
    let synced = File::open(above).and_then(|above| above.sync_all());
    synced.map_err(FileFault::new("write", above))?;
    if to.is_none() {
        place.keep_newest(&directory, "store", KEPT);
    }
    Ok((target, report.copied.entries))
}

/// How old the newest of the archives is that were made by themselves. None if there is none.
pub(crate) fn newest_age(place: &ClusterPlace, now: SystemTime) -> Option<Duration> {
    let entries = std::fs::read_dir(place.directory().join("backup")).into_iter().flatten().flatten();
    let archives = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("store-"));
    let newest = archives.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()?;
    // The clock may have been set back since.
    Some(now.duration_since(newest).unwrap_or_default())
}

/// Brings the configurations of an archive back, as a change like any other: whatever runs goes on, and no earlier life begins again.
/// Returns the objects that differ, or were missing. With `dry_run` nothing is changed.
pub async fn restore(
    engine: &dyn Store,
    from: &Path,
    selects: &(dyn Fn(&ObjectPath) -> bool + Send + Sync),
    dry_run: bool,
) -> Result<Vec<ObjectPath>, ArchiveFault> {
    let mut changed = Vec::new();
    for (path, row) in read_archive(from).await? {
        if !selects(&path) || row.text.is_empty() {
            continue;
        }
        // Read again for each object: the request compares the revisions that are read here, and daemons go on
        // writing meanwhile.
        let listing = engine.list(&KeyQuery::current(everything())).await?;
        let state = SharedState::of(&listing).map_err(|error| RosterFault::Row(error.to_string()))?;
        let scope: Vec<NodeName> = row.scope.iter().filter_map(|node| node.parse().ok()).collect();
        let config = ConfigPublication { checksum: &row.checksum, text: Some(&row.text), scope: &scope };
        let known = state.objects.get(&path).and_then(|object| object.config.as_ref());
        // Not written again, as daemons would take that for a change of the configuration.
        if known.is_some_and(|known| known.value.checksum == row.checksum) {
            continue;
        }
        let Some(request) = publish_config(&state, &path, config) else { continue };
        if !dry_run && !matches!(engine.txn(request).await?, TxnOutcome::Applied { .. }) {
            return Err(ArchiveFault::Overtaken(path));
        }
        changed.push(path);
    }
    Ok(changed)
}

async fn read_archive(from: &Path) -> Result<Vec<(ObjectPath, ConfigRow)>, ArchiveFault> {
    let file = File::open(from).map_err(FileFault::new("read", from))?;
    let mut archive = ArchiveReader::open(file).map_err(|error| ArchiveFault::Archive(from.to_owned(), error))?;
    let mut rows = Vec::new();
    loop {
        let page = archive.next_page().await.map_err(|error| ArchiveFault::Write(from.to_owned(), error))?;
        if page.is_empty() {
            return Ok(rows);
        }
        for (key, value) in page {
            if let Some(SharedKey::Config(path)) = SharedKey::parse(&key) {
                rows.push((path, crate::roster::parse(&key, &value)?));
            }
        }
    }
}

/// Whether a row may be copied into another life of the store: lives, beats, slots and what nodes said of themselves are of one life.
pub(crate) fn is_of_all_lives(key: &[u8]) -> bool {
    matches!(SharedKey::parse(key), Some(SharedKey::Object(_) | SharedKey::Config(_) | SharedKey::NodeFlags(_)))
}

/// The generation behind that of a store, with a nonce: it is greater than all before, and no other one is the same.
async fn next_generation(store: &dyn Store) -> Result<TxnOperation, ArchiveFault> {
    let found = store.get(&generation_key()).await?.entry;
    let row = found.and_then(|entry| GenerationRow::read(&entry.key, &entry.value).ok());
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).map_err(|_| RosterFault::Random)?;
    let next = GenerationRow { number: row.map_or(0, |row| row.number) + 1, nonce: u64::from_be_bytes(nonce) };
    Ok(TxnOperation::Put { key: generation_key().into(), value: next.to_bytes().into() })
}

/// This node's own store. None: it has none.
async fn open_own(place: &ClusterPlace) -> Result<Option<RedbStore>, ArchiveFault> {
    let until = tokio::time::Instant::now() + HELD_WAIT;
    let opened = loop {
        let directory = place.own_store();
        match blocking(move || RedbStore::open(&directory, Retention::default())).await {
            // By a daemon that is ending.
            Err(OpenError::Held { .. }) if tokio::time::Instant::now() < until => tokio::time::sleep(HELD_PAUSE).await,
            opened => break opened,
        }
    };
    match opened {
        Ok(own) => Ok(Some(own)),
        // All that a damaged one held, but for orders that had not ended, is made again from the files.
        Err(OpenError::Missing { .. } | OpenError::Lost { .. } | OpenError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn close(own: Option<RedbStore>) {
    if let Some(own) = own {
        // It was only read, or what was written is durable already.
        let _ = own.close().await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::TxnRequest;

    use crate::{RosterNode, read_roster};

    fn place() -> (tempfile::TempDir, ClusterPlace) {
        let root = tempfile::tempdir().unwrap();
        let [var, run, log] = ["var", "run", "log"].map(|name| root.path().join(name));
        (root, ClusterPlace { var, run, log, group: None })
    }

    fn roster() -> Roster {
        let (name, address) = ("n1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        let first = RosterNode { name, address, api_port: 1215, key: None, joined: true, witness: false };
        Roster::new("blue".to_owned(), "7".to_owned(), 3, Vec::new(), first)
    }

    async fn own(place: &ClusterPlace, rows: &[(&str, &str)]) {
        let store = RedbStore::create(&place.own_store(), Retention::default()).unwrap();
        for (key, value) in rows {
            store.txn(TxnRequest::new().put(key.to_string(), value.to_string())).await.unwrap();
        }
        store.close().await.unwrap();
    }

    async fn keys(store: &dyn Store) -> Vec<String> {
        let listing = store.list(&KeyQuery::current(everything())).await.unwrap();
        listing.entries.iter().map(|entry| String::from_utf8_lossy(&entry.key).into_owned()).collect()
    }

    #[tokio::test]
    async fn a_node_takes_its_objects_along_and_no_life() {
        let (_root, place) = place();
        let object = r#"{"version":1,"checksum":"c"}"#;
        own(
            &place,
            &[
                ("generation", "4"),
                ("node/n1", "x"),
                ("object/root/svc/web/shared", object),
                ("object/root/svc/web/slot/0", "x"),
                ("flags/n1", "x"),
            ],
        )
        .await;
        let engine = MemoryStore::default();
        take_over(&place, &engine, &roster()).await.unwrap();
        assert_eq!(keys(&engine).await, ["cluster/roster", "flags/n1", "generation", "object/root/svc/web/shared"]);
        let generation = engine.get(b"generation").await.unwrap().entry.unwrap();
        assert!(generation.value.starts_with(b"5 "), "{generation:?}");
        assert_eq!(read_roster(&engine).await.unwrap(), Some(roster()));
        // Done again, it is refused, and nothing is lost.
        assert!(take_over(&place, &engine, &roster()).await.is_err());
        assert_eq!(keys(&engine).await.len(), 4);
    }

    #[tokio::test]
    async fn a_joiner_s_objects_move_in_beside_those_that_are_there() {
        let (_root, place) = place();
        let (old, new) = (r#"{"version":1,"checksum":"old"}"#, r#"{"version":1,"checksum":"new"}"#);
        own(&place, &[("object/root/svc/web/shared", old), ("object/root/svc/app/shared", old)]).await;
        let engine = MemoryStore::default();
        engine.txn(TxnRequest::new().put("object/root/svc/web/shared", new)).await.unwrap();
        assert_eq!(move_in(&place, &engine).await.unwrap(), 1);
        assert_eq!(move_in(&place, &engine).await.unwrap(), 0);
        assert_eq!(keys(&engine).await, ["object/root/svc/app/shared", "object/root/svc/web/shared"]);
        let web = engine.get(b"object/root/svc/web/shared").await.unwrap().entry.unwrap();
        assert_eq!(web.value, new);
    }

    #[tokio::test]
    async fn an_archive_brings_configurations_back_and_touches_nothing_else() {
        let (_root, place) = place();
        let engine = MemoryStore::default();
        let config = r#"{"version":1,"checksum":"a","text":"[DEFAULT]\n","scope":["n1"]}"#;
        let object = r#"{"version":1,"checksum":"a","instances":{"n1":{}}}"#;
        let put = TxnRequest::new()
            .put("generation", "1")
            .put("object/root/svc/web/config", config)
            .put("object/root/svc/web/shared", object);
        engine.txn(put).await.unwrap();
        let (archive, entries) = back_up(&place, &engine, None).await.unwrap();
        assert_eq!(entries, 3);
        let all: &(dyn Fn(&ObjectPath) -> bool + Send + Sync) = &|_| true;
        assert_eq!(restore(&engine, &archive, all, false).await.unwrap(), []);
        let changed = config.replace("\"a\"", "\"b\"");
        engine.txn(TxnRequest::new().put("object/root/svc/web/config", changed)).await.unwrap();
        let web: ObjectPath = "web".parse().unwrap();
        assert_eq!(restore(&engine, &archive, all, true).await.unwrap(), std::slice::from_ref(&web));
        assert_eq!(restore(&engine, &archive, all, false).await.unwrap(), [web]);
        let back = engine.get(b"object/root/svc/web/config").await.unwrap().entry.unwrap();
        assert!(String::from_utf8_lossy(&back.value).contains("\"checksum\":\"a\""));
        std::fs::write(&archive, "no archive").unwrap();
        assert!(restore(&engine, &archive, all, true).await.unwrap_err().to_string().ends_with("is not used"));
    }
}
