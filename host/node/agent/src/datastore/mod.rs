//! The keys of stores: objects of the kinds `sec` and `cfg`. A change touches the line that it is about and no other, and one
//! that could be read back by nobody is not made.

use std::path::PathBuf;

use config::{Document, EditError, Entry};
use model::datastore::{self, DATA, DataValue, InvalidDataValue, SealingKey, plain};
use model::{ObjectKind, ObjectPath};

use crate::object::ObjectError;
use crate::sealing::{self, SealingError};
use crate::{Directories, ObjectFiles};

/// The stores of one home.
#[derive(Debug, Clone, Copy)]
pub struct DataStores<'a> {
    home: &'a Directories,
}

/// Whether a key may be there before its value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It must not be.
    Add,
    /// It must be.
    Change,
}

/// What could not be done with a key.
#[derive(Debug, thiserror::Error)]
pub enum DataStoreError {
    /// The object is none that holds keys.
    #[error("{0} holds no keys: only objects of the kinds sec and cfg do")]
    NoStore(ObjectPath),
    /// The object is not there, or its files cannot be used.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The store has no such key.
    #[error("{store} has no key {key}: om {store} add --key {key} adds it")]
    NoKey {
        /// The store.
        store: ObjectPath,
        /// The key.
        key: String,
    },
    /// It has.
    #[error("{store} has a key {key} already: om {store} change --key {key} gives it another value")]
    HasKey {
        /// The store.
        store: ObjectPath,
        /// The key.
        key: String,
    },
    /// The key is none.
    #[error(transparent)]
    Name(#[from] datastore::InvalidDataKey),
    /// What stands in the file is no value.
    #[error("the value of {key} in {store} {reason}: om {store} change --key {key} gives it another one")]
    Value {
        /// The store.
        store: ObjectPath,
        /// The key.
        key: String,
        /// Why it is none.
        reason: InvalidDataValue,
    },
    /// A secret does not open.
    #[error(
        "the value of {key} in {store} was encrypted with another key than the one in {}, or is damaged: put that file back \
         as it was, or om {store} change --key {key}", file.display()
    )]
    NotOpened {
        /// The store.
        store: ObjectPath,
        /// The key.
        key: String,
        /// The file that does not open it.
        file: PathBuf,
    },
    /// No secret of the store opens, so that a new one would be of another key than all others.
    #[error(
        "nothing was changed: {} is not the key that {store} is encrypted with: put that file back as it was, or remove the \
         keys of the store first", file.display()
    )]
    OtherKey {
        /// The store.
        store: ObjectPath,
        /// The file that does not open them.
        file: PathBuf,
    },
    /// There are secrets, and the file that opens them is not there.
    #[error(
        "nothing was changed: {} is missing, which {store} is encrypted with: put it back, or remove the keys of the store first",
        file.display()
    )]
    KeyLost {
        /// A store of secrets.
        store: ObjectPath,
        /// The file that is missing.
        file: PathBuf,
    },
    /// The key that secrets are encrypted with cannot be had.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The value is too long.
    #[error("the value is too long to be encrypted")]
    TooLong,
    /// The file cannot hold it.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl<'a> DataStores<'a> {
    /// The stores of that home.
    pub fn of(home: &'a Directories) -> DataStores<'a> {
        DataStores { home }
    }

    /// The keys of a store, in the order of its file.
    pub fn keys(self, store: &ObjectPath) -> Result<Vec<String>, DataStoreError> {
        let document = self.document(store)?;
        let mut keys: Vec<String> = Vec::new();
        for entry in entries(&document).filter(|entry| document.entry(DATA, &entry.key) == Some(entry)) {
            keys.push(entry.key.clone());
        }
        Ok(keys)
    }

    /// The value of a key.
    pub fn value(self, store: &ObjectPath, key: &str) -> Result<Vec<u8>, DataStoreError> {
        let document = self.document(store)?;
        let written = document.get(DATA, key).ok_or_else(|| no_key(store, key))?;
        match encoded(store, key, written)? {
            DataValue::Plain(value) => Ok(value),
            sealed => sealed.open(&sealing::get(self.home)?).map_err(|_| DataStoreError::NotOpened {
                store: store.clone(),
                key: key.to_owned(),
                file: self.home.sealing_key(),
            }),
        }
    }

    /// Gives a key its value.
    pub fn put(self, store: &ObjectPath, key: &str, value: &[u8], how: Put) -> Result<(), DataStoreError> {
        datastore::check_key(key)?;
        self.edit(store, |document| {
            match (how, document.get(DATA, key).is_some()) {
                (Put::Add, true) => return Err(DataStoreError::HasKey { store: store.clone(), key: key.to_owned() }),
                (Put::Change, false) => return Err(no_key(store, key)),
                _ => {}
            }
            let written = match store.kind() {
                ObjectKind::Sec => {
                    let sealing = self.sealing_key(store, document, key)?;
                    sealing.seal(sealing::nonce()?, value).ok_or(DataStoreError::TooLong)?
                }
                _ => plain(value),
            };
            Ok(document.set(DATA, key, &written)?)
        })
    }

    /// Removes keys: all of them, or none where one is not there.
    pub fn remove(self, store: &ObjectPath, keys: &[String]) -> Result<(), DataStoreError> {
        self.edit(store, |document| {
            for key in keys {
                if !document.unset(DATA, key) {
                    return Err(no_key(store, key));
                }
            }
            Ok(())
        })
    }

    /// Calls a key otherwise. Its value stays as it is written.
    pub fn rename(self, store: &ObjectPath, key: &str, to: &str) -> Result<(), DataStoreError> {
        datastore::check_key(to)?;
        self.edit(store, |document| {
            let written = document.get(DATA, key).ok_or_else(|| no_key(store, key))?.to_owned();
            if document.get(DATA, to).is_some() {
                return Err(DataStoreError::HasKey { store: store.clone(), key: to.to_owned() });
            }
            document.unset(DATA, key);
            Ok(document.set(DATA, to, &written)?)
        })
    }

    fn edit(
        self,
        store: &ObjectPath,
        change: impl FnOnce(&mut Document) -> Result<(), DataStoreError>,
    ) -> Result<(), DataStoreError> {
        must_be_store(store)?;
        ObjectFiles::of(self.home).edit(store, |text| {
            let mut document = Document::parse(text);
            change(&mut document)?;
            Ok(document.text().to_owned())
        })
    }

    fn document(self, store: &ObjectPath) -> Result<Document, DataStoreError> {
        must_be_store(store)?;
        Ok(Document::parse(ObjectFiles::of(self.home).text(store)?))
    }

    /// The key to seal a value of a store with: the one that the others were sealed with. It is made with the first secret
    /// of the node.
    fn sealing_key(self, store: &ObjectPath, document: &Document, key: &str) -> Result<SealingKey, DataStoreError> {
        let Some(sealing) = sealing::find(self.home)? else {
            return match self.sealed_store()? {
                Some(store) => Err(DataStoreError::KeyLost { store, file: self.home.sealing_key() }),
                None => Ok(sealing::make(self.home)?),
            };
        };
        let mut others = sealed(document).filter(|(name, _)| *name != key).map(|(_, value)| value).peekable();
        if others.peek().is_some() && !others.any(|value| value.open(&sealing).is_ok()) {
            return Err(DataStoreError::OtherKey { store: store.clone(), file: self.home.sealing_key() });
        }
        Ok(sealing)
    }

    /// A store that has a secret.
    fn sealed_store(self) -> Result<Option<ObjectPath>, DataStoreError> {
        let objects = ObjectFiles::of(self.home);
        for store in
            objects.list().map_err(ObjectError::from)?.into_iter().filter(|path| path.kind() == ObjectKind::Sec)
        {
            if sealed(&Document::parse(objects.text(&store)?)).next().is_some() {
                return Ok(Some(store));
            }
        }
        Ok(None)
    }
}

fn entries(document: &Document) -> impl Iterator<Item = &Entry> {
    document.sections().iter().filter(|section| section.name == DATA).flat_map(|section| &section.entries)
}

/// The secrets of a store, each with its key.
fn sealed(document: &Document) -> impl Iterator<Item = (&str, DataValue)> {
    entries(document)
        .filter_map(|entry| Some((entry.key.as_str(), DataValue::parse(ObjectKind::Sec, &entry.value).ok()?)))
}

fn encoded(store: &ObjectPath, key: &str, written: &str) -> Result<DataValue, DataStoreError> {
    let invalid = |reason| DataStoreError::Value { store: store.clone(), key: key.to_owned(), reason };
    DataValue::parse(store.kind(), written).map_err(invalid)
}

fn no_key(store: &ObjectPath, key: &str) -> DataStoreError {
    DataStoreError::NoKey { store: store.clone(), key: key.to_owned() }
}

fn must_be_store(path: &ObjectPath) -> Result<(), DataStoreError> {
    if path.kind().is_store() { Ok(()) } else { Err(DataStoreError::NoStore(path.clone())) }
}

#[cfg(test)]
mod tests;
