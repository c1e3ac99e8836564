//! The store of the daemon: that of this node alone, or the one that the nodes of a cluster share.

pub(crate) mod managed;
mod own;
mod shared;

use std::path::Path;
use std::sync::Arc;

use agent::node::EngineAddress;
use store::Store;
use store_etcd::EtcdStore;
use store_redb::{OpenError, RedbStore};

use self::shared::MarkKeeper;

/// The store of the daemon.
#[derive(Debug)]
pub(crate) enum Engine {
    /// Of this node alone, in a file.
    Own(Arc<RedbStore>),
    /// Of several nodes.
    Shared(Arc<EtcdStore>, MarkKeeper),
}

impl Engine {
    /// The store of a node alone, and why it was made anew, if it was. Then orders that had not ended are lost; all else is made
    /// again from the files of the node.
    pub(crate) async fn own(directory: &Path) -> Result<(Engine, Option<String>), OpenError> {
        let opened = own::open(directory).await?;
        Ok((Engine::Own(Arc::new(opened.store)), opened.rebuilt))
    }

    /// The store that this node shares with others. It is not asked anything yet.
    pub(crate) fn shared(directory: &Path, address: &EngineAddress) -> Engine {
        let (store, marks) = shared::open(directory, address);
        Engine::Shared(store, marks)
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Engine::Own(store) => Arc::clone(store) as Arc<dyn Store>,
            Engine::Shared(store, _) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// The engine of several nodes.
    pub(crate) fn etcd(&self) -> Option<Arc<EtcdStore>> {
        match self {
            Engine::Own(_) => None,
            Engine::Shared(store, _) => Some(Arc::clone(store)),
        }
    }

    /// Leaves what the next daemon finds.
    pub(crate) async fn close(self) {
        match self {
            Engine::Own(store) => drop(store.close().await),
            Engine::Shared(_, marks) => marks.end().await,
        }
    }
}
