//! The actions that failed when they were last tried. A status reports them until they succeed or the operator clears them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::{self, FileError};
use crate::status::StatusNote;

/// How an action failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionFailure {
    /// `failed at fs#1`, as in the log.
    pub how: String,
    pub at: Timestamp,
}

impl InstanceState {
    /// The actions that failed when they were last tried, by name.
    pub fn failures(&self) -> Result<BTreeMap<String, ActionFailure>, FileError> {
        Ok(documents::load(&self.failures_file())?.unwrap_or_default())
    }

    /// Remembers the result of an action. A success removes an earlier failure of the same action.
    pub fn set_failure(&self, action: &str, failure: Option<ActionFailure>) -> Result<(), FileError> {
        let mut failures = self.failures()?;
        // A success after a success, the usual case, writes nothing.
        let before = match failure {
            Some(failure) => failures.insert(action.to_owned(), failure),
            None if !failures.contains_key(action) => return Ok(()),
            None => failures.remove(action),
        };
        match before.is_some() && failures.is_empty() {
            true => self.forget_failures().map(drop),
            false => documents::store(&self.failures_file(), &failures),
        }
    }

    /// Forgets all failures, also in the remembered status. Returns whether there were any.
    pub fn forget_failures(&self) -> Result<bool, FileError> {
        if let Some(mut status) = self.last_status()? {
            let count = status.notes.len();
            status.notes.retain(|note| !matches!(note, StatusNote::Failed { .. }));
            if status.notes.len() < count {
                self.set_last_status(&status)?;
            }
        }
        durable::remove(&self.failures_file())
    }

    fn failures_file(&self) -> std::path::PathBuf {
        self.directory.join("failures.json")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn a_failure_is_remembered_until_the_same_action_succeeds_or_all_are_forgotten() {
        let (_root, web) = web();
        let failure = || ActionFailure { how: "failed at fs#1".to_owned(), at: Timestamp::constant(1_000, 0) };
        assert!(!web.forget_failures().unwrap());
        web.set_failure("start", None).unwrap();
        assert_eq!(web.failures().unwrap(), BTreeMap::new());
        web.set_failure("start", Some(failure())).unwrap();
        web.set_failure("stop", None).unwrap();
        assert_eq!(web.failures().unwrap(), BTreeMap::from([("start".to_owned(), failure())]));
        web.set_failure("start", None).unwrap();
        assert_eq!(web.failures().unwrap(), BTreeMap::new());
        web.set_failure("stop", Some(failure())).unwrap();
        assert!(web.forget_failures().unwrap());
        assert_eq!(web.failures().unwrap(), BTreeMap::new());
    }
}
