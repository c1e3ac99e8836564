//! Reads and changes the keys of data stores. A change touches one line of the file, and is refused if its value could not be
//! read back.

use config::{Document, Entry};
use model::datastore::{DATA, DataValue, SealingKey, check_key, plain};
use model::{ObjectKind, ObjectPath};

use super::error::DataStoreError;
use super::sealing;
use crate::history::ChangeAuthor;
use crate::object::ObjectError;
use crate::{Directories, ObjectFiles};

/// The data stores below the directories of one agent.
#[derive(Debug, Clone, Copy)]
pub struct DataStores<'a> {
    home: &'a Directories,
    /// Who changes them. None: this process, by no command.
    by: Option<&'a ChangeAuthor>,
}

/// Whether a key must exist before its value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutMode {
    /// The key must not exist.
    Add,
    /// The key must exist.
    Change,
}

impl<'a> DataStores<'a> {
    /// The data stores below these directories.
    pub fn of(home: &'a Directories) -> DataStores<'a> {
        DataStores { home, by: None }
    }

    /// The same, for changes by this author.
    pub fn by(self, author: &'a ChangeAuthor) -> DataStores<'a> {
        DataStores { by: Some(author), ..self }
    }

    /// The keys of a store, in the order of its file.
    pub fn keys(self, store: &ObjectPath) -> Result<Vec<String>, DataStoreError> {
        let document = self.document(store)?;
        let mut keys: Vec<String> = Vec::new();
        // A key that is written twice counts once: the entry that is read.
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

    /// Writes the value of a key.
    pub fn put(self, store: &ObjectPath, key: &str, value: &[u8], how: PutMode) -> Result<(), DataStoreError> {
        check_key(key)?;
        self.edit(store, |document| {
            match (how, document.get(DATA, key).is_some()) {
                (PutMode::Add, true) => {
                    return Err(DataStoreError::HasKey { store: store.clone(), key: key.to_owned() });
                }
                (PutMode::Change, false) => return Err(no_key(store, key)),
                _ => {}
            }
            // Only secrets need the node's key: a cfg must work without one.
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

    /// Removes keys. If one of them does not exist, none is removed.
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

    /// Renames a key. Its encoded value stays as it is.
    pub fn rename(self, store: &ObjectPath, key: &str, to: &str) -> Result<(), DataStoreError> {
        check_key(to)?;
        self.edit(store, |document| {
            let written = document.get(DATA, key).ok_or_else(|| no_key(store, key))?.to_owned();
            if document.get(DATA, to).is_some() {
                return Err(DataStoreError::HasKey { store: store.clone(), key: to.to_owned() });
            }
            // Not decoded on the way: a rename must work without the key that opens the value.
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
        let objects = ObjectFiles::of(self.home);
        self.by.map_or(objects, |author| objects.by(author)).edit(store, |text| {
            let mut document = Document::parse(text);
            change(&mut document)?;
            Ok(document.text().to_owned())
        })
    }

    fn document(self, store: &ObjectPath) -> Result<Document, DataStoreError> {
        must_be_store(store)?;
        Ok(Document::parse(ObjectFiles::of(self.home).text(store)?))
    }

    /// The node's key to seal a value with. It must be the one that the other values of the store were sealed with. It is created
    /// with the first secret of the node.
    fn sealing_key(self, store: &ObjectPath, document: &Document, key: &str) -> Result<SealingKey, DataStoreError> {
        let Some(sealing) = sealing::find(self.home)? else {
            return match self.sealed_store()? {
                // A new key would hide that the old one is lost until a start fails.
                Some(store) => Err(DataStoreError::KeyLost { store, file: self.home.sealing_key() }),
                None => Ok(sealing::make(self.home)?),
            };
        };
        // The value that is about to be replaced need not open: to replace it may be the way out.
        let mut others = sealed(document).filter(|(name, _)| *name != key).map(|(_, value)| value).peekable();
        // One that opens proves the key. Others may be damaged, and must not keep the store from being changed.
        if others.peek().is_some() && !others.any(|value| value.open(&sealing).is_ok()) {
            return Err(DataStoreError::OtherKey { store: store.clone(), file: self.home.sealing_key() });
        }
        Ok(sealing)
    }

    /// A store that holds a secret, if there is one.
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

/// The sealed values of a store, each with its key.
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
