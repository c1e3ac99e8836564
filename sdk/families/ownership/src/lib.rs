//! The keywords for the owner, group and mode of a path, and the functions that check and set them.

use std::path::Path;

use hostler_sdk::files::{self, FileStat};
use hostler_sdk::{Keywords, Mode, Result};

/// The owner, group and mode that a path should have.
#[derive(Debug, Clone, Default, Keywords)]
pub struct PathOwnership {
    /// The owner, by name or number. By default it is not changed.
    #[keyword(example = "www-data")]
    pub user: Option<String>,
    /// The group, by name or number. By default it is not changed.
    #[keyword(example = "www-data")]
    pub group: Option<String>,
    /// The permission bits. By default they are not changed.
    #[keyword(example = "2750")]
    pub perm: Option<Mode>,
}

impl PathOwnership {
    /// Whether any of the keywords is set.
    pub fn is_wanted(&self) -> bool {
        self.user.is_some() || self.group.is_some() || self.perm.is_some()
    }

    /// Descriptions of what differs from the keywords.
    pub fn differences(&self, stat: &FileStat) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(user) = self.user.as_ref().filter(|user| !is(user, stat.uid, stat.user.as_deref())) {
            differences.push(format!("owner {}, not {user}", name(stat.uid, stat.user.as_deref())));
        }
        if let Some(group) = self.group.as_ref().filter(|group| !is(group, stat.gid, stat.group.as_deref())) {
            differences.push(format!("group {}, not {group}", name(stat.gid, stat.group.as_deref())));
        }
        if let Some(perm) = self.perm.filter(|perm| *perm != stat.mode) {
            differences.push(format!("mode {}, not {perm}", stat.mode));
        }
        differences
    }

    /// Sets owner, group and mode.
    pub fn apply(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        // The owner comes first, because chown(2) clears the set-user-ID and set-group-ID bits of the mode.
        if self.user.is_some() || self.group.is_some() {
            files::set_owner(path, self.user.as_deref(), self.group.as_deref())?;
        }
        if let Some(perm) = self.perm {
            files::set_mode(path, perm)?;
        }
        Ok(())
    }
}

fn is(wanted: &str, id: u32, name: Option<&str>) -> bool {
    // The name may be unknown on this node, and the keyword may be a number: either one may match.
    name == Some(wanted) || wanted.parse() == Ok(id)
}

fn name(id: u32, name: Option<&str>) -> String {
    name.map_or_else(|| id.to_string(), str::to_owned)
}
