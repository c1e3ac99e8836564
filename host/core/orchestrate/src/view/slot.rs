//! Slots: the right to run one instance of an object.

use std::collections::BTreeMap;

use model::NodeName;

use crate::{FencingToken, NodeIncarnation, NodeView, StoreRevision};

/// A slot that somebody took at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotView {
    /// Which of the object's slots it is.
    pub index: usize,
    /// The revision that last changed it.
    pub revision: StoreRevision,
    pub state: SlotState,
    pub owner: NodeName,
    /// The life of the owner in which it was taken.
    pub incarnation: NodeIncarnation,
    /// Whether this process of the daemon was told that the slot is its own, and has not sent a release since. What is only
    /// read never suffices.
    pub confirmed: bool,
}

/// What a slot says of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotState {
    Held,
    Released,
    /// Something of the owner's could not be removed: nobody takes it.
    Blocked,
}

/// What a slot is to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotStanding<'a> {
    /// Its own, with the token.
    Own(FencingToken),
    /// Its own as it reads, but this process has no confirmation: it must assert itself again.
    Unconfirmed(FencingToken),
    /// Another's, who is alive as far as the store knows.
    Foreign(&'a NodeName),
    /// Nobody's.
    Free,
    /// Of an owner whose life has ended.
    Orphan(&'a NodeName),
    Blocked(&'a NodeName),
}

impl SlotView {
    /// What the slot is to `me`.
    pub fn standing<'a>(&'a self, me: &NodeName, nodes: &BTreeMap<NodeName, NodeView>) -> SlotStanding<'a> {
        // "Gone" is another incarnation than the slot's, never an absent key.
        let gone = nodes.get(&self.owner).is_none_or(|node| node.incarnation != Some(self.incarnation));
        match self.state {
            SlotState::Released => SlotStanding::Free,
            SlotState::Blocked => SlotStanding::Blocked(&self.owner),
            SlotState::Held if gone => SlotStanding::Orphan(&self.owner),
            SlotState::Held if self.owner != *me => SlotStanding::Foreign(&self.owner),
            SlotState::Held if self.confirmed => SlotStanding::Own(self.token()),
            SlotState::Held => SlotStanding::Unconfirmed(self.token()),
        }
    }

    /// The token of the present owner.
    pub fn token(&self) -> FencingToken {
        FencingToken { generation: self.incarnation.generation, revision: self.revision }
    }
}
