//! What a linearizable read of the store shows.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath};
use orchestrate::{NodeIncarnation, SlotState, StoreRevision};

/// A life of the store. A restored one begins another, with a greater number; the nonce tells two apart that were made with the
/// same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    pub number: u64,
    pub nonce: u64,
}

/// A slot of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotName {
    pub path: ObjectPath,
    pub index: usize,
}

/// All that matters here of the store, at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnershipReading {
    pub revision: StoreRevision,
    pub generation: Generation,
    pub nodes: BTreeMap<NodeName, NodeReading>,
    pub slots: BTreeMap<SlotName, SlotReading>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeReading {
    /// The revision of its registration, or of its eviction.
    pub life: StoreRevision,
    /// Whether it was not evicted.
    pub alive: bool,
    /// The boot in which it registered.
    pub boot: String,
    /// The revision of its last beat.
    pub beat: StoreRevision,
    /// Whether the last beat says that its services go on while its daemon is away.
    pub pinned: bool,
    /// The revision of the list of nodes that it asks for promises, as its last beat says.
    pub members: StoreRevision,
}

/// A slot that was taken at some time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SlotReading {
    pub revision: StoreRevision,
    pub owner: NodeName,
    /// The life of the owner in which it was taken.
    pub incarnation: NodeIncarnation,
    pub state: SlotState,
}
