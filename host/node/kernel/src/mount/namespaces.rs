//! The mounts of every mount namespace that a process is in, see mount_namespaces(7).
//!
//! A mount is copied into each new namespace, and an unmount in one leaves the copies of those that take no part in its propagation.
//! Such a copy keeps the file system in use, and shows in no other table than that namespace's own. After a lazy unmount no table shows
//! the mount, and the programs that have files of it open go on with it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, statx};

use super::mountinfo::{MountInfo, numbers_of, parse_line};
use super::signature::MNT_ID_UNIQUE;
use crate::KernelError;

/// A mount, and a process that sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespacedMount {
    pub mount: MountInfo,
    /// None for a mount that the calling thread sees.
    pub process: Option<ProcessName>,
}

/// A process, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessName {
    pub pid: u32,
    pub command: String,
}

/// Finds mounts by their number and device number in all mount namespaces, one look at each. A namespace into which this process may
/// not look is left out: no mount of this process can have got there.
pub fn find_everywhere(wanted: impl Fn(u64, (u32, u32)) -> bool) -> Result<Vec<NamespacedMount>, KernelError> {
    const OWN: &str = "/proc/thread-self/mountinfo";
    let table = fs::read(OWN).map_err(|source| crate::files::io_error(format!("read {OWN}"), &source))?;
    let mut found = Vec::new();
    collect(&table, &wanted, None, &mut found)?;
    let mut seen: HashSet<_> = fs::read_link("/proc/thread-self/ns/mnt").into_iter().collect();
    for pid in pids()? {
        // One process of each namespace is enough. A process that has just exited has no namespace.
        let Ok(namespace) = fs::read_link(format!("/proc/{pid}/ns/mnt")) else { continue };
        if seen.contains(&namespace) {
            continue;
        }
        let Ok(table) = fs::read(format!("/proc/{pid}/mountinfo")) else { continue };
        seen.insert(namespace);
        let name = || name_of(pid);
        collect(&table, &wanted, Some(&name), &mut found)?;
    }
    Ok(found)
}

/// How long it may take to look at the working directories of all processes: one on a server that does not answer keeps the look waiting.
const LOOK: Duration = Duration::from_secs(1);

/// The process that still uses a mount of this number, which no table shows any more: it has a file of it open or in its memory, or works
/// in it. `device` is that of the file system, of which no other mount is left.
pub fn user_of(id: u64, unique: Option<u64>, device: (u32, u32)) -> Result<Option<ProcessName>, KernelError> {
    let (answer, answered) = mpsc::channel();
    let look =
        move || drop(answer.send(pids().map(|pids| pids.into_iter().find(|&pid| uses(pid, id, unique, device)))));
    let failed = |source| crate::files::io_error("start a thread".to_owned(), &source);
    std::thread::Builder::new().name("mount-users".to_owned()).spawn(look).map_err(failed)?;
    let late = |_| KernelError::Invalid("the working directory of a process does not answer".to_owned());
    let found = answered.recv_timeout(LOOK).map_err(late)??;
    Ok(found.map(name_of))
}

fn uses(pid: u32, id: u64, unique: Option<u64>, (major, minor): (u32, u32)) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    // Without a look at the file, which may be a server's.
    let has_number = |entry: fs::DirEntry| {
        let facts = fs::read_to_string(entry.path()).unwrap_or_default();
        let mut numbers = facts.lines().filter_map(|line| line.strip_prefix("mnt_id:"));
        let is_it = numbers.any(|number| number.trim().parse() == Ok(id));
        is_it.then(|| process.join("fd").join(entry.file_name()))
    };
    let open = fs::read_dir(process.join("fdinfo")).into_iter().flatten().flatten().filter_map(has_number);
    // The number of a mount that is gone may be that of a pipe or of another detached mount by now.
    let is_it = |path: PathBuf| match unique {
        Some(unique) => unique_of(&path).is_none_or(|seen| seen == unique),
        None => true,
    };
    let works_in_it = |name: &str| unique.is_some_and(|unique| unique_of(&process.join(name)) == Some(unique));
    let maps = || fs::read_to_string(process.join("maps")).unwrap_or_default();
    let number = format!("{major:02x}:{minor:02x}");
    open.into_iter().any(is_it)
        || ["cwd", "root"].into_iter().any(works_in_it)
        || maps().lines().any(|line| line.split_ascii_whitespace().nth(3) == Some(number.as_str()))
}

fn unique_of(path: &Path) -> Option<u64> {
    let seen = statx(CWD, path, AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT, MNT_ID_UNIQUE).ok()?;
    (seen.stx_mask & MNT_ID_UNIQUE.bits() != 0).then_some(seen.stx_mnt_id)
}

fn name_of(pid: u32) -> ProcessName {
    let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    ProcessName { pid, command: command.trim_end().to_owned() }
}

fn collect(
    table: &[u8],
    wanted: impl Fn(u64, (u32, u32)) -> bool,
    process: Option<&dyn Fn() -> ProcessName>,
    found: &mut Vec<NamespacedMount>,
) -> Result<(), KernelError> {
    for line in table.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        // The numbers first: almost no line is wanted, and the rest of it is long.
        if numbers_of(line).is_some_and(|(id, device)| wanted(id, device)) {
            found.push(NamespacedMount { mount: parse_line(line)?, process: process.map(|name| name()) });
        }
    }
    Ok(())
}

fn pids() -> Result<Vec<u32>, KernelError> {
    let entries = fs::read_dir("/proc").map_err(|source| crate::files::io_error("list /proc".to_owned(), &source))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_this_process_is_found_by_its_number() {
        let proc = super::super::mountinfo::read().unwrap().into_iter().find(|mount| mount.fstype == "proc").unwrap();
        let found = find_everywhere(|id, device| (id, device) == (proc.id, proc.device)).unwrap();
        assert_eq!(found, [NamespacedMount { mount: proc, process: None }]);
        assert_eq!(find_everywhere(|_, _| false).unwrap(), []);
    }

    #[test]
    fn a_program_that_has_a_file_of_a_mount_open_uses_it() {
        let open = fs::File::open("/proc/self/stat").unwrap();
        let proc =
            super::super::mountinfo::read().unwrap().into_iter().rfind(|mount| mount.target == Path::new("/proc"));
        let proc = proc.unwrap();
        assert!(user_of(proc.id, unique_of(Path::new("/proc")), proc.device).unwrap().is_some());
        drop(open);
        assert_eq!(user_of(u64::MAX, Some(u64::MAX), (0xfff, 0xf_ffff)).unwrap(), None);
    }
}
