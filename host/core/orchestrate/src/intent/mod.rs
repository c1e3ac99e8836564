//! Intents: orders to the cluster, each with an id, a placement that is fixed when it is accepted, and one outcome.
//!
//! An intent holds a goal and what was done for it, never a program that is half run: what comes next is derived from both and
//! from the statuses ([`progress`]), so a restart or an upgrade of the daemon in between changes nothing.

mod accept;
mod order;
mod progress;
mod provision;
mod remove;
mod start;
mod stop;

use std::collections::BTreeMap;

use model::NodeName;

use crate::{ActionEnd, ActionRecord, BootTime, InstanceAction, IntentId, Reason};

pub use accept::{OrderAcceptance, OrderChange};
pub use order::{OperatorOrder, OrderRefusal, OrderVerb, accept};
pub use progress::InstanceProgress;
pub(crate) use progress::{intent_outcome, progress, wants_up};
pub(crate) use remove::is_purgeable;

/// An order that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    pub id: IntentId,
    pub goal: IntentGoal,
    /// The time is up then, on this node's clock.
    pub expires: BootTime,
    /// What each instance did for it, in order.
    pub records: BTreeMap<NodeName, Vec<ActionRecord>>,
    /// How it ended. Once it is there, it stays.
    pub outcome: Option<IntentOutcome>,
}

/// What an intent wants. Who does what is fixed in it, and does not change with the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentGoal {
    /// Up on `count` of these nodes, the first that can.
    Started { order: Vec<NodeName>, count: usize },
    /// Down everywhere.
    Stopped,
    /// Stopped and started on these nodes, one after the other.
    Restarted { order: Vec<NodeName> },
    /// Up on these nodes and on no other.
    Placed { on: Vec<NodeName> },
    /// Provisioned everywhere, on the leader first.
    Provisioned { leader: NodeName },
    /// Unprovisioned everywhere, on the leader last.
    Unprovisioned { leader: NodeName },
    /// Unprovisioned, then deleted.
    Purged { leader: NodeName },
    /// Deleted.
    Deleted,
}

impl IntentGoal {
    /// Whether data is gone when it is reached.
    pub fn destroys(&self) -> bool {
        matches!(self, IntentGoal::Unprovisioned { .. } | IntentGoal::Purged { .. } | IntentGoal::Deleted)
    }
}

/// How an intent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentOutcome {
    Done,
    /// No instance can go on. The target stays, and `clear` tries again.
    Failure(Reason),
    /// A person gave it up.
    Abortion,
    /// Another order took its place.
    Supersession(IntentId),
    /// It was not done in time.
    Expiry(Vec<Reason>),
}

/// What became of an action that an intent needs of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionAttempt<'a> {
    /// It was not tried, or was interrupted.
    Untried,
    Success,
    Failure(&'a str),
}

impl Intent {
    /// What became of an action on a node.
    pub(crate) fn attempt(&self, node: &NodeName, action: InstanceAction) -> ActionAttempt<'_> {
        let records = self.records.get(node).map_or(&[][..], Vec::as_slice);
        // The last one counts: an action that was interrupted is done again.
        match records.iter().rev().find(|record| record.action == action).map(|record| &record.end) {
            None | Some(ActionEnd::Interruption) => ActionAttempt::Untried,
            Some(ActionEnd::Success) => ActionAttempt::Success,
            Some(ActionEnd::Failure(text)) => ActionAttempt::Failure(text),
        }
    }

    /// Adds what an instance did. The same record may arrive twice.
    pub fn note(&mut self, node: &NodeName, record: ActionRecord) {
        let records = self.records.entry(node.clone()).or_default();
        if records.iter().all(|known| known.sequence != record.sequence) {
            records.push(record);
        }
    }

    /// Forgets failures, so that they are tried again.
    pub(crate) fn clear(&mut self) {
        for records in self.records.values_mut() {
            records.retain(|record| !matches!(record.end, ActionEnd::Failure(_)));
        }
    }

    /// What `om mon` shows behind `>`.
    pub fn target(&self) -> &'static str {
        match self.goal {
            IntentGoal::Started { .. } => "started",
            IntentGoal::Stopped => "stopped",
            IntentGoal::Restarted { .. } => "restarted",
            IntentGoal::Placed { .. } => "placed",
            IntentGoal::Provisioned { .. } => "provisioned",
            IntentGoal::Unprovisioned { .. } => "unprovisioned",
            IntentGoal::Purged { .. } => "purged",
            IntentGoal::Deleted => "deleted",
        }
    }
}

impl IntentOutcome {
    /// As commands and events name it.
    pub fn as_str(&self) -> &'static str {
        match self {
            IntentOutcome::Done => "done",
            IntentOutcome::Failure(_) => "failed",
            IntentOutcome::Abortion => "aborted",
            IntentOutcome::Supersession(_) => "superseded",
            IntentOutcome::Expiry(_) => "expired",
        }
    }
}
