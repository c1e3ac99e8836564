//! What the status of an instance shows of its state, read at once.

use std::collections::BTreeMap;

use super::{ActionFailure, FreezeState, InstanceState};

/// What the status of an instance shows of its state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StateFacts {
    pub(crate) frozen: bool,
    /// The action that was interrupted and that the next action recovers.
    pub(crate) interrupted: Option<String>,
    /// The actions that failed when they were last tried.
    pub(crate) failures: BTreeMap<String, ActionFailure>,
}

impl InstanceState {
    /// Reads the facts. What cannot be read is left out: to look must work on a failing disk.
    pub(crate) fn facts(&self) -> StateFacts {
        StateFacts {
            frozen: self.frozen().is_ok_and(|frozen| frozen != FreezeState::No),
            interrupted: self.interrupted(),
            failures: self.failures().unwrap_or_default(),
        }
    }

    /// The action that was interrupted, if one was: its journal has no end.
    pub(crate) fn interrupted(&self) -> Option<String> {
        exec::journal::Journal::pending(&self.journal()).ok().flatten().map(|story| story.action)
    }
}
