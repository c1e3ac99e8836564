//! A holding in the record of its resource.

use serde::{Deserialize, Serialize};

use crate::Holding;

/// How long a holding can last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldingScope {
    /// Until the next boot at the latest.
    Boot,
    /// Also after a boot.
    Persistent,
}

impl HoldingScope {
    pub const ALL: [HoldingScope; 2] = [HoldingScope::Boot, HoldingScope::Persistent];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldingScope::Boot => "boot",
            HoldingScope::Persistent => "persistent",
        }
    }
}

/// How far a thing got between the call that makes it and the proof that it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldingStage {
    /// It was about to begin, and nothing is known of its end: the thing may exist or not.
    Intended,
    /// It succeeded: the thing was there.
    Held,
    /// A call has undone it, and the host has not looked yet whether it is gone everywhere.
    Undone,
    /// The same, but programs may use it on: a call has unmounted it lazily, or has found it unmounted by another hand.
    LetGo,
    /// The host has looked after a stop, and something of it is left, perhaps where only a proof looks.
    Left,
}

/// One holding of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingRecord {
    /// The id of the resource. Not a parsed one, as a ledger may outlast the section of its resource.
    pub rid: String,
    /// The number of the holding in its ledger.
    pub number: u64,
    pub stage: HoldingStage,
    pub holding: Holding,
}

impl HoldingRecord {
    /// Whether a call has undone it, so that only a proof still looks for it.
    pub fn is_undone(&self) -> bool {
        matches!(self.stage, HoldingStage::Undone | HoldingStage::LetGo)
    }

    /// Whether a proof has found something of it left that a cheap look does not see: of a mount, where it is mounted besides.
    pub fn is_left_unseen(&self) -> bool {
        self.stage == HoldingStage::Left && matches!(self.holding, Holding::Mount(_))
    }

    /// The id by which drivers name it: opaque to them, and the same for as long as the thing is held.
    pub fn id(&self) -> String {
        match &self.holding {
            Holding::Declared(declared) => declared.id.clone(),
            holding => format!("{}.{}", holding.scope().as_str(), self.number),
        }
    }
}
