//! Notes on an instance: what the reader of its status should know beyond the resources. The sentences are made where a status
//! is shown.

use serde::{Deserialize, Serialize};

use crate::object::{ActiveObject, ObjectConfiguration};
use crate::state::{ActionFailure, StateFacts};

/// A note on an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusNote {
    /// The configuration has errors, and an earlier version without errors is in use.
    EarlierConfiguration { errors: usize },
    /// The configuration has errors, and everything else of it is in use.
    PartOfConfiguration { errors: usize },
    /// An action was interrupted. The next action recovers it.
    Interrupted { action: String },
    /// An action failed the last time it was tried.
    Failed { action: String, failure: ActionFailure },
}

/// The notes on an instance.
pub(crate) fn notes(configuration: &ObjectConfiguration, facts: &StateFacts) -> Vec<StatusNote> {
    let errors = configuration.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let of_configuration = match configuration.active {
        ActiveObject::LastGood(_) => Some(StatusNote::EarlierConfiguration { errors }),
        ActiveObject::Partial(_) => Some(StatusNote::PartOfConfiguration { errors }),
        ActiveObject::Current(_) | ActiveObject::Nothing => None,
    };
    let interrupted = facts.interrupted.iter().map(|action| StatusNote::Interrupted { action: action.clone() });
    let failed = facts
        .failures
        .iter()
        .map(|(action, failure)| StatusNote::Failed { action: action.clone(), failure: failure.clone() });
    of_configuration.into_iter().chain(interrupted).chain(failed).collect()
}
