//! A path that was walked, pinned by descriptors.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, Stat};
use rustix::io::Errno;

use super::trust::only_ours;
use super::walk::no_links;
use crate::KernelError;

/// What to do with a symbolic link at the very end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLink {
    /// Follow it, if it may be followed.
    Follow,
    /// The link itself is wanted.
    Keep,
}

/// The end of a path: its directory, the name in that directory, and the file of that name. Both are pinned by descriptors.
#[derive(Debug)]
pub struct PinnedPath {
    pub(super) parent: OwnedFd,
    pub(super) name: OsString,
    pub(super) node: Option<OwnedFd>,
    pub(super) path: PathBuf,
}

impl PinnedPath {
    /// The directory, for the `*at` system calls.
    pub fn parent(&self) -> BorrowedFd<'_> {
        self.parent.as_fd()
    }

    /// The name in that directory.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The file, opened with O_PATH. None if the directory has no such name.
    pub fn node(&self) -> Option<BorrowedFd<'_>> {
        self.node.as_ref().map(AsFd::as_fd)
    }

    /// The file, or [`KernelError::NotFound`].
    pub fn existing(&self) -> Result<BorrowedFd<'_>, KernelError> {
        self.node().ok_or_else(|| KernelError::NotFound(self.path.clone()))
    }

    /// The real path, with all links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads here, and no user but root and the agent's own can change that.
    pub fn trusted(&self) -> bool {
        let Some(parent) = self.path.parent() else { return true };
        let ours = |path: &Path| no_links(path).is_ok_and(|directory| only_ours(&directory).unwrap_or(false));
        // A directory of this path could have been replaced by another trusted one.
        let here = || -> Result<bool, Errno> {
            Ok(same(rustix::fs::fstat(no_links(parent)?)?, rustix::fs::fstat(&self.parent)?))
        };
        parent.ancestors().all(ours) && here().unwrap_or(false)
    }

    /// Opens the pinned file, even if another one has taken its name in the meantime.
    pub fn open(&self, flags: OFlags) -> Result<OwnedFd, KernelError> {
        reopen(self.existing()?, flags).map_err(KernelError::os(format!("open {}", self.path.display())))
    }
}

fn same(one: Stat, other: Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// A path for a descriptor, for system calls that take no descriptor.
pub fn descriptor_path(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Opens for use the file that an O_PATH descriptor pins.
fn reopen(pinned: impl AsFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::open(descriptor_path(pinned), flags | OFlags::CLOEXEC, Mode::empty())
}
