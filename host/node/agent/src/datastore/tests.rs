//! Keys come and go, one line at a time, and a different key file loses no secret.

use config::Document;
use model::ObjectPath;
use model::datastore::{DATA, InvalidDataValue, SealingKey};

use super::stores::*;
use super::*;
use crate::file::durable;
use crate::object::ObjectError;
use crate::{Directories, ObjectFiles};

fn path(text: &str) -> ObjectPath {
    text.parse().unwrap()
}

fn made<'h>(home: &'h Directories, store: &ObjectPath) -> DataStores<'h> {
    ObjectFiles::of(home).create(store, "# mine\n[DEFAULT]\napp = x\n").unwrap();
    DataStores::of(home)
}

fn text(home: &Directories, store: &ObjectPath) -> String {
    ObjectFiles::of(home).text(store).unwrap()
}

#[test]
fn keys_come_and_go_and_the_rest_of_the_file_stays() {
    for (store, prefix) in [(path("sec/db"), "crypt:"), (path("cfg/db"), "literal:")] {
        let (_root, home) = Directories::temporary();
        let stores = made(&home, &store);
        stores.put(&store, "password", b"s3cret", PutMode::Add).unwrap();
        stores.put(&store, "cert", b"one\n\n# two\xff", PutMode::Add).unwrap();
        let written = text(&home, &store);
        assert!(
            written.starts_with(&format!("# mine\n[DEFAULT]\napp = x\n\n[data]\npassword = {prefix}")),
            "{written}"
        );
        assert_eq!(stores.keys(&store).unwrap(), ["password", "cert"]);
        assert_eq!(stores.value(&store, "password").unwrap(), b"s3cret");
        assert_eq!(stores.value(&store, "cert").unwrap(), b"one\n\n# two\xff");

        assert!(matches!(stores.put(&store, "cert", b"", PutMode::Add), Err(DataStoreError::HasKey { .. })));
        assert!(matches!(stores.put(&store, "new", b"", PutMode::Change), Err(DataStoreError::NoKey { .. })));
        assert!(matches!(
            stores.remove(&store, &["cert".to_owned(), "new".to_owned()]),
            Err(DataStoreError::NoKey { .. })
        ));
        assert!(matches!(stores.rename(&store, "cert", "password"), Err(DataStoreError::HasKey { .. })));
        assert!(matches!(stores.put(&store, "a b", b"", PutMode::Add), Err(DataStoreError::Name(_))));
        assert_eq!(text(&home, &store), written, "what is refused changes nothing");

        stores.put(&store, "password", b"other", PutMode::Change).unwrap();
        stores.rename(&store, "cert", "server.crt").unwrap();
        assert_eq!(stores.value(&store, "password").unwrap(), b"other");
        assert_eq!(stores.value(&store, "server.crt").unwrap(), b"one\n\n# two\xff");
        stores.remove(&store, &["password".to_owned(), "server.crt".to_owned()]).unwrap();
        assert_eq!(text(&home, &store), "# mine\n[DEFAULT]\napp = x\n\n[data]\n");
    }
}

#[test]
fn the_same_value_is_never_sealed_alike() {
    let (_root, home) = Directories::temporary();
    let store = path("sec/db");
    let stores = made(&home, &store);
    stores.put(&store, "a", b"same", PutMode::Add).unwrap();
    stores.put(&store, "b", b"same", PutMode::Add).unwrap();
    let document = Document::parse(text(&home, &store));
    assert_ne!(document.get(DATA, "a"), document.get(DATA, "b"));
}

#[test]
fn only_stores_that_are_there_hold_keys() {
    let (_root, home) = Directories::temporary();
    let stores = made(&home, &path("web"));
    assert!(matches!(stores.keys(&path("web")), Err(DataStoreError::NoStore(_))));
    assert!(matches!(stores.put(&path("web"), "a", b"", PutMode::Add), Err(DataStoreError::NoStore(_))));
    assert!(matches!(stores.keys(&path("sec/db")), Err(DataStoreError::Object(ObjectError::Missing(_)))));
}

#[test]
fn with_another_key_file_nothing_is_read_and_nothing_is_lost() {
    let (_root, home) = Directories::temporary();
    let (store, other) = (path("sec/db"), path("ns1/sec/db"));
    let stores = made(&home, &store);
    made(&home, &other);
    stores.put(&store, "password", b"s3cret", PutMode::Add).unwrap();
    let (written, right) = (text(&home, &store), durable::read(&home.sealing_key()).unwrap().unwrap());

    durable::remove(&home.sealing_key()).unwrap();
    assert!(matches!(stores.value(&store, "password"), Err(DataStoreError::Sealing(SealingError::Missing(_)))));
    for store in [&store, &other] {
        let lost = stores.put(store, "new", b"x", PutMode::Add);
        assert!(matches!(&lost, Err(DataStoreError::KeyLost { store, .. }) if *store == path("sec/db")), "{lost:?}");
    }
    assert!(!home.sealing_key().exists());

    let wrong = SealingKey::new([1; model::datastore::SEALING_KEY_BYTES]);
    durable::write(&home.sealing_key(), wrong.to_text().as_bytes()).unwrap();
    assert!(matches!(stores.value(&store, "password"), Err(DataStoreError::NotOpened { .. })));
    assert!(matches!(stores.put(&store, "new", b"x", PutMode::Add), Err(DataStoreError::OtherKey { .. })));
    assert_eq!(text(&home, &store), written);

    durable::write(&home.sealing_key(), &right).unwrap();
    assert_eq!(stores.value(&store, "password").unwrap(), b"s3cret");
    stores.put(&store, "new", b"x", PutMode::Add).unwrap();
}

#[test]
fn a_damaged_secret_does_not_hide_the_others() {
    let (_root, home) = Directories::temporary();
    let store = path("sec/db");
    let stores = made(&home, &store);
    stores.put(&store, "good", b"s3cret", PutMode::Add).unwrap();
    let damaged = format!("{}bad = crypt:AAAA\nopen = literal:x\n", text(&home, &store));
    durable::write(&home.config(&store), damaged.as_bytes()).unwrap();
    assert!(matches!(stores.value(&store, "bad"), Err(DataStoreError::NotOpened { .. })));
    assert!(matches!(stores.value(&store, "open"), Err(DataStoreError::Value { reason: InvalidDataValue::Open, .. })));
    stores.put(&store, "more", b"x", PutMode::Add).unwrap();
    stores.put(&store, "bad", b"mended", PutMode::Change).unwrap();
    assert_eq!(stores.value(&store, "bad").unwrap(), b"mended");
    assert_eq!(stores.value(&store, "good").unwrap(), b"s3cret");
}
