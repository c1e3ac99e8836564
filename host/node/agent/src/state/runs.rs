//! When each task and each copy ran last, for its schedule. Each resource has a file of its own, because tasks run side by side.

use std::path::PathBuf;

use jiff::Timestamp;
use model::{Rid, Verb};
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::FileError;

/// The last run of a task, or the last update of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When its action began: a schedule counts from there, so that a long run does not push back the next one.
    pub began: Timestamp,
    /// None until it has ended: it runs now, or the node or the agent died meanwhile.
    pub succeeded: Option<bool>,
    /// When it ended.
    #[serde(default)]
    pub ended: Option<Timestamp>,
}

impl InstanceState {
    /// The last run, if there was one. A torn file counts as none.
    pub fn last_run(&self, rid: &Rid, verb: Verb) -> Result<Option<LastRun>, FileError> {
        documents::load(&self.run_file(rid, verb))
    }

    /// Remembers a run.
    pub fn set_last_run(&self, rid: &Rid, verb: Verb, run: LastRun) -> Result<(), FileError> {
        documents::store(&self.run_file(rid, verb), &run)
    }

    fn run_file(&self, rid: &Rid, verb: Verb) -> PathBuf {
        self.directory.join("ran").join(format!("{rid}.{verb}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn the_last_run_is_kept_for_each_resource_and_verb() {
        let (_root, web) = web();
        let rid: Rid = "task#1".parse().unwrap();
        let run = LastRun { began: Timestamp::constant(1_000, 0), succeeded: None, ended: None };
        assert_eq!(web.last_run(&rid, Verb::Run).unwrap(), None);
        web.set_last_run(&rid, Verb::Run, run).unwrap();
        assert_eq!(web.last_run(&rid, Verb::Run).unwrap(), Some(run));
        assert_eq!(web.last_run(&rid, Verb::Sync).unwrap(), None);
        std::fs::write(web.run_file(&rid, Verb::Run), b"{\"began\":").unwrap();
        assert_eq!(web.last_run(&rid, Verb::Run).unwrap(), None);
    }
}
