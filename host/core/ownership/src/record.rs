//! What must outlive the process: on disk what outlives the boot, in the run directory what does not.

use std::collections::BTreeMap;

use model::NodeName;
use orchestrate::StoreRevision;

use crate::Generation;

/// What a node keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeMemory {
    /// The generation that was seen last. On disk.
    pub generation: Option<Generation>,
    /// Whether the time has passed that a node waits in a new generation before it takes what it does not run. On disk.
    pub settled: bool,
    /// In the run directory: a boot begins with none.
    pub boot: BootMemory,
}

/// What a node keeps of one boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct BootMemory {
    /// The life that began in this boot. None: there is none, or it was lost.
    pub life: Option<StoreRevision>,
    /// The lives of other nodes that were read as alive since that registration.
    pub known: BTreeMap<NodeName, StoreRevision>,
    /// The last eviction of each node that was sent: it may still be applied. Kept before it is sent.
    pub evicts: BTreeMap<NodeName, SentEvict>,
}

/// An eviction that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SentEvict {
    pub life: StoreRevision,
    pub beat: StoreRevision,
}
