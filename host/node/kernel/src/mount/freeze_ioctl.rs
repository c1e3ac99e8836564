//! FITHAW of linux/fs.h.
#![expect(unsafe_code, reason = "ioctls are not checked by the compiler")]

use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::KernelError;

nix::ioctl_readwrite!(fithaw, b'X', 120, i32);

/// Thaws the file system that is mounted on a path. False if it was not frozen, or cannot be. It may block, if the file system is not
/// on a device of this node.
pub fn thaw(target: &Path) -> Result<bool, KernelError> {
    let doing = || format!("thaw {}", target.display());
    let root = rustix::fs::open(target, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let root = root.map_err(KernelError::os(doing()))?;
    let mut unused = 0;
    // SAFETY: the descriptor is open for the call, which neither reads nor writes the number.
    match unsafe { fithaw(root.as_raw_fd(), &raw mut unused) } {
        Ok(_) => Ok(true),
        Err(nix::errno::Errno::EINVAL | nix::errno::Errno::EOPNOTSUPP) => Ok(false),
        Err(errno) => Err(KernelError::Os { doing: doing(), errno: Errno::from_raw_os_error(errno as i32) }),
    }
}
