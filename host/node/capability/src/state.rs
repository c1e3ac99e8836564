//! `wit/state.wit`: a little memory that the host keeps for a resource, one file a resource and scope.
//!
//! What was forgotten because the machine rebooted is forgotten; what cannot be read is an error: a driver that took
//! "unreadable" for "never" would do its work twice.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use grant::op::KeepState;
use serde::{Deserialize, Serialize};

use crate::{Effect, Error, Scope};

/// Keys and values of a resource, both scopes together.
const MAX_BYTES: usize = 64 * 1024;

/// The value under `key`, or none if it was never set.
pub async fn get(scope: &Scope, lifetime: &str, key: &str) -> Result<Option<String>, Error> {
    let store = Store::of(scope);
    let (lifetime, key) = (Lifetime::parse(lifetime)?, key.to_owned());
    scope.look(KeepState, move |_| Ok(store.read(lifetime)?.values.remove(&key))).await
}

/// Sets `key`. The value is on disk before this returns.
pub async fn set(scope: &Scope, lifetime: &str, key: &str, value: &str) -> Result<(), Error> {
    let store = Store::of(scope);
    let (lifetime, key, value) = (Lifetime::parse(lifetime)?, key.to_owned(), value.to_owned());
    // The host's own memory of a resource is no effect that a rollback must undo.
    scope.change(KeepState, move |_| store.set(lifetime, key, value).map(Effect::Nothing)).await
}

/// Forgets `key`.
pub async fn remove(scope: &Scope, lifetime: &str, key: &str) -> Result<(), Error> {
    let store = Store::of(scope);
    let (lifetime, key) = (Lifetime::parse(lifetime)?, key.to_owned());
    scope.change(KeepState, move |_| store.remove(lifetime, &key).map(Effect::Nothing)).await
}

/// Forgets all that is kept for the resource of this call: it was unprovisioned.
pub async fn wipe(scope: &Scope) -> Result<(), Error> {
    let store = Store::of(scope);
    let wiped = tokio::task::spawn_blocking(move || store.wipe()).await;
    wiped.map_err(|_| Error::Other("the call crashed".to_owned()))?
}

/// How long a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    Boot,
    Persistent,
}

impl Lifetime {
    const ALL: [Lifetime; 2] = [Lifetime::Boot, Lifetime::Persistent];

    fn parse(word: &str) -> Result<Lifetime, Error> {
        let found = Lifetime::ALL.into_iter().find(|lifetime| lifetime.as_str() == word);
        found.ok_or_else(|| Error::Invalid(format!("{word:?} is no scope of state: expected boot or persistent")))
    }

    fn as_str(self) -> &'static str {
        match self {
            Lifetime::Boot => "boot",
            Lifetime::Persistent => "persistent",
        }
    }
}

/// What one file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    /// The boot that it was written in, for those that last no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
    values: BTreeMap<String, String>,
}

impl Content {
    fn size(&self) -> usize {
        self.values.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

#[derive(Debug, Clone)]
struct Store {
    directory: PathBuf,
    /// The resource, as part of a file's name.
    name: String,
    boot_id: Option<String>,
}

impl Store {
    fn of(scope: &Scope) -> Store {
        Store {
            directory: scope.paths().statedir.join("state"),
            name: scope.call().rid.to_string().replace('#', "."),
            boot_id: kernel::clock::boot_id(),
        }
    }

    fn path(&self, lifetime: Lifetime) -> PathBuf {
        self.directory.join(format!("{}.{}.json", self.name, lifetime.as_str()))
    }

    fn read(&self, lifetime: Lifetime) -> Result<Content, Error> {
        let path = self.path(lifetime);
        let doing = format!("cannot read the state in {}", path.display());
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::default()),
            Err(error) => return Err(Error::io(&doing, &error)),
        };
        let content: Content =
            serde_json::from_slice(&bytes).map_err(|error| Error::Other(format!("{doing}: {error}")))?;
        let is_forgotten = lifetime == Lifetime::Boot && content.boot_id != self.boot_id;
        Ok(if is_forgotten { Content::default() } else { content })
    }

