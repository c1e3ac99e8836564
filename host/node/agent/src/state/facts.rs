//! The facts of an instance's state that its status shows, read together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{ActionFailure, FreezeState, InstanceState};

/// The facts of an instance's state that its status shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StateFacts {
    pub(crate) frozen: bool,
    /// The action that was interrupted and that the next action recovers.
    pub(crate) interrupted: Option<String>,
    /// The actions that failed when they were last tried.
    pub(crate) failures: BTreeMap<String, ActionFailure>,
}

impl InstanceState {
    /// Reads the facts. Those that cannot be read are left out, as a status must work on a failing disk.
    pub(crate) fn facts(&self) -> StateFacts {
        StateFacts {
            frozen: self.frozen().is_ok_and(|frozen| frozen != FreezeState::No),
            interrupted: self.interrupted(),
            failures: self.failures().unwrap_or_default(),
        }
    }

    /// The interrupted action, if there is one: its journal has no closing record.
    pub(crate) fn interrupted(&self) -> Option<String> {
        // A journal that cannot be read is not reported as interrupted here: the next
        // action says what is wrong with it.
        let pending = |journal: PathBuf| exec::journal::Journal::pending(&journal).ok().flatten();
        pending(self.volatile_journal()).or_else(|| pending(self.journal())).map(|story| story.action)
    }
}
