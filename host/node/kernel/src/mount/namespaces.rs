//! The mounts of every mount namespace that a process is in, see mount_namespaces(7).
//!
//! A mount is copied into each new namespace, and an unmount in one leaves the copies of those that take no part in its propagation.
//! Such a copy keeps the file system in use, and shows in no other table than that namespace's own.

use std::collections::HashSet;
use std::fs;

use super::mountinfo::{MountInfo, numbers_of, parse_line};
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
        let name = || {
            let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            ProcessName { pid, command: command.trim_end().to_owned() }
        };
        collect(&table, &wanted, Some(&name), &mut found)?;
    }
    Ok(found)
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
}
