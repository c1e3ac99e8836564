//! What the agent remembers of an instance between two commands: below `var`, one small file for each thing; what a
//! boot makes void stands below `run`.

mod documents;
mod facts;
mod failures;
mod footing;
mod freeze;
mod last_good;
mod marks;
mod restarts;
mod status;

pub(crate) use facts::StateFacts;
pub use failures::ActionFailure;
pub(crate) use footing::DeviceFooting;
pub use freeze::FreezeState;
pub use marks::ProvisionedMark;
pub use restarts::RestartHistory;

use std::path::{Path, PathBuf};

use model::{ObjectPath, Rid};

use crate::Directories;

/// What is remembered of one instance.
#[derive(Debug, Clone)]
pub struct InstanceState {
    folder: PathBuf,
    /// What is gone with the next boot.
    volatile: PathBuf,
}

impl InstanceState {
    /// What is remembered of the object's instance. There need not be anything yet.
    pub fn of(home: &Directories, object: &ObjectPath) -> InstanceState {
        InstanceState { folder: home.state(object), volatile: home.volatile(object) }
    }

    /// What is remembered of the node itself.
    pub fn of_node(home: &Directories) -> InstanceState {
        InstanceState { folder: home.node_state(), volatile: home.volatile.join("node") }
    }

    /// Where it is kept.
    pub(crate) fn directory(&self) -> &Path {
        &self.folder
    }

    /// The journal of the action at hand.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// The journal of an action beside the one at hand, see `--no-lock`.
    pub fn unlocked_journal(&self) -> PathBuf {
        self.folder.join("journal.unlocked")
    }

    /// Where a resource's driver keeps its own state.
    pub fn driver_state(&self, rid: &Rid) -> PathBuf {
        self.folder.join("driver").join(rid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home in a folder that goes with it, and the instance of `web` there.
    pub(super) fn web() -> (tempfile::TempDir, InstanceState) {
        let (root, home) = Directories::temporary();
        (root, InstanceState::of(&home, &"web".parse().unwrap()))
    }

    #[test]
    fn what_is_remembered_stands_below_var() {
        let instance = InstanceState::of(&Directories::system(), &"ns1/svc/web".parse().unwrap());
        let folder = PathBuf::from("/var/lib/hostler/namespaces/ns1/svc/web");
        assert_eq!(instance.journal(), folder.join("journal"));
        assert_eq!(instance.driver_state(&"fs#1".parse().unwrap()), folder.join("driver/fs#1"));
    }
}
