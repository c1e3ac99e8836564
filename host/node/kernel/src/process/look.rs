//! A look at a process of another program: its control groups and its namespaces, as /proc shows them.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use crate::cgroup::Cgroup;
use crate::mount::mountinfo;

/// The namespaces that a container can share with another.
const NAMESPACES: [&str; 3] = ["net", "pid", "ipc"];

/// The place of the parent's number among the fields behind the name, see proc_pid_stat(5).
const PARENT: usize = 1;

/// The place of the start time among the fields behind the name, see proc_pid_stat(5).
const STARTED: usize = 19;

/// A process that has not exited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessLook {
    /// When it started, in the kernel's ticks since the boot: no later process with its number has the same.
    pub started: u64,
    /// Its control groups, one path for each hierarchy. A path may occur several times.
    pub groups: Vec<String>,
    /// Its namespaces as the kernel writes them, such as `net:[4026531840]`. Without those that may not be read.
    pub namespaces: Vec<String>,
}

/// Looks at the process of this number. None if there is none, or if it has exited and is only waited for.
pub fn look(pid: u32) -> Option<ProcessLook> {
    let directory = Path::new("/proc").join(pid.to_string());
    // The state stands behind the name, which may contain anything.
    let stat = fs::read_to_string(directory.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    if fields.starts_with(['Z', 'X']) {
        return None;
    }
    let started = fields.split(' ').nth(STARTED)?.parse().ok()?;
    // Each line is `number:controllers:path`.
    let groups = fs::read_to_string(directory.join("cgroup")).unwrap_or_default();
    let groups = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).map(str::to_owned).collect();
    let namespace = |name: &&str| fs::read_link(directory.join("ns").join(name)).ok();
    let namespaces = NAMESPACES.iter().filter_map(namespace).map(|link| link.display().to_string()).collect();
    Some(ProcessLook { started, groups, namespaces })
}

/// The directory of a control group of this process whose path holds `name`, in any hierarchy.
pub fn group_directory(pid: u32, name: &str) -> Option<PathBuf> {
    let groups = look(pid)?.groups;
    let mounts = mountinfo::read().ok()?;
    let hierarchies = mounts.iter().filter(|mount| matches!(mount.fstype.as_str(), "cgroup" | "cgroup2"));
    let below = |group: &String| {
        let place = group.find(name).map(|at| at + name.len())?;
        // The group of the whole, and not one that the program has made for itself in it.
        let end = group[place..].find('/').map_or(group.len(), |slash| place + slash);
        Some(group[1..end].to_owned())
    };
    let groups: Vec<String> = groups.iter().filter_map(below).collect();
    let directories = hierarchies.flat_map(|mount| groups.iter().map(|group| mount.target.join(group)));
    let holds = |directory: &PathBuf| {
        let members = Cgroup::at(directory).members().unwrap_or_default();
        members.iter().any(|member| member.as_raw_nonzero().get().unsigned_abs() == pid)
    };
    directories.into_iter().find(holds)
}

/// Whether the command line of the parent of this process holds `name`. Engines start a container by a process of their own that has the
/// container's id among its arguments, and that stays its parent.
pub fn is_started_for(pid: u32, name: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    let parent = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(PARENT));
    let Some(parent) = parent else { return false };
    let argv = fs::read(Path::new("/proc").join(parent).join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&argv).contains(name)
}

/// Whether the program that listens on this socket counts processes as this one does: its numbers would mean nothing here if it
/// were in another pid namespace. A program that cannot be looked at is taken to be here.
pub fn counts_alike(socket: &Path) -> bool {
    let Ok(stream) = UnixStream::connect(socket) else { return true };
    let Ok(peer) = getsockopt(&stream.as_fd(), PeerCredentials) else { return true };
    let namespace = |pid: &str| fs::read_link(Path::new("/proc").join(pid).join("ns/pid")).ok();
    // The number is 0 if the peer is in a namespace that cannot be seen from here.
    match (peer.pid(), namespace(&peer.pid().to_string()), namespace("self")) {
        (0, ..) => false,
        (_, Some(there), Some(here)) => there == here,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_seen_until_it_exits() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let (own, found) = (look(std::process::id()).unwrap(), look(child.id()).unwrap());
        assert_eq!(found.namespaces, own.namespaces);
        assert!(found.groups.iter().all(|group| group.starts_with('/')), "{found:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(look(child.id()), None);
    }

    #[test]
    fn a_process_that_is_only_waited_for_has_exited() {
        let mut child = Command::new("true").stdout(std::process::Stdio::piped()).spawn().unwrap();
        // Its end of the pipe is closed when it exits.
        std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
        while look(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(Path::new("/proc").join(child.id().to_string()).exists());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_is_known_by_the_arguments_of_its_parent() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let own = fs::read("/proc/self/cmdline").unwrap();
        let program = String::from_utf8_lossy(own.split(|byte| *byte == 0).next().unwrap()).into_owned();
        assert!(is_started_for(child.id(), &program));
        assert!(!is_started_for(child.id(), "not among its arguments"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_started_for(child.id(), &program));
    }

    #[test]
    fn a_listener_of_this_process_counts_as_it_does() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(counts_alike(&socket));
    }
}
