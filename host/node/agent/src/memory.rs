//! What the agent remembers of an instance between two commands: below `var`, one small file for each thing; what a
//! boot makes void stands below `run`.

mod exposed;
mod failures;
mod frozen;
mod last_good;
mod marks;
mod remembered;
mod restarts;
mod status;

pub(crate) use exposed::StoodOn;
pub use failures::Failure;
pub use frozen::Frozen;
pub use marks::ProvisionedMark;
pub use restarts::Restarts;

use std::path::PathBuf;

use model::{ObjectPath, Rid};

use crate::Home;

/// What is remembered of one instance.
#[derive(Debug, Clone)]
pub struct Memory {
    folder: PathBuf,
    /// What is gone with the next boot.
    volatile: PathBuf,
}

impl Memory {
    /// What is remembered of the object's instance. There need not be anything yet.
    pub fn of(home: &Home, object: &ObjectPath) -> Memory {
        Memory { folder: home.state(object), volatile: home.volatile(object) }
    }

    /// What is remembered of the node itself.
    pub fn of_node(home: &Home) -> Memory {
        Memory { folder: home.node_state(), volatile: home.volatile.join("node") }
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
    pub(super) fn web() -> (tempfile::TempDir, Memory) {
        let (root, home) = Home::temporary();
        (root, Memory::of(&home, &"web".parse().unwrap()))
    }

    #[test]
    fn what_is_remembered_stands_below_var() {
        let instance = Memory::of(&Home::system(), &"ns1/svc/web".parse().unwrap());
        let folder = PathBuf::from("/var/lib/hostler/namespaces/ns1/svc/web");
        assert_eq!(instance.journal(), folder.join("journal"));
        assert_eq!(instance.driver_state(&"fs#1".parse().unwrap()), folder.join("driver/fs#1"));
    }
}
