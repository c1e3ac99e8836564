//! What tells one state, node life, ownership or order from the next one. None of them is a time.

use std::fmt;

/// A revision of the store. Every committed change makes a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreRevision(pub u64);

/// One life of a node in the cluster, from its registration to its eviction or to its next registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIncarnation {
    /// The store's generation: a restored store begins another one.
    pub generation: u64,
    /// The revision of the registration.
    pub revision: StoreRevision,
}

/// Proof of owning a slot. Every take and every re-assertion makes a greater one, and none comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken {
    /// The store's generation.
    pub generation: u64,
    /// The revision of the slot.
    pub revision: StoreRevision,
}

/// The number of an action of one instance: the n-th that began there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionSequence(pub u64);

impl ActionSequence {
    /// No action has begun yet.
    pub const NONE: ActionSequence = ActionSequence(0);

    /// The number of the next action.
    #[must_use]
    pub fn next(self) -> ActionSequence {
        ActionSequence(self.0 + 1)
    }
}

/// The id of an intent. Displays as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(pub u128);

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:032x}", self.0);
        let part = |range: std::ops::Range<usize>| &text[range];
        f.pad(&[part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
    }
}
