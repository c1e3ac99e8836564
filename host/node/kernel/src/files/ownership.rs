//! Owners and modes of existing files, and the names of users and groups.

use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, Uid};

use super::{PERMISSIONS, stat_of};
use crate::KernelError;
use crate::path::{LastLink, descriptor_path, resolve};

/// Sets the mode, as chmod(2). Returns false if the file has it already.
pub fn set_mode(path: &Path, mode: u32) -> Result<bool, KernelError> {
    if mode & !PERMISSIONS != 0 {
        return Err(KernelError::Invalid(format!("{mode:o} is not a mode: expected at most 7777")));
    }
    let place = resolve(path, LastLink::Follow)?;
    if stat_of(place.existing()?, path)?.mode == mode {
        return Ok(false);
    }
    // By the name in /proc: fchmod(2) takes no O_PATH descriptor, and fchmodat2(2) needs Linux 6.6.
    rustix::fs::chmod(descriptor_path(place.existing()?), Mode::from_raw_mode(mode))
        .map_err(KernelError::os(format!("set the mode of {}", path.display())))?;
    Ok(true)
}

/// Sets the owner and the group, as chown(2). None leaves the one or the other as it is. Returns false if nothing changes.
pub fn set_owner(path: &Path, uid: Option<u32>, gid: Option<u32>) -> Result<bool, KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    let found = stat_of(place.existing()?, path)?;
    if uid.is_none_or(|uid| uid == found.uid) && gid.is_none_or(|gid| gid == found.gid) {
        return Ok(false);
    }
    // On the descriptor itself: a link that took its place is not followed.
    rustix::fs::chownat(
        place.existing()?,
        "",
        uid.map(Uid::from_raw),
        gid.map(Gid::from_raw),
        AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW,
    )
    .map_err(KernelError::os(format!("set the owner of {}", path.display())))?;
    Ok(true)
}

/// The number of a user that is given by name or by number.
pub fn uid_of(user: &str) -> Result<u32, KernelError> {
    if let Some(uid) = number(user) {
        return Ok(uid);
    }
    // By nix and not by reading /etc/passwd: users may come from a directory service.
    let found = nix::unistd::User::from_name(user).map_err(|errno| lookup_failed("user", user, errno))?;
    found.map(|user| user.uid.as_raw()).ok_or_else(|| KernelError::Invalid(format!("there is no user {user:?}")))
}

/// The number of a group that is given by name or by number.
pub fn gid_of(group: &str) -> Result<u32, KernelError> {
    if let Some(gid) = number(group) {
        return Ok(gid);
    }
    let found = nix::unistd::Group::from_name(group).map_err(|errno| lookup_failed("group", group, errno))?;
    found.map(|group| group.gid.as_raw()).ok_or_else(|| KernelError::Invalid(format!("there is no group {group:?}")))
}

/// The name of a user, if the number has one.
pub fn user_name(uid: u32) -> Option<String> {
    nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name)
}

/// The name of a group, if the number has one.
pub fn group_name(gid: u32) -> Option<String> {
    nix::unistd::Group::from_gid(gid.into()).ok().flatten().map(|group| group.name)
}

/// Parses a number. The largest one means "leave it as it is" to chown(2), so it is not accepted as an id.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|&number| number != u32::MAX)
}

fn lookup_failed(what: &str, name: &str, errno: nix::errno::Errno) -> KernelError {
    let errno = rustix::io::Errno::from_raw_os_error(errno as i32);
    KernelError::Os { doing: format!("look up the {what} {name:?}"), errno }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn all_twelve_bits_of_a_mode_are_set() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o2750, 0o1777, 0o4711, 0o600] {
            assert!(set_mode(dir.path(), mode).unwrap());
            assert!(!set_mode(dir.path(), mode).unwrap());
            assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & PERMISSIONS, mode);
        }
        assert!(matches!(set_mode(dir.path(), 0o10000), Err(KernelError::Invalid(_))));
        assert!(matches!(set_mode(&dir.path().join("no"), 0o600), Err(KernelError::NotFound(_))));
    }

    #[test]
    fn users_and_groups_go_by_name_and_by_number() {
        assert_eq!((uid_of("root").unwrap(), uid_of("1234").unwrap()), (0, 1234));
        assert_eq!((gid_of("root").unwrap(), gid_of("1234").unwrap()), (0, 1234));
        for bad in ["no such user", "", "4294967295", "-1"] {
            assert!(matches!(uid_of(bad), Err(KernelError::Invalid(_))), "{bad:?}");
        }
        assert_eq!(user_name(0).as_deref(), Some("root"));
    }
}
