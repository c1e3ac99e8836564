//! Whose a file or a directory must be for a path through it to be followed.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

/// Whether nobody but root and ourselves can change what is in the directory.
pub(super) fn only_ours(fd: &OwnedFd) -> Result<bool, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(is_ours(stat.st_uid) && stat.st_mode & 0o022 == 0)
}

/// Root, ourselves, or whoever owns `/`: who can put another tree there needs no tricks below it. Inside a user namespace
/// that leaves root out, its files belong to the overflow uid, and this is how they are known.
pub(crate) fn is_ours(uid: u32) -> bool {
    let owns_the_tree = || rustix::fs::stat("/").is_ok_and(|root| root.st_uid == uid);
    uid == 0 || uid == rustix::process::geteuid().as_raw() || owns_the_tree()
}