    fn set(&self, lifetime: Lifetime, key: String, value: String) -> Result<(), Error> {
        let mut content = self.read(lifetime)?;
        content.values.insert(key, value);
        let mut size = content.size();
        for other in Lifetime::ALL.into_iter().filter(|other| *other != lifetime) {
            size += self.read(other)?.size();
        }
        if size > MAX_BYTES {
            return Err(Error::Invalid(format!("the state of a resource is at most {MAX_BYTES} bytes, not {size}")));
        }
        self.write(lifetime, content)
    }

    fn remove(&self, lifetime: Lifetime, key: &str) -> Result<(), Error> {
        let mut content = self.read(lifetime)?;
        match content.values.remove(key) {
            Some(_) => self.write(lifetime, content),
            None => Ok(()),
        }
    }

    fn write(&self, lifetime: Lifetime, mut content: Content) -> Result<(), Error> {
        content.boot_id = self.boot_id.clone().filter(|_| lifetime == Lifetime::Boot);
        let path = self.path(lifetime);
        let doing = format!("cannot write the state in {}", path.display());
        let bytes = serde_json::to_vec(&content).map_err(|error| Error::Other(format!("{doing}: {error}")))?;
        replace(&path, &bytes).map_err(|error| Error::io(&doing, &error))
    }

    fn wipe(&self) -> Result<(), Error> {
        for lifetime in Lifetime::ALL {
            let path = self.path(lifetime);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(&format!("cannot remove the state in {}", path.display()), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Written beside, synced, renamed over, and the rename synced too.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let beside = path.with_extension("tmp");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(directory: &Path, boot_id: &str) -> Store {
        Store { directory: directory.to_owned(), name: "fs.1".to_owned(), boot_id: Some(boot_id.to_owned()) }
    }

    fn value(store: &Store, lifetime: Lifetime) -> Option<String> {
        store.read(lifetime).unwrap().values.remove("k")
    }

    #[test]
    fn a_reboot_forgets_what_was_kept_for_the_boot_only() {
        let dir = tempfile::tempdir().unwrap();
        let before = store(dir.path(), "one");
        for lifetime in Lifetime::ALL {
            before.set(lifetime, "k".into(), "v".into()).unwrap();
        }
        let after = store(dir.path(), "two");
        assert_eq!(value(&before, Lifetime::Boot).as_deref(), Some("v"));
        assert_eq!(value(&after, Lifetime::Boot), None);
        assert_eq!(value(&after, Lifetime::Persistent).as_deref(), Some("v"));
    }

    #[test]
    fn removed_and_wiped_values_are_gone_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let mine = store(dir.path(), "one");
        let other = Store { name: "fs.2".to_owned(), ..mine.clone() };
        for store in [&mine, &other] {
            store.set(Lifetime::Persistent, "k".into(), "v".into()).unwrap();
            store.set(Lifetime::Persistent, "l".into(), "w".into()).unwrap();
        }
        mine.remove(Lifetime::Persistent, "k").unwrap();
        mine.remove(Lifetime::Persistent, "never").unwrap();
        assert_eq!(mine.read(Lifetime::Persistent).unwrap().values.len(), 1);
        mine.wipe().unwrap();
        assert_eq!(mine.read(Lifetime::Persistent).unwrap().values.len(), 0);
        assert_eq!(other.read(Lifetime::Persistent).unwrap().values.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), "one");
        for content in ["", "{", "[]"] {
            fs::write(store.path(Lifetime::Boot), content).unwrap();
            assert!(store.read(Lifetime::Boot).is_err(), "{content:?}");
            assert!(store.set(Lifetime::Boot, "k".into(), "v".into()).is_err(), "{content:?}");
        }
    }

    #[test]
    fn both_scopes_together_hold_64_kib() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path(), "one");
        store.set(Lifetime::Boot, "k".into(), "x".repeat(MAX_BYTES / 2)).unwrap();
        assert!(store.set(Lifetime::Persistent, "k".into(), "x".repeat(MAX_BYTES / 2)).is_err());
        store.set(Lifetime::Persistent, "k".into(), "x".repeat(MAX_BYTES / 2 - 2)).unwrap();
        store.set(Lifetime::Boot, "k".into(), "x".into()).unwrap();
    }
}
