//! Copies: from store to store and through archives, cut short, overtaken and damaged.

use std::io::Cursor;

use bytes::Bytes;
use store::copy::{
    ArchiveError, ArchiveReader, CopyError, CopyProgress, CopyReport, CopySelection, FillError, FillOrder, copy_store,
    export_store, fill_store,
};
use store::{KeyQuery, KeyRange, MemoryStore, Retention, Store, StoreError, TxnOperation, TxnRequest};

/// A store of 250 entries, with a history.
fn filled() -> MemoryStore {
    let store = MemoryStore::new();
    for index in 0..250 {
        let request = TxnRequest::new().put(format!("svc/{index:03}"), format!("value {index}"));
        store.apply(&request.put("counter", index.to_string())).unwrap();
    }
    store
}

fn order<'a>() -> FillOrder<'a> {
    FillOrder { selection: CopySelection::all(), mark: Bytes::from("copying"), last: Vec::new() }
}

fn pairs(store: &MemoryStore) -> Vec<(Bytes, Bytes)> {
    let entries = store.entries(&KeyQuery::current(KeyRange::all())).unwrap().entries;
    entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

async fn export(store: &MemoryStore) -> (Vec<u8>, CopyReport) {
    let mut archive = Vec::new();
    let report = export_store(store, CopySelection::all(), &mut archive, &mut |_| {}).await.unwrap();
    (archive, report)
}

async fn import(archive: &[u8], order: &FillOrder<'_>) -> Result<MemoryStore, FillError> {
    let target = MemoryStore::new();
    let mut reader = ArchiveReader::open(Cursor::new(archive)).map_err(CopyError::from)?;
    fill_store(&mut reader, &target, order, &mut |_| {}).await?;
    Ok(target)
}

#[tokio::test]
async fn copy_holds_what_the_source_held() {
    let (source, target) = (filled(), MemoryStore::new());
    let mut seen: Vec<CopyProgress> = Vec::new();
    let report = copy_store(&source, &target, &order(), &mut |progress| seen.push(progress)).await.unwrap();
    assert_eq!(pairs(&target), pairs(&source));
    assert_eq!((report.revision, report.copied.entries), (250, 251));
    assert_eq!(seen.iter().map(|progress| progress.entries).collect::<Vec<_>>(), [100, 200, 251]);
    assert_eq!(seen.last(), Some(&report.copied));
}

#[tokio::test]
async fn digest_does_not_depend_on_the_history() {
    let (source, target) = (filled(), MemoryStore::new());
    let report = copy_store(&source, &target, &order(), &mut |_| {}).await.unwrap();
    assert_eq!(export(&target).await.1.digest, report.digest);
    target.apply(&TxnRequest::new().put("counter", "other")).unwrap();
    assert_ne!(export(&target).await.1.digest, report.digest);
}

#[tokio::test]
async fn copy_is_of_one_revision() {
    let (source, target) = (filled(), MemoryStore::new());
    let before = pairs(&source);
    let change = &mut |_| drop(source.apply(&TxnRequest::new().delete("svc/249").put("svc/0", "new")).unwrap());
    copy_store(&source, &target, &order(), change).await.unwrap();
    assert_eq!(pairs(&target), before);
}

#[tokio::test]
async fn copy_of_a_revision_that_is_compacted_meanwhile_fails_and_can_begin_again() {
    let source = MemoryStore::with(Retention { revisions: 1, bytes: usize::MAX });
    for index in 0..250 {
        source.apply(&TxnRequest::new().put(format!("svc/{index:03}"), "")).unwrap();
    }
    let target = MemoryStore::new();
    let change = &mut |_| (0..10).for_each(|_| drop(source.apply(&TxnRequest::new().put("a", "")).unwrap()));
    let error = copy_store(&source, &target, &order(), change).await.unwrap_err();
    assert!(matches!(error, FillError::Source(CopyError::Store(StoreError::Compacted { .. }))), "{error:?}");
    copy_store(&source, &target, &order(), &mut |_| {}).await.unwrap();
    assert_eq!(pairs(&target), pairs(&source));
}

#[tokio::test]
async fn selection_leaves_keys_out() {
    let (source, target) = (filled(), MemoryStore::new());
    let selection = CopySelection { range: KeyRange::prefix("svc/"), keep: &|key| !key.ends_with(b"7") };
    target.apply(&TxnRequest::new().put("other", "1")).unwrap();
    let report = copy_store(&source, &target, &FillOrder { selection, ..order() }, &mut |_| {}).await.unwrap();
    assert_eq!(report.copied.entries, 225);
    assert_eq!(pairs(&target).len(), 226);
}

#[tokio::test]
async fn last_operations_come_with_the_end_of_the_mark() {
    let (source, target) = (filled(), MemoryStore::new());
    let last = vec![TxnOperation::Put { key: Bytes::from("gen"), value: Bytes::from("2") }];
    copy_store(&source, &target, &FillOrder { last, ..order() }, &mut |_| {}).await.unwrap();
    let mut feed = target.watch(KeyRange::key("gen"), 1).await.unwrap();
    let whole = feed.next().await.unwrap().revision;
    let before = target.entries(&KeyQuery::at(KeyRange::key("copying"), whole - 1)).unwrap();
    let after = target.entries(&KeyQuery::at(KeyRange::key("copying"), whole)).unwrap();
    assert_eq!((before.entries.len(), after.entries.len()), (1, 0));
}

#[tokio::test]
async fn store_that_holds_something_is_not_filled() {
    let (source, target) = (filled(), MemoryStore::new());
    target.apply(&TxnRequest::new().put("x", "1")).unwrap();
    let error = copy_store(&source, &target, &order(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, FillError::NotEmpty { key } if key == "x"), "{error:?}");
    assert_eq!(pairs(&target).len(), 1);
}

#[tokio::test]
async fn copy_that_was_cut_short_is_begun_again() {
    let (source, target) = (filled(), MemoryStore::new());
    // What a copy leaves that stops after its first page.
    let left = TxnRequest::new().put("copying", "").put("svc/000", "old").put("stale", "old");
    target.apply(&left).unwrap();
    copy_store(&source, &target, &order(), &mut |_| {}).await.unwrap();
    assert_eq!(pairs(&target), pairs(&source));
}

#[tokio::test]
async fn copy_that_another_one_took_over_is_refused() {
    let (source, target) = (filled(), MemoryStore::new());
    let take_over = &mut |_| drop(target.apply(&TxnRequest::new().put("copying", "")).unwrap());
    let error = copy_store(&source, &target, &order(), take_over).await.unwrap_err();
    assert!(matches!(error, FillError::Overtaken), "{error:?}");
}

#[tokio::test]
async fn other_content_is_noticed_before_the_mark_goes() {
    let (source, target) = (filled(), MemoryStore::new());
    let disturb = &mut |_| drop(target.apply(&TxnRequest::new().put("svc/000", "disturbed")).unwrap());
    let error = copy_store(&source, &target, &order(), disturb).await.unwrap_err();
    assert!(matches!(error, FillError::Differs { .. }), "{error:?}");
    assert!(target.get(b"copying").await.unwrap().entry.is_some());
}

#[tokio::test]
async fn large_values_are_put_in_several_transactions() {
    let (source, target) = (MemoryStore::new(), MemoryStore::new());
    for index in 0..5 {
        source.apply(&TxnRequest::new().put(index.to_string(), vec![0_u8; 1_000_000])).unwrap();
    }
    copy_store(&source, &target, &order(), &mut |_| {}).await.unwrap();
    assert_eq!(pairs(&target), pairs(&source));
}

#[tokio::test]
async fn archive_holds_what_the_store_held() {
    let source = filled();
    let (archive, report) = export(&source).await;
    let target = import(&archive, &order()).await.unwrap();
    assert_eq!(pairs(&target), pairs(&source));
    assert_eq!(export(&target).await.1.digest, report.digest);
    let empty = export(&MemoryStore::new()).await.0;
    assert_eq!(pairs(&import(&empty, &order()).await.unwrap()), []);
}

#[tokio::test]
async fn every_damaged_byte_of_an_archive_is_noticed() {
    let source = MemoryStore::new();
    source.apply(&TxnRequest::new().put("a", "1").put("b", "2")).unwrap();
    let (archive, _) = export(&source).await;
    for position in 0..archive.len() {
        let mut damaged = archive.clone();
        damaged[position] ^= 1 << (position % 8);
        ArchiveReader::open(Cursor::new(&damaged)).expect_err("a damaged byte");
        ArchiveReader::open(Cursor::new(&archive[..position])).expect_err("a short archive");
    }
    let longer = [&archive[..], b"x"].concat();
    let error = ArchiveReader::open(Cursor::new(&longer)).unwrap_err();
    assert!(matches!(error, ArchiveError::Damaged(_)), "{error:?}");
}
