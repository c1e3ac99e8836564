//! Why an operation on a key of a data store failed.

use std::path::PathBuf;

use config::EditError;
use model::ObjectPath;
use model::datastore::{InvalidDataKey, InvalidDataValue};

use super::sealing::SealingError;
use crate::object::ObjectError;

/// Why an operation on a key failed.
#[derive(Debug, thiserror::Error)]
pub enum DataStoreError {
    /// The object is not a data store.
    #[error("{0} holds no keys: only objects of the kinds sec and cfg do")]
    NoStore(ObjectPath),
    /// The store does not exist, or its files cannot be read or written.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The store has no such key.
    #[error("{store} has no key {key}: om {store} add --key {key} adds it")]
    NoKey { store: ObjectPath, key: String },
    /// The store has such a key already.
    #[error("{store} has a key {key} already: om {store} change --key {key} gives it another value")]
    HasKey { store: ObjectPath, key: String },
    /// The name is not valid for a key.
    #[error(transparent)]
    Name(#[from] InvalidDataKey),
    /// The file holds something that is not an encoded value.
    #[error("the value of {key} in {store} {reason}: om {store} change --key {key} gives it another one")]
    Value { store: ObjectPath, key: String, reason: InvalidDataValue },
    /// The node's key does not open a secret.
    #[error(
        "the value of {key} in {store} was encrypted with another key than the one in {}, or is damaged: put that file back \
         as it was, or om {store} change --key {key}", file.display()
    )]
    NotOpened { store: ObjectPath, key: String, file: PathBuf },
    /// The node's key opens no secret of the store, so a new secret would be sealed with another key than all others.
    #[error(
        "nothing was changed: {} is not the key that {store} is encrypted with: put that file back as it was, or remove the \
         keys of the store first", file.display()
    )]
    OtherKey { store: ObjectPath, file: PathBuf },
    /// Secrets exist, and the file with the key that opens them is missing.
    #[error(
        "nothing was changed: the key file {} is missing, with which {store} is encrypted: put it back, or remove the keys of the store first",
        file.display()
    )]
    KeyLost { store: ObjectPath, file: PathBuf },
    /// The key that seals secrets cannot be read or created.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The value is too long to be encrypted.
    #[error("the value is too long to be encrypted")]
    TooLong,
    /// The file cannot hold the value.
    #[error(transparent)]
    Edit(#[from] EditError),
}
