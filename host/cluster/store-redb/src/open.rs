//! Opening the store of a directory. A store is made only on request, and never in the place of one that is lost or damaged.

use std::io;
use std::path::{Path, PathBuf};

use store::Retention;
use thiserror::Error;

use crate::directory::{DirectoryLock, StoreDirectory};
use crate::file::StoreFile;
use crate::medium::{FileMedium, StoreMedium};
use crate::{DamageKind, RedbStore, StoreFileError};

/// Why a store was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("there is no store in {}", directory.display())]
    Missing { directory: PathBuf },
    #[error("there is a store in {} already", directory.display())]
    Exists { directory: PathBuf },
    #[error("the store in {} is in use by {}", directory.display(), holder(.pid))]
    Held { directory: PathBuf, pid: Option<u32> },
    #[error(
        "the store in {} is gone, it was made {made}: rebuild it from this node's configurations with `om cluster rebuild`",
        directory.display()
    )]
    Lost { directory: PathBuf, made: String },
    /// The file was moved aside, unless that failed too.
    #[error(
        "the store in {} is damaged ({kind}){}: rebuild it from this node's configurations with `om cluster rebuild`",
        directory.display(), moved(.aside)
    )]
    Damaged { directory: PathBuf, kind: DamageKind, aside: Option<PathBuf>, source: StoreFileError },
    #[error("the store in {} cannot be used", directory.display())]
    File { directory: PathBuf, source: StoreFileError },
    #[error("cannot {action} in {}", directory.display())]
    Directory { directory: PathBuf, action: &'static str, source: io::Error },
}

fn holder(pid: &Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

fn moved(aside: &Option<PathBuf>) -> String {
    aside.as_ref().map_or_else(String::new, |path| format!(" and was moved to {}", path.display()))
}

impl RedbStore {
    /// Opens the store of a directory. This blocks: the file is read and verified.
    pub fn open(directory: &Path, retention: Retention) -> Result<Self, OpenError> {
        let directory = StoreDirectory::new(directory);
        if !directory.root().exists() {
            return Err(OpenError::Missing { directory: directory.root().to_owned() });
        }
        let lock = take(&directory)?;
        open_locked(&directory, lock, retention)
    }

    /// Makes an empty store where none was before, and opens it. This blocks.
    pub fn create(directory: &Path, retention: Retention) -> Result<Self, OpenError> {
        let directory = StoreDirectory::new(directory);
        directory.create().map_err(failed(&directory, "make the directory of the store"))?;
        let lock = take(&directory)?;
        // Also with `made` alone: a store that is lost is rebuilt, and not replaced by an empty one.
        if directory.made().exists() || directory.store().exists() {
            return Err(OpenError::Exists { directory: directory.root().to_owned() });
        }
        make_new(&directory)?.close().map_err(unusable(&directory))?;
        directory.install().map_err(failed(&directory, "install a store"))?;
        open_locked(&directory, lock, retention)
    }
}

/// Locks a directory for this process.
pub(crate) fn take(directory: &StoreDirectory) -> Result<DirectoryLock, OpenError> {
    let lock = directory.lock().map_err(failed(directory, "lock the store"))?;
    lock.ok_or_else(|| OpenError::Held { directory: directory.root().to_owned(), pid: directory.holder() })
}

/// Makes a new store beside the one that may be there.
pub(crate) fn make_new(directory: &StoreDirectory) -> Result<StoreFile, OpenError> {
    directory.create_new_store().map_err(failed(directory, "make a store"))?;
    let medium = FileMedium { path: directory.new_store(), lock: None };
    medium.open().and_then(StoreFile::create).map_err(unusable(directory))
}

/// Opens the store of a directory that this process holds.
pub(crate) fn open_locked(
    directory: &StoreDirectory,
    lock: DirectoryLock,
    retention: Retention,
) -> Result<RedbStore, OpenError> {
    // Under the lock, so it belongs to no process that is still at it.
    directory.remove_new_store().map_err(failed(directory, "remove an unfinished store"))?;
    if !directory.store().try_exists().map_err(failed(directory, "look for the store"))? {
        return Err(absent(directory));
    }
    let medium = FileMedium { path: directory.store(), lock: Some(lock) };
    let loaded = medium.open().and_then(StoreFile::open).and_then(|file| Ok((file.load()?, file)));
    let (timeline, file) = loaded.map_err(|error| refuse(directory, error))?;
    // The last store that was made, if the process that made it did not live to note it.
    if !directory.made().exists() {
        directory.note_made().map_err(failed(directory, "note the making of the store"))?;
    }
    let store = RedbStore::start(medium, file, timeline, retention).map_err(unusable(directory))?;
    Ok(store.at(directory.store()))
}

/// What it means that there is no file.
fn absent(directory: &StoreDirectory) -> OpenError {
    let root = directory.root().to_owned();
    match std::fs::read_to_string(directory.made()) {
        Ok(made) => OpenError::Lost { directory: root, made: made.trim().to_owned() },
        Err(error) if error.kind() == io::ErrorKind::NotFound => OpenError::Missing { directory: root },
        Err(source) => failed(directory, "read when the store was made")(source),
    }
}

/// Moves a damaged file aside, and leaves any other one alone.
fn refuse(directory: &StoreDirectory, source: StoreFileError) -> OpenError {
    match source.damage() {
        None => unusable(directory)(source),
        Some(kind) => {
            let aside = directory.move_aside(kind.as_str()).ok();
            OpenError::Damaged { directory: directory.root().to_owned(), kind, aside, source }
        }
    }
}

pub(crate) fn failed(directory: &StoreDirectory, action: &'static str) -> impl Fn(io::Error) -> OpenError {
    let directory = directory.root().to_owned();
    move |source| OpenError::Directory { directory: directory.clone(), action, source }
}

pub(crate) fn unusable(directory: &StoreDirectory) -> impl Fn(StoreFileError) -> OpenError {
    let directory = directory.root().to_owned();
    move |source| OpenError::File { directory: directory.clone(), source }
}
