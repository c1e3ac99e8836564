//! One look at the table of each mount namespace.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::kept::{kept_by, nsfs, table_of};
use crate::KernelError;
use crate::mount::mountinfo::{MountInfo, numbers_of, parse_line};

/// A mount, and who sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespacedMount {
    pub mount: MountInfo,
    pub seen_by: MountWitness,
}

/// Who sees a mount: what is in its namespace, or keeps that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountWitness {
    /// The calling thread.
    Caller,
    Process(ProcessName),
    /// No process: this file keeps the namespace.
    File(PathBuf),
}

/// A process, or a thread in a namespace of its own, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessName {
    pub pid: u32,
    pub command: String,
}

impl MountWitness {
    /// The process by which paths of the namespace are looked at.
    pub fn pid(&self) -> Option<u32> {
        match self {
            MountWitness::Process(process) => Some(process.pid),
            MountWitness::Caller | MountWitness::File(_) => None,
        }
    }
}

/// As the end of a sentence about a mount.
impl fmt::Display for MountWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MountWitness::Caller => Ok(()),
            MountWitness::Process(seen) => {
                write!(f, " in the mount namespace of {} (pid {})", seen.command, seen.pid)
            }
            MountWitness::File(file) => {
                write!(f, " in a mount namespace that no process is in and {} keeps (umount it)", file.display())
            }
        }
    }
}

/// Finds mounts by their number and device number in all mount namespaces, one look at each. A namespace into which this process may
/// not look is left out: no mount of this process can have got there. One that only a file keeps must be looked at.
pub fn find_everywhere(wanted: impl Fn(u64, (u32, u32)) -> bool) -> Result<Vec<NamespacedMount>, KernelError> {
    // A namespace may go between the look at a table that shows its file and the look at the file.
    const LOOKS: usize = 3;
    let mut looks = (0..LOOKS).map(|_| look_everywhere(&wanted));
    looks.find(Result::is_ok).unwrap_or_else(|| look_everywhere(&wanted))
}

fn look_everywhere(wanted: impl Fn(u64, (u32, u32)) -> bool) -> Result<Vec<NamespacedMount>, KernelError> {
    const OWN: &str = "/proc/thread-self/mountinfo";
    let table = fs::read(OWN).map_err(|source| crate::files::io_error(format!("read {OWN}"), &source))?;
    let mut look = NamespaceLook { wanted, nsfs: nsfs()?, found: Vec::new(), kept: BTreeMap::new() };
    look.collect(&table, Path::new("/"), || MountWitness::Caller)?;
    let mut seen: HashSet<_> = fs::read_link("/proc/thread-self/ns/mnt").into_iter().collect();
    for pid in pids()? {
        // One thread of each namespace is enough. A process that has just exited has no namespace, and its threads may go on.
        for thread in threads_of(pid) {
            let Ok(namespace) = fs::read_link(format!("/proc/{thread}/ns/mnt")) else { continue };
            if seen.contains(&namespace) {
                continue;
            }
            let Ok(table) = fs::read(format!("/proc/{thread}/mountinfo")) else { continue };
            seen.insert(namespace);
            let root = PathBuf::from(format!("/proc/{thread}/root"));
            look.collect(&table, &root, || MountWitness::Process(name_of(thread)))?;
        }
    }
    while let Some((name, files)) = look.kept.pop_first() {
        if !seen.insert(PathBuf::from(&name)) {
            continue;
        }
        let (file, table) = opened(&name, &files)?;
        // Its files have no path here: a namespace that is kept in there only cannot be opened, which is an error above.
        look.collect(&table, Path::new("/proc/none"), || MountWitness::File(file.clone()))?;
    }
    Ok(look.found)
}

/// The table of a namespace by the first file that leads there.
fn opened(name: &OsString, files: &[PathBuf]) -> Result<(PathBuf, Vec<u8>), KernelError> {
    let mut failed = None;
    for file in files {
        match table_of(name, file) {
            Ok(Some(table)) => return Ok((file.clone(), table)),
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    }
    let name = name.to_string_lossy();
    Err(failed
        .unwrap_or_else(|| KernelError::Invalid(format!("the mount namespace {name} cannot be opened by its file"))))
}

/// A look at many tables.
struct NamespaceLook<W> {
    wanted: W,
    nsfs: (u32, u32),
    found: Vec<NamespacedMount>,
    /// The files that keep each namespace, by its name.
    kept: BTreeMap<OsString, Vec<PathBuf>>,
}

impl<W: Fn(u64, (u32, u32)) -> bool> NamespaceLook<W> {
    /// Looks at a table whose paths begin at `root`.
    fn collect(&mut self, table: &[u8], root: &Path, witness: impl Fn() -> MountWitness) -> Result<(), KernelError> {
        for line in table.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            // The numbers first: almost no line is wanted, and the rest of it is long.
            let Some((id, device)) = numbers_of(line) else { continue };
            if (self.wanted)(id, device) {
                self.found.push(NamespacedMount { mount: parse_line(line)?, seen_by: witness() });
            }
            if device == self.nsfs
                && let Some((name, file)) = kept_by(line)
            {
                let file = root.join(file.strip_prefix("/").unwrap_or(&file));
                self.kept.entry(name).or_default().push(file);
            }
        }
        Ok(())
    }
}

/// The process, and its other threads: each may have a namespace of its own.
fn threads_of(pid: u32) -> Vec<u32> {
    // Two for `.` and `..`: nearly every process has one thread, and its directory need not be read.
    const ALONE: u64 = 3;
    let directory = format!("/proc/{pid}/task");
    if fs::metadata(&directory).is_ok_and(|found| found.nlink() <= ALONE) {
        return vec![pid];
    }
    let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
    let threads = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|thread| *thread != pid);
    std::iter::once(pid).chain(threads).collect()
}

pub(super) fn name_of(pid: u32) -> ProcessName {
    let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    ProcessName { pid, command: command.trim_end().to_owned() }
}

pub(super) fn pids() -> Result<Vec<u32>, KernelError> {
    let entries = fs::read_dir("/proc").map_err(|source| crate::files::io_error("list /proc".to_owned(), &source))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_this_process_is_found_by_its_number() {
        let proc = crate::mount::mountinfo::read().unwrap().into_iter().find(|mount| mount.fstype == "proc").unwrap();
        let found = find_everywhere(|id, device| (id, device) == (proc.id, proc.device)).unwrap();
        assert_eq!(found, [NamespacedMount { mount: proc, seen_by: MountWitness::Caller }]);
        assert_eq!(find_everywhere(|_, _| false).unwrap(), []);
    }
}
