//! Making a store in the place of one that is lost, damaged, or to be replaced by a backup.

use std::path::Path;

use store::{Retention, Store};

use crate::RedbStore;
use crate::directory::{DirectoryLock, StoreDirectory};
use crate::medium::FileMedium;
use crate::open::{OpenError, failed, make_new, open_locked, take, unusable};

/// A new store that its owner fills. It takes the place of the old one when it is finished, and is gone if it is not.
#[derive(Debug)]
pub struct StoreRebuild {
    directory: StoreDirectory,
    lock: DirectoryLock,
    store: RedbStore,
}

impl StoreRebuild {
    /// Makes an empty store beside the one that may be there, which nobody may have open. This blocks.
    pub fn begin(directory: &Path) -> Result<Self, OpenError> {
        let directory = StoreDirectory::new(directory);
        directory.create().map_err(failed(&directory, "make the directory of the store"))?;
        let lock = take(&directory)?;
        let file = make_new(&directory)?;
        let medium = FileMedium { path: directory.new_store(), lock: None };
        let timeline = file.load().map_err(unusable(&directory))?;
        let store = RedbStore::start(medium, file, timeline, Retention::default()).map_err(unusable(&directory))?;
        Ok(Self { directory, lock, store })
    }

    /// The new store, to be filled.
    pub fn store(&self) -> &dyn Store {
        &self.store
    }

    /// Puts the new store in the place of the old one, which is moved aside, and opens it.
    pub async fn finish(self, retention: Retention) -> Result<RedbStore, OpenError> {
        let Self { directory, lock, store } = self;
        // Before the rename: `install` puts a durable file in the place of the store, or none.
        store.close().await.map_err(unusable(&directory))?;
        directory.install().map_err(failed(&directory, "install a store"))?;
        open_locked(&directory, lock, retention)
    }
}
