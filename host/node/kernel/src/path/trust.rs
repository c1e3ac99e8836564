//! The owners whose directories and links may be followed.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

/// Whether only root and the agent's own user can change the content of the directory.
pub(super) fn only_ours(fd: &OwnedFd) -> Result<bool, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(is_ours(stat.st_uid) && stat.st_mode & 0o022 == 0)
}

/// Root, the agent's own user, or the owner of `/`, who could replace the whole tree anyway. Inside a user namespace that
/// does not map root, root's files belong to the overflow uid, and so does `/`: that is how they are recognised.
pub(crate) fn is_ours(uid: u32) -> bool {
    let owns_the_tree = || rustix::fs::stat("/").is_ok_and(|root| root.st_uid == uid);
    uid == 0 || uid == rustix::process::geteuid().as_raw() || owns_the_tree()
}
