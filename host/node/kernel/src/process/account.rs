//! The user and the groups that a program runs as.

use std::ffi::{CString, OsString};

use rustix::process::{Gid, Uid, getegid, geteuid};

use crate::KernelError;
use crate::files::ownership::{gid_of, uid_of};

/// A user with its groups, as login(1) would set them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccount {
    pub uid: Uid,
    /// The primary group.
    pub gid: Gid,
    /// The supplementary groups.
    pub groups: Vec<Gid>,
}

impl UserAccount {
    /// Finds the account of `user`, a name or a number. `group` replaces its primary group.
    pub fn find(user: &str, group: Option<&str>) -> Result<UserAccount, KernelError> {
        let uid = uid_of(user)?;
        let entry = nix::unistd::User::from_uid(uid.into()).ok().flatten();
        let gid = match (group, &entry) {
            (Some(group), _) => gid_of(group)?,
            (None, Some(entry)) => entry.gid.as_raw(),
            (None, None) => {
                return Err(KernelError::Invalid(format!(
                    "user {user} has no entry in the user database: name a group too"
                )));
            }
        };
        let groups = match entry {
            Some(entry) => supplementary(&entry.name, gid)?,
            // A number without an entry is in no other group. The list must be set all the same: else the agent's own groups
            // stay.
            None => vec![Gid::from_raw(gid)],
        };
        Ok(UserAccount { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), groups })
    }

    /// The agent's own user, with another group.
    pub fn own_with_group(group: &str) -> Result<UserAccount, KernelError> {
        UserAccount::find(&geteuid().as_raw().to_string(), Some(group))
    }

    /// Whether a group is one of the user's own: its primary one, or one that the user database puts the user in. None stands for
    /// the agent's own user.
    pub fn owns_group(user: Option<&str>, group: &str) -> Result<bool, KernelError> {
        let uid = user.map_or_else(|| Ok(geteuid().as_raw()), uid_of)?;
        let gid = gid_of(group)?;
        let Some(entry) = nix::unistd::User::from_uid(uid.into()).ok().flatten() else { return Ok(false) };
        let own = supplementary(&entry.name, entry.gid.as_raw())?;
        Ok(entry.gid.as_raw() == gid || own.iter().any(|own| own.as_raw() == gid))
    }

    /// Whether the agent runs as this account anyway, so that there is nothing to change.
    pub fn is_own(&self) -> bool {
        self.uid == geteuid() && self.gid == getegid()
    }
}

/// The variables that login(1) would set for a user: `HOME`, `USER`, `LOGNAME` and `SHELL`. They come from the user database alone. None
/// stands for the agent's own user; one without an entry has only a home, which is `/`.
pub fn login_variables(uid: Option<Uid>) -> Vec<(&'static str, OsString)> {
    let uid = uid.unwrap_or_else(geteuid);
    let Some(entry) = nix::unistd::User::from_uid(uid.as_raw().into()).ok().flatten() else {
        return vec![("HOME", "/".into())];
    };
    let shell = Some(entry.shell).filter(|shell| !shell.as_os_str().is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let home = Some(entry.dir).filter(|home| !home.as_os_str().is_empty()).unwrap_or_else(|| "/".into());
    vec![
        ("HOME", home.into_os_string()),
        ("USER", OsString::from(&entry.name)),
        ("LOGNAME", OsString::from(&entry.name)),
        ("SHELL", shell.into_os_string()),
    ]
}

/// Whether the agent itself is root, as are the programs that run as its own user.
pub fn runs_as_root() -> bool {
    geteuid().is_root()
}

fn supplementary(name: &str, gid: u32) -> Result<Vec<Gid>, KernelError> {
    let unreadable = |_| KernelError::Invalid(format!("user {name:?} has a name with a NUL"));
    let name = CString::new(name).map_err(unreadable)?;
    let groups = nix::unistd::getgrouplist(&name, gid.into()).map_err(|errno| KernelError::Os {
        doing: format!("look up the groups of {}", name.to_string_lossy()),
        errno: rustix::io::Errno::from_raw_os_error(errno as i32),
    })?;
    Ok(groups.into_iter().map(|group| Gid::from_raw(group.as_raw())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_brings_its_primary_group_unless_another_is_named() {
        let root = UserAccount::find("root", None).unwrap();
        assert_eq!((root.uid.as_raw(), root.gid.as_raw()), (0, 0));
        assert_eq!(UserAccount::find("root", Some("7")).unwrap().gid.as_raw(), 7);
        assert!(UserAccount::find("no such user", None).is_err());
    }

    #[test]
    fn a_login_has_the_home_and_the_shell_of_the_user_database() {
        let root = login_variables(Some(Uid::ROOT));
        let names: Vec<&str> = root.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["HOME", "USER", "LOGNAME", "SHELL"]);
        assert_eq!((root[1].1.to_str(), root[2].1.to_str()), (Some("root"), Some("root")));
        assert_eq!(login_variables(Some(Uid::from_raw(987_654))), [("HOME", OsString::from("/"))]);
    }

    #[test]
    fn a_number_that_no_user_has_needs_a_group() {
        assert!(UserAccount::find("987654", None).is_err());
        assert_eq!(UserAccount::find("987654", Some("5")).unwrap().groups, [Gid::from_raw(5)]);
    }
}
