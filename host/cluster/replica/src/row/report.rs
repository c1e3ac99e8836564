//! What a node says to the others: of itself, of its instances, and the text of a configuration.
//!
//! Each row bears the life of the node that wrote it: what was said in a former life says nothing of what runs now.

use model::status::StatusSums;
use orchestrate::{
    ActionSequence, ConfigState, InstanceAction, InstanceRecord, NodeState, RunningAction, StatusView, StoreRevision,
};
use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::StoredRecord;
use crate::word::{CauseWord, action};

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InfoRow {
    pub version: u32,
    /// The revision of the node's registration.
    pub life: u64,
    pub state: NodeWord,
    /// How much of it is free.
    pub score: u32,
    /// Its load average, in hundredths.
    pub load: u32,
    /// The same and more, for people: JSON, as a text that is the same each time it is read.
    #[serde(default)]
    pub document: String,
}

/// What a node is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeWord {
    Init,
    Idle,
    Draining,
    Shutting,
    Overloaded,
}

/// The text of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRow {
    pub version: u32,
    pub checksum: String,
    pub text: String,
    /// The nodes that have an instance by it.
    #[serde(default)]
    pub scope: Vec<String>,
}

/// What a node says of its instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRow {
    pub version: u32,
    /// The revision of the node's registration.
    pub life: u64,
    /// Of the configuration that the node has read. Empty: it has none.
    pub checksum: String,
    /// Why that does not load.
    #[serde(default)]
    pub problem: Option<String>,
    pub record: StoredRecord,
    #[serde(default)]
    pub status: Option<StatusRow>,
    #[serde(default)]
    pub running: Option<ActionRow>,
    /// When the drivers were asked, in seconds since 1970. A later look that found the same is not worth a write.
    #[serde(default)]
    pub seen_at: i64,
    /// The status and what is done with the instance, for people: JSON.
    #[serde(default)]
    pub document: String,
}

/// What the states of an instance's resources add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRow {
    /// The last action that had begun when it was taken.
    after: u64,
    avail: String,
    overall: String,
    optional: String,
    provisioned: String,
    unproven: bool,
}

/// An action under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRow {
    sequence: u64,
    #[serde(with = "action")]
    action: InstanceAction,
    cause: CauseWord,
}

impl InfoRow {
    pub fn new(life: u64, state: NodeState, (score, load): (u32, u32), document: String) -> InfoRow {
        InfoRow { version: VERSION, life, state: state.into(), score, load, document }
    }
}

impl ConfigRow {
    pub fn new(checksum: &str, text: &str, scope: Vec<String>) -> ConfigRow {
        ConfigRow { version: VERSION, checksum: checksum.to_owned(), text: text.to_owned(), scope }
    }
}

impl InstanceRow {
    /// The row of an instance that has said nothing yet.
    pub fn new(life: u64, record: StoredRecord) -> InstanceRow {
        InstanceRow {
            version: VERSION,
            life,
            checksum: String::new(),
            problem: None,
            record,
            status: None,
            running: None,
            seen_at: 0,
            document: String::new(),
        }
    }

    /// Which configuration the instance runs by, where the present one has this checksum and revision.
    pub(crate) fn config(&self, checksum: &str, revision: StoreRevision) -> ConfigState {
        match &self.problem {
            _ if self.checksum.is_empty() => ConfigState::Missing,
            // It has not received the present one yet.
            _ if self.checksum != checksum => ConfigState::Loaded(StoreRevision(0)),
            Some(problem) => ConfigState::Broken { revision, problem: problem.clone() },
            None => ConfigState::Loaded(revision),
        }
    }

    pub(crate) fn record(&self) -> InstanceRecord {
        self.record.as_written()
    }
}

impl StatusRow {
    pub fn of(status: &StatusView) -> StatusRow {
        let StatusSums { avail, overall, optional, provisioned } = status.sums;
        StatusRow {
            after: status.after.0,
            avail: avail.to_string(),
            overall: overall.to_string(),
            optional: optional.to_string(),
            provisioned: provisioned.to_string(),
            unproven: status.unproven,
        }
    }

    /// None: it has a word of a later version.
    pub(crate) fn status(&self) -> Option<StatusView> {
        let sums = StatusSums {
            avail: self.avail.parse().ok()?,
            overall: self.overall.parse().ok()?,
            optional: self.optional.parse().ok()?,
            provisioned: self.provisioned.parse().ok()?,
        };
        // Without the resources: a peer decides by the sums, and the document is for people.
        let after = ActionSequence(self.after);
        Some(StatusView { after, sums, unproven: self.unproven, resources: Default::default() })
    }
}

impl ActionRow {
    pub fn of(running: &RunningAction) -> ActionRow {
        ActionRow { sequence: running.sequence.0, action: running.action, cause: running.cause.into() }
    }

    pub(crate) fn running(&self) -> RunningAction {
        RunningAction { sequence: ActionSequence(self.sequence), action: self.action, cause: self.cause.into() }
    }
}

impl From<NodeState> for NodeWord {
    fn from(state: NodeState) -> NodeWord {
        match state {
            NodeState::Init => NodeWord::Init,
            NodeState::Idle => NodeWord::Idle,
            NodeState::Draining => NodeWord::Draining,
            NodeState::Shutting => NodeWord::Shutting,
            NodeState::Overloaded => NodeWord::Overloaded,
        }
    }
}

impl From<NodeWord> for NodeState {
    fn from(word: NodeWord) -> NodeState {
        match word {
            NodeWord::Init => NodeState::Init,
            NodeWord::Idle => NodeState::Idle,
            NodeWord::Draining => NodeState::Draining,
            NodeWord::Shutting => NodeState::Shutting,
            NodeWord::Overloaded => NodeState::Overloaded,
        }
    }
}
