//! The file of a member, read without etcd: it holds what the engine answered, and whatever is wrong with it is an error.

use store::copy::EntrySource;
use store::{KeyEntry, KeyQuery, KeyRange, Store, TxnRequest};
use store_etcd::EtcdDataFile;

use crate::engine::{EtcdEngine, can_run};

/// Enough for several levels of pages, and for one that runs over into others.
const KEYS: usize = 600;

#[tokio::test]
async fn a_member_s_file_holds_what_the_engine_answered() {
    if !can_run() {
        return;
    }
    let mut engine = EtcdEngine::start(1);
    let store = engine.store().await;
    for first in (0..KEYS).step_by(100) {
        let put = |request: TxnRequest, index| request.put(format!("key/{index:04}"), format!("{index}").repeat(50));
        store.txn((first..first + 100).fold(TxnRequest::new(), put)).await.unwrap();
    }
    store.txn(TxnRequest::new().put("large", "x".repeat(50_000))).await.unwrap();
    let deleted = store.txn(TxnRequest::new().delete("key/0007").put("key/0008", "changed")).await.unwrap();
    store.compact(deleted.revision() - 2).await.unwrap();
    store.txn(TxnRequest::new().put("key/0007", "again").put("key/0009", "")).await.unwrap();
    store.txn(TxnRequest::new().delete("key/0010")).await.unwrap();
    let listing = store.list(&KeyQuery::current(KeyRange::all())).await.unwrap();
    engine.members[0].end();

    let file = EtcdDataFile::read(&engine.members[0].plan.data).unwrap();
    assert_eq!(file.revision, listing.revision);
    assert!(file.applied > file.revision, "{}", file.applied);
    assert_eq!(file.get(b"key/0008").map(|value| &value[..]), Some(&b"changed"[..]));
    let member = String::from_utf8_lossy(&file.members[0]).into_owned();
    assert!(file.members.len() == 1 && member.contains(&engine.members[0].plan.name), "{member}");
    let mut source = file.into_source();
    let mut found = Vec::new();
    loop {
        let page = source.next_page().await.unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let expected = listing.entries.into_iter().map(|KeyEntry { key, value, .. }| (key, value));
    assert_eq!(found, expected.collect::<Vec<_>>());

    is_read_or_refused_with_any_bit_wrong(&mut engine);
}

/// Whatever is wrong with it, reading ends, and panics at nothing.
fn is_read_or_refused_with_any_bit_wrong(engine: &mut EtcdEngine) {
    let data = engine.members[0].plan.data.clone();
    let path = data.join("member/snap/db");
    let whole = std::fs::read(&path).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut refused = 0;
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..20 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Most of it is free pages, and values: headers of pages are what matters.
            let page = random as usize % (bytes.len() / 4096);
            bytes[page * 4096 + (random >> 32) as usize % 64] ^= 1 << (random % 8);
        }
        std::fs::write(&path, &bytes).unwrap();
        refused += usize::from(EtcdDataFile::read(&data).is_err());
    }
    assert!(refused > 0);
    for length in [0, 100, 4096, 8192, whole.len() / 2] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(EtcdDataFile::read(&data).is_err(), "{length}");
    }
}
