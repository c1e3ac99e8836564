//! The records of a journal. They are JSON, so that a person with a hex dump can read them too.

use driver::{Change, Verb};
use serde::{Deserialize, Serialize};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JournalRecord {
    /// The first record: what is going to be done.
    Plan(JournalHeader),
    /// A step is about to do something.
    Begin {
        /// Its place in the header.
        step: usize,
        /// The verb that its driver is called with.
        verb: RecordedVerb,
        /// Whether the effect survives a reboot.
        persistent: bool,
    },
    /// The step's call has returned.
    End {
        /// Its place in the header.
        step: usize,
        /// The verb that its driver was called with.
        verb: RecordedVerb,
        /// Whether it changed anything.
        change: RecordedChange,
        /// Whether it failed.
        failed: bool,
    },
    /// A rollback has undone the step.
    Undone {
        /// Its place in the header.
        step: usize,
    },
    /// The action has finished, whatever its outcome.
    Done,
}

/// An action that is going to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalHeader {
    /// The session.
    pub(crate) sid: String,
    /// The action.
    pub(crate) action: String,
    /// The boot of the node.
    pub(crate) boot: String,
    /// The digest of the plan.
    pub(crate) plan: String,
    /// Every step that does something.
    pub(crate) steps: Vec<PlannedStep>,
}

/// A step of the plan that does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedStep {
    /// The resource.
    pub(crate) rid: String,
    /// How many calls it is made of.
    pub(crate) calls: usize,
    /// Whether its failure does not fail the action.
    pub(crate) optional: bool,
    /// The resource's state before.
    pub(crate) prior: String,
    /// How long the stop that undoes it may take. None if it is never undone.
    pub(crate) undo_ms: Option<u64>,
    /// How long the resource's status may take.
    pub(crate) probe_ms: u64,
}

/// A mutating verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordedVerb {
    Start,
    Stop,
    Provision,
    Unprovision,
    Run,
    Sync,
    Migrate,
}

impl RecordedVerb {
    /// Returns None for a verb that changes nothing of the instance: no plan contains one.
    pub(crate) fn of(verb: Verb) -> Option<RecordedVerb> {
        Some(match verb {
            Verb::Start => RecordedVerb::Start,
            Verb::Stop => RecordedVerb::Stop,
            Verb::Provision => RecordedVerb::Provision,
            Verb::Unprovision => RecordedVerb::Unprovision,
            Verb::Run => RecordedVerb::Run,
            Verb::Sync => RecordedVerb::Sync,
            Verb::Migrate => RecordedVerb::Migrate,
            Verb::Validate | Verb::Status | Verb::Enter | Verb::Exec | Verb::Logs | Verb::Fence => return None,
        })
    }
}

/// [`Change`], as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordedChange {
    No,
    Yes,
    Unknown,
}

impl From<Change> for RecordedChange {
    fn from(change: Change) -> RecordedChange {
        match change {
            Change::Unchanged => RecordedChange::No,
            Change::Changed => RecordedChange::Yes,
            Change::Unknown => RecordedChange::Unknown,
        }
    }
}

impl From<RecordedChange> for Change {
    fn from(touched: RecordedChange) -> Change {
        match touched {
            RecordedChange::No => Change::Unchanged,
            RecordedChange::Yes => Change::Changed,
            RecordedChange::Unknown => Change::Unknown,
        }
    }
}

impl JournalHeader {
    /// How many bytes the whole journal may take, if every step is undone.
    pub(crate) fn room(&self) -> u64 {
        const RECORD: usize = 128;
        let records: usize = self.steps.iter().map(|step| 2 * step.calls + 1).sum();
        let header: usize = self.steps.iter().map(|step| RECORD + step.rid.len()).sum();
        (4096 + header + records * RECORD) as u64
    }
}
