//! The words of the orchestrator's enumerations, as the store and the disk hold them.

use orchestrate::{ActionCause, ActionEnd, BootPhase, InstanceAction, IntentId, MonitorEpisode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const ACTIONS: [InstanceAction; 8] = [
    InstanceAction::Boot,
    InstanceAction::Start,
    InstanceAction::StartStandby,
    InstanceAction::Stop,
    InstanceAction::Shutdown,
    InstanceAction::Provision,
    InstanceAction::Unprovision,
    InstanceAction::Delete,
];

/// The action of a word.
pub(crate) mod action {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(action: &InstanceAction, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(action.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<InstanceAction, D::Error> {
        let word = String::deserialize(deserializer)?;
        let action = ACTIONS.into_iter().find(|action| action.as_str() == word);
        action.ok_or_else(|| de::Error::custom(format!("{word:?} is not an action")))
    }
}

/// What caused an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CauseWord {
    Hand,
    Intent(u128),
    Boot,
    Ha,
    Restart,
    Standby,
    Monitor,
    Surplus,
    Drain,
    Tombstone,
}

impl From<ActionCause> for CauseWord {
    fn from(cause: ActionCause) -> CauseWord {
        match cause {
            ActionCause::Hand => CauseWord::Hand,
            ActionCause::Intent(id) => CauseWord::Intent(id.0),
            ActionCause::Boot => CauseWord::Boot,
            ActionCause::Ha => CauseWord::Ha,
            ActionCause::Restart => CauseWord::Restart,
            ActionCause::Standby => CauseWord::Standby,
            ActionCause::Monitor => CauseWord::Monitor,
            ActionCause::Surplus => CauseWord::Surplus,
            ActionCause::Drain => CauseWord::Drain,
            ActionCause::Tombstone => CauseWord::Tombstone,
        }
    }
}

impl From<CauseWord> for ActionCause {
    fn from(word: CauseWord) -> ActionCause {
        match word {
            CauseWord::Hand => ActionCause::Hand,
            CauseWord::Intent(id) => ActionCause::Intent(IntentId(id)),
            CauseWord::Boot => ActionCause::Boot,
            CauseWord::Ha => ActionCause::Ha,
            CauseWord::Restart => ActionCause::Restart,
            CauseWord::Standby => ActionCause::Standby,
            CauseWord::Monitor => ActionCause::Monitor,
            CauseWord::Surplus => ActionCause::Surplus,
            CauseWord::Drain => ActionCause::Drain,
            CauseWord::Tombstone => ActionCause::Tombstone,
        }
    }
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndWord {
    Success,
    Failure(String),
    Interruption,
}

impl From<ActionEnd> for EndWord {
    fn from(end: ActionEnd) -> EndWord {
        match end {
            ActionEnd::Success => EndWord::Success,
            ActionEnd::Failure(text) => EndWord::Failure(text),
            ActionEnd::Interruption => EndWord::Interruption,
        }
    }
}

impl From<EndWord> for ActionEnd {
    fn from(word: EndWord) -> ActionEnd {
        match word {
            EndWord::Success => ActionEnd::Success,
            EndWord::Failure(text) => ActionEnd::Failure(text),
            EndWord::Interruption => ActionEnd::Interruption,
        }
    }
}

/// How far the instance came since the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BootWord {
    Due,
    Clear,
    Over,
}

impl From<BootPhase> for BootWord {
    fn from(phase: BootPhase) -> BootWord {
        match phase {
            BootPhase::Due => BootWord::Due,
            BootPhase::Clear => BootWord::Clear,
            BootPhase::Over => BootWord::Over,
        }
    }
}

impl From<BootWord> for BootPhase {
    fn from(word: BootWord) -> BootPhase {
        match word {
            BootWord::Due => BootPhase::Due,
            BootWord::Clear => BootPhase::Clear,
            BootWord::Over => BootPhase::Over,
        }
    }
}

/// How far the answer to failed monitored resources came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EpisodeWord {
    Prepared,
    Failed,
    Spent,
}

impl From<MonitorEpisode> for EpisodeWord {
    fn from(episode: MonitorEpisode) -> EpisodeWord {
        match episode {
            MonitorEpisode::Prepared => EpisodeWord::Prepared,
            MonitorEpisode::Failed => EpisodeWord::Failed,
            MonitorEpisode::Spent => EpisodeWord::Spent,
        }
    }
}

impl From<EpisodeWord> for MonitorEpisode {
    fn from(word: EpisodeWord) -> MonitorEpisode {
        match word {
            EpisodeWord::Prepared => MonitorEpisode::Prepared,
            EpisodeWord::Failed => MonitorEpisode::Failed,
            EpisodeWord::Spent => MonitorEpisode::Spent,
        }
    }
}
