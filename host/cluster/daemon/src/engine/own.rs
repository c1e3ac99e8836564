//! The store of a single node: opened, made when there is none, and made anew where it is damaged. The old file is kept aside.

use std::path::Path;
use std::time::Duration;

use store::Retention;
use store_redb::{OpenError, RedbStore, StoreRebuild};

/// How long a store that is held is waited for.
const HELD_WAIT: Duration = Duration::from_millis(100);
const HELD_TRIES: u32 = 50;

/// A store that was opened, and what had to be done for it.
pub(crate) struct OpenedStore {
    pub(crate) store: RedbStore,
    /// Why it was made anew. Then orders that had not ended are lost; all else is made again from the files of the node.
    pub(crate) rebuilt: Option<String>,
}

/// Opens the store in this directory.
pub(crate) async fn open(directory: &Path) -> Result<OpenedStore, OpenError> {
    let mut opened = open_or_make(directory).await;
    // The lock of the daemon is ours, so the holder of the store is a child that a killed daemon left behind, for a moment.
    for _ in 0..HELD_TRIES {
        if !matches!(opened, Err(OpenError::Held { .. })) {
            break;
        }
        tokio::time::sleep(HELD_WAIT).await;
        opened = open_or_make(directory).await;
    }
    match opened {
        Ok(store) => Ok(OpenedStore { store, rebuilt: None }),
        Err(error @ (OpenError::Lost { .. } | OpenError::Damaged { .. })) => {
            let place = directory.to_owned();
            let rebuild = run_blocking(move || StoreRebuild::begin(&place)).await?;
            let store = rebuild.finish(Retention::default()).await?;
            Ok(OpenedStore { store, rebuilt: Some(error.to_string()) })
        }
        Err(error) => Err(error),
    }
}

async fn open_or_make(directory: &Path) -> Result<RedbStore, OpenError> {
    let place = directory.to_owned();
    run_blocking(move || match RedbStore::open(&place, Retention::default()) {
        Err(OpenError::Missing { .. }) => RedbStore::create(&place, Retention::default()),
        opened => opened,
    })
    .await
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
