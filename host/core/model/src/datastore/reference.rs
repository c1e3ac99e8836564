//! References to keys of data stores, as keywords hold them: `PASSWORD=db/password`, `db/password`, `db/*`, `db/MAIL_*`.

use crate::select::GlobPattern;
use crate::{ObjectKind, ObjectPath};

/// One word of a keyword that refers to data stores.
#[derive(Debug, Clone)]
pub struct KeyReference {
    /// The variable that gets the value. None: the one named after the key, see [`variable`].
    pub variable: Option<String>,
    /// The store.
    pub store: ObjectPath,
    /// Which keys of it.
    pub keys: KeyChoice,
}

/// The keys of a store that a reference means.
#[derive(Debug, Clone)]
pub enum KeyChoice {
    /// This one.
    One(String),
    /// Those that a pattern covers. No key holds a star, so one of them makes a pattern.
    Fitting(GlobPattern),
}

impl KeyChoice {
    fn parse(text: &str) -> Result<KeyChoice, String> {
        if text.contains('*') {
            return GlobPattern::new(text).map(KeyChoice::Fitting).map_err(|error| error.to_string());
        }
        super::check_key(text).map_err(|error| error.to_string())?;
        Ok(KeyChoice::One(text.to_owned()))
    }

    /// The key or the pattern as it was written.
    pub fn as_str(&self) -> &str {
        match self {
            KeyChoice::One(key) => key,
            KeyChoice::Fitting(pattern) => pattern.as_str(),
        }
    }
}

/// A text that is not a reference, or refers to a store that this object cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} refers to no key: {reason}")]
pub struct InvalidKeyReference {
    /// The text.
    pub text: String,
    /// Why not.
    pub reason: String,
}

/// A key that no variable can be named after.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be the name of a variable, which is made of letters, digits and _, and begins with no digit")]
pub struct InvalidVariableName(pub String);

/// The variable named after a key: the key in upper case.
pub fn variable(key: &str) -> Result<String, InvalidVariableName> {
    if is_variable(key) { Ok(key.to_ascii_uppercase()) } else { Err(InvalidVariableName(key.to_owned())) }
}

fn is_variable(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

impl KeyReference {
    /// Reads a word as the object `own` means it, of a keyword that refers to stores of that kind: a store without a
    /// namespace is one of the object's own, and one of another is refused.
    pub fn parse(text: &str, kind: ObjectKind, own: &ObjectPath) -> Result<KeyReference, InvalidKeyReference> {
        let refuse = |reason: String| InvalidKeyReference { text: text.to_owned(), reason };
        let (name, place) = match text.split_once('=') {
            Some((name, place)) => (Some(name.to_owned()), place),
            None => (None, text),
        };
        if let Some(name) = name.as_ref().filter(|name| !is_variable(name)) {
            return Err(refuse(InvalidVariableName(name.clone()).to_string()));
        }
        let (store, key) = store_and_key(place, kind, own).map_err(refuse)?;
        // A namespace is a border: a user who edits objects of one must not read the secrets of another.
        if store.namespace() != own.namespace() {
            let of = own.namespace();
            return Err(refuse(format!("{store} is of another namespace: an object of {of} uses stores of {of}")));
        }
        let keys = KeyChoice::parse(key).map_err(refuse)?;
        match (&name, &keys) {
            (Some(name), KeyChoice::Fitting(_)) => {
                Err(refuse(format!("several keys cannot go into the one variable {name}")))
            }
            // Without a name the variable is named after the key, so the key must be able to be one.
            (None, KeyChoice::One(key)) if !is_variable(key) => {
                Err(refuse(format!("{}: say NAME={place}", InvalidVariableName(key.clone()))))
            }
            _ => Ok(KeyReference { variable: name, store, keys }),
        }
    }
}

/// `STORE/KEY`, `KIND/STORE/KEY` or `NAMESPACE/KIND/STORE/KEY`. Keys may hold slashes, and no store is called like a kind.
fn store_and_key<'t>(place: &'t str, kind: ObjectKind, own: &ObjectPath) -> Result<(ObjectPath, &'t str), String> {
    let expected = || format!("expected [NAME=]STORE/KEY or STORE/PATTERN, of a store of kind {kind}");
    let (first, rest) = place.split_once('/').ok_or_else(expected)?;
    let (second, behind) = rest.split_once('/').unwrap_or((rest, ""));
    let (namespace, written, (store, key)) = match (first.parse::<ObjectKind>(), second.parse::<ObjectKind>()) {
        (Ok(written), _) => (own.namespace(), written, rest.split_once('/').ok_or_else(expected)?),
        // `db/cfg/x` is the key `cfg/x` of the store `db`: the second word is a kind only if a store and a key follow
        // it.
        (_, Ok(written)) if behind.contains('/') => (first, written, behind.split_once('/').ok_or_else(expected)?),
        _ => (own.namespace(), kind, (first, rest)),
    };
    if written != kind {
        return Err(format!("{written} is another kind: {}", expected()));
    }
    Ok((ObjectPath::new(namespace, kind, store).map_err(|error| error.to_string())?, key))
}
