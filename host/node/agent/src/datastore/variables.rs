//! Resolves references to data stores, `PASSWORD=db/password`, into the variables that a driver sees: `PASSWORD=s3cret`.

use model::datastore::{InvalidKeyReference, InvalidVariableName, KeyChoice, KeyReference, variable};
use model::object::KeywordValue;
use model::{ObjectKind, ObjectPath};

use super::{DataStoreError, DataStores};
use crate::Directories;
use crate::object::ObjectError;

/// A keyword with a reference that cannot be resolved, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", self.what(), why.to_do())]
pub(crate) struct MissingReference {
    pub(crate) keyword: String,
    why: Box<MissingReason>,
}

#[derive(Debug)]
enum MissingReason {
    Reference(InvalidKeyReference),
    /// Without a key, the reference is to all keys.
    NoStore(ObjectPath, Option<String>),
    NoKey(ObjectPath, String),
    Name(ObjectPath, InvalidVariableName),
    NoText(ObjectPath, String),
    Store(DataStoreError),
}

impl MissingReference {
    /// The problem in a sentence.
    pub(crate) fn what(&self) -> String {
        let keyword = &self.keyword;
        match &*self.why {
            MissingReason::Reference(InvalidKeyReference { text, .. }) => {
                format!("{keyword} holds {text:?}, which refers to no key")
            }
            MissingReason::NoStore(store, Some(key)) => {
                format!("{keyword} needs the key {key} of {store}, and that store does not exist")
            }
            MissingReason::NoStore(store, None) => format!("{keyword} needs the keys of {store}, which does not exist"),
            MissingReason::NoKey(store, key) => {
                format!("{keyword} needs the key {key} of {store}, which does not exist")
            }
            MissingReason::Name(store, InvalidVariableName(key)) => {
                format!("{keyword} makes a variable of each key of {store}, and cannot of {key}")
            }
            MissingReason::NoText(store, key) => {
                format!("{keyword} cannot make a variable of the key {key} of {store}")
            }
            MissingReason::Store(_) => format!("{keyword} cannot be resolved"),
        }
    }

    /// The remedy in a sentence.
    pub(crate) fn to_do(&self) -> String {
        self.why.to_do()
    }
}

impl MissingReason {
    fn to_do(&self) -> String {
        match self {
            MissingReason::Reference(error) => error.reason.clone(),
            MissingReason::NoStore(store, Some(key)) => {
                format!("om {store} create makes the store, om {store} add --key {key} the key")
            }
            MissingReason::NoStore(store, None) => format!("om {store} create makes it"),
            MissingReason::NoKey(store, key) => format!("om {store} add --key {key} adds it"),
            MissingReason::Name(store, error) => {
                format!("{error}: name the keys one by one, NAME={}/KEY", store.name())
            }
            MissingReason::NoText(..) => "its value is not text, or holds a zero byte".to_owned(),
            MissingReason::Store(error) => crate::chain(error),
        }
    }
}

/// Resolves a keyword whose words refer to data stores of one kind. Returns the keyword and its secret values.
pub(crate) fn resolved(
    home: &Directories,
    own: &ObjectPath,
    kind: ObjectKind,
    keyword: &KeywordValue,
) -> Result<(KeywordValue, Vec<String>), MissingReference> {
    let absent = |why| MissingReference { keyword: keyword.name.clone(), why: Box::new(why) };
    let mut variables = Vec::new();
    for word in &keyword.values {
        let reference = KeyReference::parse(word, kind, own).map_err(MissingReason::Reference).map_err(absent)?;
        variables.extend(of_reference(DataStores::of(home), reference).map_err(absent)?);
    }
    let secret = kind == ObjectKind::Sec;
    let values = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let hidden = variables.into_iter().filter(|_| secret).map(|(_, value)| value).collect();
    Ok((KeywordValue { values, secret, ..keyword.clone() }, hidden))
}

