//! Control groups, see cgroups(7). Those of version 2 are used to find and kill the processes of a resource.
//!
//! That needs no controller, so the hierarchy can be used even if version 1 has all controllers. It is found by the type
//! of its file system, wherever it is mounted: where it usually is, or else in the table of mounts. What limits processes
//! (`setting.rs`) is in the same group where version 2 has the controllers, and otherwise in groups of the same name in the hierarchies
//! of version 1, which a process enters as well.

mod hierarchy;
mod setting;

mod temporary;

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;

pub use self::setting::{CgroupSetting, LimitedGroup, SettingError, SettingFile, UnmetSetting};
use crate::KernelError;
use crate::mount::mountinfo;

pub use temporary::TemporaryGroup;

/// How often another process may remove the slice around a group while the group is being made.
const ATTEMPTS: usize = 10;

/// The directory of `slice`, the group that will hold all others. None if there is no hierarchy, or if no groups may be
/// made in it. That is found out by making one, because the uid says nothing inside a container; a slice that did not
/// exist before is removed again.
pub fn available(slice: &str) -> Option<PathBuf> {
    let group = Cgroup::at(root()?.join(slice));
    let there_already = group.path.is_dir();
    group.open_procs().ok()?;
    if !there_already {
        group.remove_empty_ones();
    }
    Some(group.path)
}

/// Where systemd and everything after it mounts the hierarchy, alone or beside those of version 1.
const USUAL: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

const CGROUP2_SUPER_MAGIC: u64 = 0x6367_7270;

/// The mount point of the hierarchy. None if it is not mounted.
pub fn root() -> Option<PathBuf> {
    // The type of the field differs between architectures.
    let is_root = |path: &str| rustix::fs::statfs(path).is_ok_and(|seen| seen.f_type as u64 == CGROUP2_SUPER_MAGIC);
    // One call, while a node with many containers has a long table of mounts.
    if let Some(usual) = USUAL.into_iter().find(|path| is_root(path)) {
        return Some(usual.into());
    }
    mountinfo::read().ok()?.into_iter().find(|mount| mount.fstype == "cgroup2").map(|mount| mount.target)
}

/// The number of processors of this node.
pub fn processors() -> u64 {
    let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN).ok().flatten();
    online.and_then(|count| u64::try_from(count).ok()).unwrap_or(1).max(1)
}

/// A control group, which need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// The group of this directory.
    pub fn at(path: impl Into<PathBuf>) -> Cgroup {
        Cgroup { path: path.into() }
    }

    /// The directory of the group.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file by which processes enter the group. Makes the group if it does not exist.
    pub(crate) fn open_procs(&self) -> Result<OwnedFd, KernelError> {
        let procs = self.path.join("cgroup.procs");
        // A stop of a neighbouring resource removes the slice above both if it finds it empty, perhaps between our two
        // calls.
        for _ in 0..ATTEMPTS {
            match rustix::fs::open(&procs, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
                Err(Errno::NOENT) => self.make()?,
                opened => return opened.map_err(KernelError::os(format!("open {}", procs.display()))),
            }
        }
        Err(KernelError::NotFound(procs))
    }

    /// Opens the file of this group, and those of its groups of version 1 that limit it.
    pub(crate) fn open_all_procs(&self) -> Result<Vec<OwnedFd>, KernelError> {
        let mut all = vec![self.open_procs()?];
        for twin in hierarchy::old_twins(&self.path) {
            let procs = twin.join("cgroup.procs");
            match rustix::fs::open(&procs, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
                Err(Errno::NOENT) => {}
                opened => all.push(opened.map_err(KernelError::os(format!("open {}", procs.display())))?),
            }
        }
        Ok(all)
    }

    fn make(&self) -> Result<(), KernelError> {
        match fs::create_dir_all(&self.path) {
            // NotFound: a slice above was removed meanwhile. The caller tries again.
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed("make", &error)),
            _ => Ok(()),
        }
    }

    /// The processes in the group and in the groups below it. Empty if the group does not exist.
    pub fn members(&self) -> Result<Vec<Pid>, KernelError> {
        let mut pids = Vec::new();
        for group in self.family()? {
            match fs::read_to_string(group.join("cgroup.procs")) {
                // A process of a foreign pid namespace is listed as 0, and skipped.
                Ok(text) => pids.extend(text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?))),
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(self.failed("read the processes of", &error)),
            }
        }
        Ok(pids)
    }

    /// Kills all processes of the group at once, including those that are just being forked. Does nothing on a kernel
    /// before 5.14.
    pub fn kill(&self) -> Result<(), KernelError> {
        // Opened without O_CREAT: a kernel before 5.14 has no such file, and would answer EACCES instead of ENOENT.
        let file = fs::OpenOptions::new().write(true).open(self.path.join("cgroup.kill"));
        match file.and_then(|mut file| file.write_all(b"1")) {
            Err(error) if !is_gone(&error) => Err(self.failed("kill", &error)),
            _ => Ok(()),
        }
    }

    /// Removes the group, the groups below it, and the slices above it that are empty then, also those that limit it. A group in use
    /// stays.
    pub fn remove(&self) {
        self.remove_one();
        for twin in hierarchy::old_twins(&self.path).into_iter().filter(|twin| twin.is_dir()) {
            Cgroup::at(twin).remove_one();
        }
    }

    fn remove_one(&self) {
        let Ok(family) = self.family() else { return };
        for group in family.iter().rev().filter(|group| **group != self.path) {
            // In use or removed already: both are fine, and the next removal tries again.
            let _ = fs::remove_dir(group);
        }
        self.remove_empty_ones();
    }

    /// Removes the group, and the directory around it if that is empty then. False if there are processes in the group.
    pub(crate) fn remove_alone(&self) -> bool {
        let removed = match fs::remove_dir(&self.path) {
            Ok(()) => true,
            Err(error) => is_gone(&error),
        };
        if let Some(above) = self.path.parent().filter(|_| removed) {
            // Another group may be in it.
            let _ = fs::remove_dir(above);
        }
        removed
    }

    /// Removes the group and the slices around it, from the inside out, until one is not empty.
    fn remove_empty_ones(&self) {
        let slices = self.path.ancestors().skip(1).take_while(|above| above.extension() == Some("slice".as_ref()));
        for group in std::iter::once(self.path.as_path()).chain(slices) {
            match fs::remove_dir(group) {
                Err(error) if !is_gone(&error) => return,
                _ => {}
            }
        }
    }

    /// The group and all groups below it, parents first.
    fn family(&self) -> Result<Vec<PathBuf>, KernelError> {
        let mut family = vec![self.path.clone()];
        let mut next = 0;
        while let Some(group) = family.get(next).cloned() {
            next += 1;
            let entries = match fs::read_dir(&group) {
                Ok(entries) => entries,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(self.failed("list", &error)),
            };
            let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            family.extend(directories.map(|entry| entry.path()));
        }
        Ok(family)
    }

    fn failed(&self, verb: &str, error: &io::Error) -> KernelError {
        KernelError::Os {
            doing: format!("{verb} the control group {}", self.path.display()),
            errno: Errno::from_io_error(error).unwrap_or(Errno::IO),
        }
    }
}

/// Whether the error means that the group was removed meanwhile. A file of it that is open then answers ENODEV.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::NODEV)
}
