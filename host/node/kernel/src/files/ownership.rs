//! Owners and modes of existing files, and the names of users and groups.

use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, Uid};
use rustix::io::Errno;

use super::file::{FileKind, FileStat};
use super::{PERMISSIONS, SET_ID, stat_of};
use crate::KernelError;
use crate::path::{LastLink, PinnedPath, descriptor_path, resolve};

/// What a change of a file's mode or owner must find, and how far it may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnershipTerms {
    /// The device and the inode of the file that was looked at.
    pub looked_at: Option<(u64, u64)>,
    /// Whether a regular file may get the bits that make it run as its owner or its group.
    pub set_id: bool,
}

/// Pins the file at a path, if it is the one that was looked at.
fn pin(path: &Path, terms: OwnershipTerms) -> Result<(PinnedPath, FileStat), KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    let found = stat_of(place.existing()?, path)?;
    let refused = |why: &str, errno| KernelError::Refused {
        doing: format!("change {}", path.display()),
        why: why.to_owned(),
        errno,
    };
    if terms.looked_at.is_some_and(|expected| expected != (found.device, found.inode)) {
        return Err(refused("it is not what was there a moment ago", Errno::STALE));
    }
    // Another name of a file that its directory's owner could not change.
    if found.kind == FileKind::File && found.links > 1 && !place.trusted() {
        return Err(refused("it has other names, and others can write in its directory", Errno::MLINK));
    }
    Ok((place, found))
}

/// Sets the mode, as chmod(2). Returns false if the file has it already.
pub fn set_mode(path: &Path, mode: u32, terms: OwnershipTerms) -> Result<bool, KernelError> {
    if mode & !PERMISSIONS != 0 {
        return Err(KernelError::Invalid(format!("{mode:o} is not a mode: expected at most 7777")));
    }
    let (place, found) = pin(path, terms)?;
    if found.kind == FileKind::File && mode & SET_ID != 0 && !terms.set_id {
        return Err(KernelError::Refused {
            doing: format!("set the mode of {}", path.display()),
            why: format!("{mode:o} would let every user run it as its owner, which needs the grant files.write(setid)"),
            errno: Errno::PERM,
        });
    }
    if found.mode == mode {
        return Ok(false);
    }
    // By the name in /proc: fchmod(2) takes no O_PATH descriptor, and fchmodat2(2) needs Linux 6.6.
    rustix::fs::chmod(descriptor_path(place.existing()?), Mode::from_raw_mode(mode))
        .map_err(KernelError::os(format!("set the mode of {}", path.display())))?;
    Ok(true)
}

/// Sets the owner and the group, as chown(2). None leaves the one or the other as it is. Returns false if nothing changes.
pub fn set_owner(path: &Path, uid: Option<u32>, gid: Option<u32>, terms: OwnershipTerms) -> Result<bool, KernelError> {
    let (place, found) = pin(path, terms)?;
    if uid.is_none_or(|uid| uid == found.uid) && gid.is_none_or(|gid| gid == found.gid) {
        return Ok(false);
    }
    // What lies in a directory of another user was put there by that user.
    if uid == Some(0) && found.uid != 0 && !place.trusted() {
        return Err(KernelError::Refused {
            doing: format!("give {} to root", path.display()),
            why: "others can write in its directory, and chose what it is".to_owned(),
            errno: Errno::PERM,
        });
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

    const ANY: OwnershipTerms = OwnershipTerms { looked_at: None, set_id: false };

    #[test]
    fn a_directory_may_have_all_twelve_bits_of_a_mode() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o2750, 0o1777, 0o4711, 0o600] {
            assert!(set_mode(dir.path(), mode, ANY).unwrap());
            assert!(!set_mode(dir.path(), mode, ANY).unwrap());
            assert_eq!(fs::metadata(dir.path()).unwrap().permissions().mode() & PERMISSIONS, mode);
        }
        assert!(matches!(set_mode(dir.path(), 0o10000, ANY), Err(KernelError::Invalid(_))));
        assert!(matches!(set_mode(&dir.path().join("no"), 0o600, ANY), Err(KernelError::NotFound(_))));
    }

    #[test]
    fn a_file_runs_as_its_owner_only_by_a_grant_for_that() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tool");
        fs::write(&file, "").unwrap();
        for mode in [0o4755, 0o2755, 0o6711, 0o4000] {
            assert!(set_mode(&file, mode, ANY).unwrap_err().to_string().contains("setid"), "{mode:o}");
            assert!(set_mode(&file, mode, OwnershipTerms { set_id: true, ..ANY }).unwrap());
        }
        // What it holds is what runs: another content does not inherit the right.
        crate::files::write(&file, b"other", 0o755, crate::files::FileLifetime::UntilReboot).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o6000, 0);
    }

    #[test]
    fn what_took_the_place_of_the_file_that_was_looked_at_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("x");
        fs::create_dir(&place).unwrap();
        let seen = crate::files::stat(&place).unwrap().unwrap();
        let terms = OwnershipTerms { looked_at: Some((seen.device, seen.inode)), set_id: false };
        assert!(set_mode(&place, 0o750, terms).unwrap());
        fs::rename(&place, dir.path().join("y")).unwrap();
        fs::write(&place, "").unwrap();
        assert!(set_mode(&place, 0o700, terms).unwrap_err().to_string().contains("a moment ago"));
        assert!(set_owner(&place, Some(0), Some(4), terms).is_err());
    }

    /// Passes without a test if the agent may not change owners.
    #[test]
    fn nothing_becomes_roots_where_others_chose_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("x"), dir.path().join("link"));
        fs::write(&file, "").unwrap();
        for path in [&file, dir.path()] {
            if std::os::unix::fs::chown(path, Some(12345), Some(12345)).is_err() {
                return;
            }
        }
        assert!(set_owner(&file, Some(0), None, ANY).unwrap_err().to_string().contains("to root"));
        assert!(set_owner(&file, Some(12346), None, ANY).unwrap());
        fs::hard_link(&file, &link).unwrap();
        assert!(set_owner(&link, Some(12345), None, ANY).unwrap_err().to_string().contains("other names"));
        assert!(set_mode(&link, 0o666, ANY).is_err());
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
