//! The state of an instance between two commands: one small file for each thing, below `var`, or below `run` if the next boot
//! makes it void.

pub(crate) mod documents;
mod facts;
mod failures;
mod footing;
mod freeze;
mod last_action;
mod last_good;
mod marks;
mod runs;
mod snooze;
mod status;

pub(crate) use facts::StateFacts;
pub use failures::ActionFailure;
pub(crate) use footing::DeviceFooting;
pub use freeze::FreezeState;
pub use last_action::{LastAction, LastEnd};
pub use marks::ProvisionedMark;
pub use runs::LastRun;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use capability::RecordPlace;
use model::{ObjectPath, Rid};

use crate::Directories;
use crate::home::layout;

/// The state of one instance on disk.
#[derive(Debug, Clone)]
pub struct InstanceState {
    directory: PathBuf,
    /// The journal of actions that a reboot undoes. Not in the object's run directory, where drivers may write.
    volatile_journal: PathBuf,
    /// What the last action was. Not there either.
    last_action: PathBuf,
    /// What resources stood on when they were started. Not there either.
    footing: PathBuf,
}

impl InstanceState {
    /// The state of the object's instance. Nothing of it need exist yet.
    pub fn of(home: &Directories, object: &ObjectPath) -> InstanceState {
        InstanceState {
            directory: home.state(object),
            volatile_journal: home.volatile_journal(object),
            last_action: home.last_action(object),
            footing: home.footing(object),
        }
    }

    /// The state of the node itself.
    pub fn of_node(home: &Directories) -> InstanceState {
        InstanceState {
            directory: home.node_state(),
            volatile_journal: home.run.join("journal/node"),
            last_action: home.run.join("action/node"),
            footing: home.run.join("footing/node"),
        }
    }

    /// The directory of the state that survives a boot.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The journal of the current action.
    pub fn journal(&self) -> PathBuf {
        self.directory.join("journal")
    }

    /// The journal of the current action, if a reboot undoes everything that the action does.
    pub fn volatile_journal(&self) -> PathBuf {
        self.volatile_journal.clone()
    }

    /// The journal of a run of a task, by the number of its lock.
    pub fn run_journal(&self, rid: &Rid, number: usize) -> PathBuf {
        self.run_journals().join(format!("{rid}.{number}"))
    }

    /// The directory of the journals of runs.
    pub(crate) fn run_journals(&self) -> PathBuf {
        self.directory.join("runs")
    }

    /// The journal of an action that runs beside the current one, see `--no-lock`.
    pub fn unlocked_journal(&self) -> PathBuf {
        self.directory.join("journal.unlocked")
    }

    /// The resources of which the host keeps a record, or may have kept one where an earlier version had it, by their ids.
    pub(crate) fn with_record(&self) -> BTreeSet<String> {
        let of = |name: &str| std::fs::read_dir(self.directory.join(name)).into_iter().flatten().flatten();
        let entries = ["record", "driver"].into_iter().flat_map(of);
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// The host's own record of a resource.
    pub(crate) fn record(&self, rid: &Rid) -> RecordPlace {
        RecordPlace::new(layout::record(&self.directory, rid), &self.driver_state(rid))
    }

    /// The directory in which the driver of a resource keeps its own state.
    pub fn driver_state(&self, rid: &Rid) -> PathBuf {
        layout::driver_state(&self.directory, rid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of the instance `web`, in a directory that is removed at the end of the test.
    pub(super) fn web() -> (tempfile::TempDir, InstanceState) {
        let (root, home) = Directories::temporary();
        (root, InstanceState::of(&home, &"web".parse().unwrap()))
    }

    #[test]
    fn remembered_state_is_kept_below_var() {
        let instance = InstanceState::of(&Directories::system(), &"ns1/svc/web".parse().unwrap());
        let directory = PathBuf::from("/var/lib/hostler/namespaces/ns1/svc/web");
        assert_eq!(instance.journal(), directory.join("journal"));
        assert_eq!(instance.driver_state(&"fs#1".parse().unwrap()), directory.join("driver/fs#1"));
        assert_eq!(instance.record(&"fs#1".parse().unwrap()).directory, directory.join("record/fs#1"));
    }
}
