//! A read-only btrfs snapshot of the source, in the source, for as long as it is copied. See btrfs-subvolume(8).

use hostler_sdk::{Command, Error, Result, log};

/// The number of the topmost directory of every subvolume, see btrfs(5).
const SUBVOLUME: &str = "256";

/// A snapshot that exists.
#[derive(Debug)]
#[must_use = "it stays until it is removed"]
pub(crate) struct SourceSnapshot {
    path: String,
}

impl SourceSnapshot {
    /// Makes one of the subvolume. One that a copy left which was killed is removed before.
    pub(crate) fn make(src: &str) -> Result<SourceSnapshot> {
        let snapshot = SourceSnapshot { path: format!("{}/.hostler-snapshot", src.trim_end_matches('/')) };
        let found = Command::new("/usr/bin/stat").args(["-c", "%i", "--", &snapshot.path]).run()?;
        match found.succeeded() {
            true if found.text() == SUBVOLUME => {
                log::warn(format!("{} was left by a copy that did not end: removed", snapshot.path));
                snapshot.delete()?;
            }
            true => return Err(Error::failed(format!("{} is in the way of the snapshot", snapshot.path))),
            false => {}
        }
        btrfs(&["snapshot", "-r", "--", src, &snapshot.path])
            .map_err(|error| error.while_doing(format!("cannot make a snapshot of {src}")))?;
        Ok(snapshot)
    }

    /// What to copy from.
    pub(crate) fn source(&self) -> String {
        format!("{}/", self.path)
    }

    /// Removes it.
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
