//! A small store: documents with revisions, and transactions that compare what they rest on.
//!
//! A request may be applied at any later time, also after its sender gave it up, restarted or rebooted. The world decides when
//! a request is applied and whether the answer arrives.

mod apply;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{NodeState, ObjectRules, ObjectView};

pub(crate) use apply::GENERATION;
pub(crate) use request::{RecordRequest, StoreAnswer, StoreRequest};

/// The store's content at one revision.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreState {
    pub(crate) revision: u64,
    pub(crate) nodes: BTreeMap<NodeName, NodeDocument>,
    pub(crate) objects: BTreeMap<ObjectPath, Arc<ObjectDocument>>,
}

/// A node in the store.
#[derive(Debug, Clone)]
pub(crate) struct NodeDocument {
    /// The revision of its registration or eviction. Never deleted.
    pub(crate) incarnation: u64,
    pub(crate) evicted: bool,
    /// The revision of its last beat.
    pub(crate) beat: u64,
    pub(crate) state: NodeState,
    pub(crate) frozen: bool,
    pub(crate) score: u32,
    pub(crate) load: u32,
    /// When its drain ends at the latest, in the time of the world.
    pub(crate) drain: Option<Duration>,
}

/// An object in the store.
#[derive(Debug, Clone)]
pub(crate) struct ObjectDocument {
    pub(crate) rules: Arc<ObjectRules>,
    /// The view that every node shares. Times in it are those of the world, and slots are not confirmed.
    pub(crate) view: ObjectView,
    /// The number of the last publication of each instance.
    pub(crate) published: BTreeMap<NodeName, (u64, u64)>,
}
