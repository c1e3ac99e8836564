//! Files.

use serde::{Deserialize, Serialize};

/// A file that a start wrote outside of the directories of its object, and that is not data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHolding {
    pub path: String,
}

/// A file by its numbers, whatever its name is by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// The major and the minor number of its file system.
    pub device: (u32, u32),
    pub inode: u64,
}
