//! The requests of nodes to the store. Each says what must still hold for it to be applied.

use model::{NodeName, ObjectPath};
use orchestrate::{
    ActionRecord, InstanceFailure, InstanceView, IntentId, IntentOutcome, OrderAcceptance, OrderChange, SlotStep,
};

/// A request. The revisions in it are what the sender has read.
#[derive(Debug, Clone)]
pub(crate) enum StoreRequest {
    Register {
        node: NodeName,
        incarnation: u64,
    },
    Beat {
        node: NodeName,
        incarnation: u64,
        beat: u64,
    },
    Evict {
        by: NodeName,
        by_incarnation: u64,
        node: NodeName,
        incarnation: u64,
        beat: u64,
    },
    Slot {
        node: NodeName,
        incarnation: u64,
        path: ObjectPath,
        step: SlotStep,
    },
    /// What a node says of its instance. `number` is (boot, count): an older publication never replaces a newer one.
    Publish {
        node: NodeName,
        path: ObjectPath,
        number: (u64, u64),
        instance: Box<InstanceView>,
    },
    /// What an action did. A clear since it began leaves no failure behind.
    Record(Box<RecordRequest>),
    Settle {
        path: ObjectPath,
        id: IntentId,
        outcome: IntentOutcome,
    },
    Bury {
        path: ObjectPath,
        id: IntentId,
    },
    /// `seen` is the present intent, and whether it has ended.
    Accept {
        path: ObjectPath,
        seen: Option<(IntentId, bool)>,
        acceptance: Box<OrderAcceptance>,
    },
    EndDrain {
        node: NodeName,
        incarnation: u64,
    },
}

/// The end of an action.
#[derive(Debug, Clone)]
pub(crate) struct RecordRequest {
    pub(crate) node: NodeName,
    pub(crate) path: ObjectPath,
    pub(crate) intent: Option<IntentId>,
    pub(crate) record: ActionRecord,
    pub(crate) failure: Option<InstanceFailure>,
    /// How often the instance had been cleared when the action began.
    pub(crate) clears: u64,
    pub(crate) froze: bool,
}

/// What the store answers.
#[derive(Debug, Clone)]
pub(crate) enum StoreAnswer {
    /// Applied, at this revision.
    Applied(u64),
    /// Something that it rests on has changed.
    Refused,
}

impl StoreRequest {
    /// The object that it concerns.
    pub(crate) fn path(&self) -> Option<&ObjectPath> {
        match self {
            StoreRequest::Slot { path, .. }
            | StoreRequest::Publish { path, .. }
            | StoreRequest::Settle { path, .. }
            | StoreRequest::Bury { path, .. }
            | StoreRequest::Accept { path, .. } => Some(path),
            StoreRequest::Record(record) => Some(&record.path),
            _ => None,
        }
    }

    /// Whether nodes are thawed with it.
    pub(super) fn thaws_nodes(acceptance: &OrderAcceptance) -> bool {
        acceptance.changes.contains(&OrderChange::ThawNodes)
    }
}
