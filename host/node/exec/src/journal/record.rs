//! What the records say. JSON, so that a person with a hex dump can read a story too.

use driver::{Change, Verb};
use serde::{Deserialize, Serialize};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JournalRecord {
    /// The first one: what is going to be done.
    Plan(JournalHeader),
    /// A step is about to do something.
    Begin {
        /// Its place in the header.
        step: usize,
        /// What its driver is asked.
        verb: RecordedVerb,
        /// Whether the effect survives a reboot.
        persistent: bool,
    },
    /// It has done it, or failed to.
    End {
        /// Its place in the header.
        step: usize,
        /// What its driver was asked.
        verb: RecordedVerb,
        /// Whether anything was touched.
        change: RecordedChange,
        /// Whether it failed.
        failed: bool,
    },
    /// A rollback has undone the step.
    Undone {
        /// Its place in the header.
        step: usize,
    },
    /// The action has come to its end, whichever.
    Done,
}

/// What is going to be done.
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

/// A step that does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedStep {
    /// The resource.
    pub(crate) rid: String,
    /// How many calls it is made of.
    pub(crate) calls: usize,
    /// Whether its errors do not matter.
    pub(crate) optional: bool,
    /// The resource's state before.
    pub(crate) prior: String,
    /// How long the stop that undoes it may take, if it is one that is undone.
    pub(crate) undo_ms: Option<u64>,
    /// How long a look at the resource may take.
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
    /// None for a verb that changes nothing, which no plan contains.
    pub(crate) fn of(verb: Verb) -> Option<RecordedVerb> {
        Some(match verb {
            Verb::Start => RecordedVerb::Start,
            Verb::Stop => RecordedVerb::Stop,
            Verb::Provision => RecordedVerb::Provision,
            Verb::Unprovision => RecordedVerb::Unprovision,
            Verb::Run => RecordedVerb::Run,
            Verb::Sync => RecordedVerb::Sync,
            Verb::Migrate => RecordedVerb::Migrate,
            Verb::Validate | Verb::Status | Verb::Enter | Verb::Exec | Verb::Logs => return None,
        })
    }
}

/// [`Change`], as it is written.
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
    /// How many bytes the whole story may take, undone to the last step.
    pub(crate) fn room(&self) -> u64 {
        const RECORD: usize = 128;
        let records: usize = self.steps.iter().map(|step| 2 * step.calls + 1).sum();
        let header: usize = self.steps.iter().map(|step| RECORD + step.rid.len()).sum();
        (4096 + header + records * RECORD) as u64
    }
}
