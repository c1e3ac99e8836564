//! When each fence was tried last from this node: each node has its own way to the device, so another node's test says nothing here.

use std::path::PathBuf;

use jiff::Timestamp;
use model::{NodeName, Rid};
use serde::{Deserialize, Serialize};

use super::FenceSection;
use crate::file::durable::FileError;
use crate::state::{InstanceState, documents};

/// The last try of a fence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceTest {
    pub at: Timestamp,
    pub succeeded: bool,
    /// Of the section as it was.
    pub digest: String,
}

impl FenceTest {
    pub(super) fn now(section: &FenceSection, succeeded: bool) -> FenceTest {
        FenceTest { at: Timestamp::now(), succeeded, digest: section.digest.clone() }
    }
}

impl InstanceState {
    /// The last try, if there was one. A torn file counts as none.
    pub(super) fn fence_test(&self, rid: &Rid, node: &NodeName) -> Result<Option<FenceTest>, FileError> {
        documents::load(&self.fence_file(rid, node))
    }

    /// Remembers a try.
    pub(super) fn set_fence_test(&self, rid: &Rid, node: &NodeName, test: &FenceTest) -> Result<(), FileError> {
        documents::store(&self.fence_file(rid, node), test)
    }

    fn fence_file(&self, rid: &Rid, node: &NodeName) -> PathBuf {
        self.directory().join("fence").join(format!("{rid}.{node}"))
    }
}
