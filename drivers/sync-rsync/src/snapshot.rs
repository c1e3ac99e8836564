//! A read-only btrfs snapshot in the source, which exists during the copy. See btrfs-subvolume(8).

use hostler_sdk::{Command, Error, Result, log};

/// The inode number of the root directory of every subvolume, see btrfs(5).
const SUBVOLUME: &str = "256";

/// A snapshot that exists.
#[derive(Debug)]
#[must_use = "it stays until it is removed"]
pub(crate) struct SourceSnapshot {
    path: String,
}

impl SourceSnapshot {
    /// Creates a snapshot of the subvolume. If a killed copy left one behind, it is deleted first.
    pub(crate) fn make(src: &str) -> Result<SourceSnapshot> {
        let snapshot = SourceSnapshot { path: format!("{}/.hostler-snapshot", src.trim_end_matches('/')) };
        let found = Command::new("/usr/bin/stat").args(["-c", "%i", "--", &snapshot.path]).run()?;
        match found.succeeded() {
            true if found.text() == SUBVOLUME => {
                log::warn(format!("{} was left by a copy that did not finish: removed", snapshot.path));
                snapshot.delete()?;
            }
            // Something that is not a subvolume has this name: it is not ours to delete.
            true => return Err(Error::failed(format!("{} is in the way of the snapshot", snapshot.path))),
            false => {}
        }
        btrfs(&["snapshot", "-r", "--", src, &snapshot.path])
            .map_err(|error| error.while_doing(format!("cannot make a snapshot of {src}")))?;
        Ok(snapshot)
    }

    /// The directory to copy from.
    pub(crate) fn source(&self) -> String {
        format!("{}/", self.path)
    }

    /// Deletes the snapshot.
    pub(crate) fn remove(self) -> Result<()> {
        self.delete()
    }

    fn delete(&self) -> Result<()> {
        btrfs(&["delete", "--", &self.path])
            .map_err(|error| error.while_doing(format!("cannot remove the snapshot {}", self.path)))
    }
}

fn btrfs(args: &[&str]) -> Result<()> {
    Command::new("/usr/bin/btrfs").arg("subvolume").args(args.iter().copied()).check().map(drop)
}