/// The variables of one reference, each with its value.
fn of_reference(stores: DataStores<'_>, reference: KeyReference) -> Result<Vec<(String, String)>, MissingReason> {
    let KeyReference { variable: name, store, keys } = reference;
    let keys = match keys {
        KeyChoice::One(key) => vec![key],
        KeyChoice::Fitting(pattern) => {
            let all = stores.keys(&store).map_err(|error| why(error, None))?;
            all.into_iter().filter(|key| pattern.matches(key)).collect()
        }
    };
    let one = |key: String| {
        let named = name.clone().map_or_else(|| variable(&key), Ok);
        let name = named.map_err(|error| MissingReason::Name(store.clone(), error))?;
        let value = stores.value(&store, &key).map_err(|error| why(error, Some(&key)))?;
        // The environment of a process holds text that ends at a zero byte.
        let text = String::from_utf8(value).ok().filter(|text| !text.contains('\0'));
        Ok((name, text.ok_or_else(|| MissingReason::NoText(store.clone(), key))?))
    };
    keys.into_iter().map(one).collect()
}

fn why(error: DataStoreError, key: Option<&str>) -> MissingReason {
    match error {
        DataStoreError::Object(ObjectError::Missing(store)) => MissingReason::NoStore(store, key.map(str::to_owned)),
        DataStoreError::NoKey { store, key } => MissingReason::NoKey(store, key),
        other => MissingReason::Store(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::PutMode;
    use super::*;
    use crate::ObjectFiles;

    #[test]
    fn references_become_variables_or_a_sentence_that_says_what_to_do() {
        let (_root, home) = Directories::temporary();
        let path = |text: &str| text.parse::<ObjectPath>().unwrap();
        for store in ["ns1/sec/db", "ns1/sec/odd", "ns1/cfg/web"] {
            ObjectFiles::of(&home).create(&path(store), "").unwrap();
        }
        let add = |store, key, value: &[u8]| DataStores::of(&home).put(&path(store), key, value, PutMode::Add).unwrap();
        add("ns1/sec/db", "password", b"s3 cret\nline");
        add("ns1/sec/db", "user", b"bob");
        add("ns1/sec/odd", "server.crt", b"\xff");
        add("ns1/cfg/web", "mode", b"fast");
        let resolve = |kind, words: &str| {
            let values = words.split_whitespace().map(str::to_owned).collect();
            let (name, words) = ("env".to_owned(), model::keyword::ValueKind::Words);
            let plain = KeywordValue::new(name, values);
            let keyword = KeywordValue { kind: words, store: Some(kind), ..plain };
            resolved(&home, &path("ns1/svc/web"), kind, &keyword)
        };
        let check = |kind, words: &str, expected: &[&str], hidden: &[&str]| {
            let (keyword, found) = resolve(kind, words).unwrap();
            assert_eq!(
                (keyword.values, keyword.secret),
                (expected.iter().map(|s| (*s).to_owned()).collect(), kind == ObjectKind::Sec)
            );
            assert_eq!(found, hidden, "{words}");
        };
        check(ObjectKind::Sec, "PW=db/password db/user", &["PW=s3 cret\nline", "USER=bob"], &["s3 cret\nline", "bob"]);
        check(ObjectKind::Sec, "db/*", &["PASSWORD=s3 cret\nline", "USER=bob"], &["s3 cret\nline", "bob"]);
        check(ObjectKind::Cfg, "web/* A=web/mode", &["MODE=fast", "A=fast"], &[]);
        check(ObjectKind::Sec, "", &[], &[]);

        let refused = |words: &str, expected: &str| {
            assert_eq!(resolve(ObjectKind::Sec, words).unwrap_err().to_string(), expected);
        };
        refused(
            "A=db/pin",
            "env needs the key pin of ns1/sec/db, which does not exist: om ns1/sec/db add --key pin adds it",
        );
        refused(
            "A=no/pin",
            "env needs the key pin of ns1/sec/no, and that store does not exist: om ns1/sec/no create makes the store, \
             om ns1/sec/no add --key pin the key",
        );
        refused("no/*", "env needs the keys of ns1/sec/no, which does not exist: om ns1/sec/no create makes it");
        refused(
            "A=odd/server.crt",
            "env cannot make a variable of the key server.crt of ns1/sec/odd: its value is not text, or holds a zero byte",
        );
        let error = resolve(ObjectKind::Sec, "odd/*").unwrap_err().to_string();
        assert!(
            error.starts_with("env makes a variable of each key of ns1/sec/odd, and cannot of server.crt"),
            "{error}"
        );
        let error = resolve(ObjectKind::Sec, "A=ns2/sec/db/password").unwrap_err().to_string();
        assert!(error.contains("ns2/sec/db is of another namespace"), "{error}");
    }
}
