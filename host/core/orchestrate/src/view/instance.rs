//! An instance: an object on one node.

use model::status::State;

use crate::{ActionCause, ActionSequence, InstanceAction, InstanceRecord, RunningAction, StatusView, StoreRevision};

/// An instance, as its node published it; this node's own as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceView {
    pub config: ConfigState,
    /// Whether it is frozen. The last committed freeze or thaw counts, not the latest by any clock.
    pub frozen: bool,
    /// The failure that blocks it, until it is cleared.
    pub failure: Option<InstanceFailure>,
    /// How often it was cleared. A node that sees a greater number forgets its attempts.
    pub clears: u64,
    /// What the node remembers of it.
    pub record: InstanceRecord,
    /// None: not looked at yet.
    pub status: Option<StatusView>,
    /// An action under way, whatever began it.
    pub running: Option<RunningAction>,
}

/// Which configuration an instance runs by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigState {
    /// The one of that revision.
    Loaded(StoreRevision),
    /// The one of that revision does not load, and the text says why. The last good one is in force, if there was one.
    Broken { revision: StoreRevision, problem: String },
    /// The node has none: it has not received it, or has deleted it.
    Missing,
}

/// A failure that blocks an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFailure {
    pub sequence: ActionSequence,
    pub action: InstanceAction,
    pub cause: ActionCause,
    pub text: String,
}

impl InstanceView {
    /// The status, unless it was taken before the last action, or an action runs.
    pub fn fresh_status(&self) -> Option<&StatusView> {
        let status = self.status.as_ref()?;
        (self.running.is_none() && status.after >= self.record.sequence).then_some(status)
    }

    /// The avail state, if it is known to be true now.
    pub fn avail(&self) -> Option<State> {
        self.fresh_status()?.avail()
    }

    /// Whether it may run something of the object, as far as anybody knows.
    pub(crate) fn may_run(&self) -> bool {
        // Also by a status from before the last action: as long as nothing newer is known, what was up may still
        // be.
        let seen = self.status.as_ref().is_some_and(|status| matches!(status.sums.avail, State::Up | State::Warn));
        let starting = self
            .running
            .as_ref()
            .is_some_and(|running| matches!(running.action, InstanceAction::Start | InstanceAction::Provision));
        seen || starting
    }
}
