//! Marks on resources: provisioned or not, stopped on purpose. Each resource has files of its own, so that the members of a
//! parallel subset never write the same one.

use std::path::PathBuf;

use jiff::Timestamp;
use model::Rid;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::{self, FileError};

/// Whether the agent provisioned a resource, for drivers that cannot tell by looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedMark {
    pub provisioned: bool,
    pub since: Timestamp,
}

impl InstanceState {
    /// The mark, if there is one. A torn mark counts as none: then the agent does not know.
    pub fn provisioned(&self, rid: &Rid) -> Result<Option<ProvisionedMark>, FileError> {
        documents::load(&self.mark("provisioned", rid))
    }

    /// Marks a resource as provisioned or not.
    pub fn mark_provisioned(&self, rid: &Rid, mark: ProvisionedMark) -> Result<(), FileError> {
        documents::store(&self.mark("provisioned", rid), &mark)
    }

    /// The resources that a person stopped one by one: no daemon restarts them.
    pub fn stopped(&self) -> Vec<Rid> {
        let entries = std::fs::read_dir(self.directory.join("stopped")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// Marks a resource as stopped on purpose, or takes the mark away.
    pub fn mark_stopped(&self, rid: &Rid, stopped: bool) -> Result<(), FileError> {
        // Presence alone counts, so that a torn mark still holds.
        let mark = self.mark("stopped", rid);
        if stopped { durable::write(&mark, b"") } else { durable::remove(&mark).map(|_| ()) }
    }

    fn mark(&self, name: &str, rid: &Rid) -> PathBuf {
        self.directory.join(name).join(rid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::web;
    use super::*;

    #[test]
    fn marks_are_kept_for_each_resource_alone() {
        let (_root, web) = web();
        let (fs1, fs2): (Rid, Rid) = ("fs#1".parse().unwrap(), "fs#2".parse().unwrap());
        let mark = ProvisionedMark { provisioned: true, since: Timestamp::constant(1_000, 0) };
        assert_eq!(web.provisioned(&fs1).unwrap(), None);
        web.mark_provisioned(&fs1, mark).unwrap();
        assert_eq!(web.provisioned(&fs1).unwrap(), Some(mark));
        assert_eq!(web.provisioned(&fs2).unwrap(), None);

        web.mark_stopped(&fs2, true).unwrap();
        assert_eq!(web.stopped(), std::slice::from_ref(&fs2));
        web.mark_stopped(&fs2, false).unwrap();
        web.mark_stopped(&fs2, false).unwrap();
        assert_eq!(web.stopped(), []);
    }

    #[test]
    fn a_torn_mark_counts_as_none() {
        let (_root, web) = web();
        let rid: Rid = "fs#1".parse().unwrap();
        let mark = ProvisionedMark { provisioned: true, since: Timestamp::constant(1_000, 0) };
        web.mark_provisioned(&rid, mark).unwrap();
        let file = web.mark("provisioned", &rid);
        let whole = std::fs::read(&file).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert_eq!(web.provisioned(&rid).unwrap(), None, "{length} bytes");
        }
    }
}
