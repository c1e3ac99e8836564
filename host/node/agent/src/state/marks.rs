//! Marks on resources: provisioned or not, stopped on purpose. One file a resource, so that the members of a parallel
//! subset never write the same one.

use std::path::PathBuf;

use jiff::Timestamp;
use model::Rid;
use serde::{Deserialize, Serialize};

use super::{InstanceState, documents};
use crate::file::durable::{self, FileError};

/// What the agent itself knows of a resource's provisioning, for drivers that cannot tell by looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedMark {
    /// Whether it is provisioned.
    pub provisioned: bool,
    /// Since when.
    pub since: Timestamp,
}

impl InstanceState {
    /// What is marked. None where nothing is, or the mark is torn: then nobody knows.
    pub fn provisioned(&self, rid: &Rid) -> Result<Option<ProvisionedMark>, FileError> {
        documents::load(&self.mark("provisioned", rid))
    }

    /// Marks a resource as provisioned or not.
    pub fn mark_provisioned(&self, rid: &Rid, mark: ProvisionedMark) -> Result<(), FileError> {
        documents::store(&self.mark("provisioned", rid), &mark)
    }

    /// Whether the resource was stopped on purpose: then no daemon restarts it.
    pub fn is_stopped(&self, rid: &Rid) -> bool {
        self.mark("stopped", rid).exists()
    }

    /// Marks a resource as stopped on purpose, or takes the mark away.
    pub fn mark_stopped(&self, rid: &Rid, stopped: bool) -> Result<(), FileError> {
        let mark = self.mark("stopped", rid);
        if stopped { durable::write(&mark, b"") } else { durable::remove(&mark).map(|_| ()) }
    }

    fn mark(&self, name: &str, rid: &Rid) -> PathBuf {
        self.folder.join(name).join(rid.to_string())
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
        assert!(web.is_stopped(&fs2) && !web.is_stopped(&fs1));
        web.mark_stopped(&fs2, false).unwrap();
        web.mark_stopped(&fs2, false).unwrap();
        assert!(!web.is_stopped(&fs2));
    }

    #[test]
    fn a_torn_mark_is_no_mark() {
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
