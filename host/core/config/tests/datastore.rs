//! Values come out of a store byte for byte, and references to them are resolved in the namespace of their object.

use proptest::prelude::*;

use config::Document;
use model::datastore::{
    DATA, DataValue, InvalidDataKey, InvalidDataValue, InvalidKeyReference, InvalidVariableName, KeyReference,
    NONCE_BYTES, SEALING_KEY_BYTES, SealingKey, UnsealError, check_key, plain, variable,
};
use model::{ObjectKind, ObjectPath};

const KEY: SealingKey = SealingKey::new([7; SEALING_KEY_BYTES]);
const ANOTHER: SealingKey = SealingKey::new([8; SEALING_KEY_BYTES]);

/// A value, written into a file and read back from it.
fn through_a_file(kind: ObjectKind, name: &str, written: &str) -> DataValue {
    let text = "# kept\n[DEFAULT]\napp = x\n\n[data]\nother = literal: as it was\n";
    let mut document = Document::parse(text);
    document.set(DATA, name, written).unwrap();
    let reread = Document::parse(document.text());
    assert_eq!(reread.problems(), []);
    assert!(document.text().starts_with(text), "{document}");
    DataValue::parse(kind, reread.get(DATA, name).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn an_added_value_decodes_to_the_same_bytes(
        value in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            any::<String>().prop_map(String::into_bytes),
            "[ #;=\\[a\n\t]{0,9}".prop_map(String::into_bytes),
        ],
        nonce: [u8; NONCE_BYTES],
        name in "[!-~é]{1,12}",
    ) {
        prop_assume!(check_key(&name).is_ok());
        let sealed = KEY.seal(nonce, &value).unwrap();
        prop_assert_eq!(through_a_file(ObjectKind::Sec, &name, &sealed).open(&KEY), Ok(value.clone()));
        prop_assert_eq!(through_a_file(ObjectKind::Cfg, &name, &plain(&value)).open(&KEY), Ok(value));
    }

    #[test]
    fn a_secret_opens_with_its_own_key_and_unchanged_alone(value: Vec<u8>, nonce: [u8; NONCE_BYTES], at: usize) {
        let Ok(DataValue::Sealed(mut sealed)) = DataValue::parse(ObjectKind::Sec, &KEY.seal(nonce, &value).unwrap()) else {
            return Err(TestCaseError::fail("not sealed"));
        };
        prop_assert_eq!(DataValue::Sealed(sealed.clone()).open(&ANOTHER), Err(UnsealError));
        let at = at % sealed.len();
        sealed[at] ^= 1;
        prop_assert_eq!(DataValue::Sealed(sealed).open(&KEY), Err(UnsealError));
    }

    #[test]
    fn a_reference_of_whatever_text_is_read_or_refused(text: String) {
        let _ = KeyReference::parse(&text, ObjectKind::Sec, &ObjectPath::svc("web").unwrap());
    }
}

#[test]
fn a_key_of_the_cipher_is_read_back_and_never_shown() {
    assert_eq!(SealingKey::parse(KEY.to_text().as_bytes()), Some(KEY));
    assert_eq!(format!("{KEY:?}"), "SealingKey");
    for bad in ["", "AAAA", "no base64"] {
        assert_eq!(SealingKey::parse(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn values_are_readable_where_they_can_be() {
    for (value, written) in [
        ("fast", "literal:fast"),
        (" a = b # c", "literal: a = b # c"),
        ("", "literal:"),
        ("a\n", "base64:YQo="),
        ("a ", "base64:YSA="),
    ] {
        assert_eq!(plain(value.as_bytes()), written);
    }
    let plain = |text: &str| Ok(DataValue::Plain(text.into()));
    let check = |kind, written, expected: Result<DataValue, InvalidDataValue>| {
        assert_eq!(DataValue::parse(kind, written), expected, "{kind} {written}");
    };
    check(ObjectKind::Cfg, "as people write it", plain("as people write it"));
    check(ObjectKind::Cfg, "base64:YQ==", plain("a"));
    check(ObjectKind::Cfg, "base64:?", Err(InvalidDataValue::Base64));
    check(ObjectKind::Cfg, "crypt:YQ==", Err(InvalidDataValue::Sealed));
    check(ObjectKind::Sec, "crypt:?", Err(InvalidDataValue::Base64));
    check(ObjectKind::Sec, "literal:s3cret", Err(InvalidDataValue::Open));
}

#[test]
fn keys_are_recognised_among_the_text_around_them() {
    for good in ["password", "server.crt", "etc/app.conf", "a@b", "é"] {
        assert_eq!(check_key(good), Ok(()), "{good}");
    }
    for bad in ["", "a b", "a=b", "#a", ";a", "[a", "*", "a*", "/a", "a\u{7}"] {
        assert_eq!(check_key(bad), Err(InvalidDataKey(bad.to_owned())));
    }
}

#[test]
fn references_are_those_of_the_object_that_makes_them() {
    let check = |text: &str, expected: &str| {
        let shown = match KeyReference::parse(text, ObjectKind::Sec, &"ns1/svc/web".parse().unwrap()) {
            Ok(KeyReference { variable, store, keys }) => {
                format!("{} {store} {}", variable.as_deref().unwrap_or("-"), keys.as_str())
            }
            Err(InvalidKeyReference { reason, .. }) => reason,
        };
        assert!(shown.starts_with(expected), "{text}: {shown}");
    };
    check("PASSWORD=db/password", "PASSWORD ns1/sec/db password");
    check("db/password", "- ns1/sec/db password");
    check("db/*", "- ns1/sec/db *");
    check("db/CUSTO_*", "- ns1/sec/db CUSTO_*");
    check("A=sec/db/password", "A ns1/sec/db password");
    check("A=ns1/sec/db/password", "A ns1/sec/db password");
    check("A=db/etc/app.conf", "A ns1/sec/db etc/app.conf");
    check("A=db/sec/app", "A ns1/sec/db sec/app");
    check("A=ns2/sec/db/password", "ns2/sec/db is of another namespace");
    check("A=cfg/db/password", "cfg is another kind: expected");
    check("A=db/*", "several keys cannot go into the one variable A");
    check("A=db", "expected [NAME=]STORE/KEY");
    check("A=db/", "\"\" cannot be a key");
    check("A=Db/x", "\"ns1/sec/Db\" is not an object path");
    check("1A=db/x", "\"1A\" cannot be the name of a variable");
    check("=db/x", "\"\" cannot be the name of a variable");
    check("db/server.crt", "\"server.crt\" cannot be the name of a variable");
    assert_eq!(variable("password_2"), Ok("PASSWORD_2".to_owned()));
    assert_eq!(variable("server.crt"), Err(InvalidVariableName("server.crt".to_owned())));
}
