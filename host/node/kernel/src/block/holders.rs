//! The processes, mounts and devices that keep a mount or a device busy, for error messages.
//!
//! Only links of /proc and /sys are read. Nothing on the mount itself is touched: it may be a network file system whose
//! server does not answer.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{DeviceInfo, unseen};
use crate::KernelError;
use crate::mount::{mountinfo, namespaces};

/// How many reasons are listed before "and N more".
const NAMED: usize = 8;

/// A process that keeps something busy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HolderProcess {
    pid: u32,
    command: String,
    /// How: `cwd`, `root`, `exe`, `fd` or `map`.
    what: String,
}

/// Describes why the mount at `target` is busy.
pub(crate) fn of_mount(target: &Path) -> String {
    let below = mountinfo::read().unwrap_or_default();
    let mut reasons: Vec<String> = below
        .iter()
        .filter(|mount| mount.target != target && mount.target.starts_with(target))
        .map(|mount| format!("{} is mounted on {}", mount.source, mount.target.display()))
        .collect();
    reasons.extend(unseen::below(target));
    reasons.extend(processes(|path| is_below(path, target)).iter().map(HolderProcess::to_string));
    listed(reasons)
}

/// Describes what keeps a device busy, apart from processes that have it open.
pub(crate) fn above(device: &DeviceInfo) -> Result<Option<String>, KernelError> {
    if let Some(mount) = mountinfo::read()?.into_iter().find(|mount| mount.device == device.number) {
        return Ok(Some(format!("it is mounted on {}", mount.target.display())));
    }
    let (major, minor) = device.number;
    let above = fs::read_dir(format!("/sys/dev/block/{major}:{minor}/holders")).into_iter().flatten().flatten().next();
    Ok(above.map(|holder| format!("{} stands on it", holder.file_name().to_string_lossy())))
}

/// Describes the processes that have a device open. None if none is visible here.
pub(crate) fn open_in(device: &Path) -> Option<String> {
    let reasons: Vec<String> = processes(|path| path == device).iter().map(HolderProcess::to_string).collect();
    (!reasons.is_empty()).then(|| listed(reasons))
}

/// Describes what keeps a device busy, in any mount namespace, also if nothing of it is visible.
pub(crate) fn of_device(device: &Path, number: (u32, u32)) -> String {
    let mut reasons = mounted(number);
    reasons.extend(unseen::on_device(number));
    reasons.extend(processes(|path| path == device).iter().map(HolderProcess::to_string));
    listed(reasons)
}

/// Where the device is mounted: a container, or a service with a mount namespace of its own, may have kept a copy of the mount.
fn mounted(number: (u32, u32)) -> Vec<String> {
    let found = namespaces::find_everywhere(|_, device| device == number).unwrap_or_default();
    found.iter().map(|found| format!("it is mounted on {}{}", found.mount.target.display(), found.seen_by)).collect()
}

fn listed(mut reasons: Vec<String>) -> String {
    if reasons.is_empty() {
        return "it is in use, but no process that can be seen here holds it".to_owned();
    }
    let more = reasons.len().saturating_sub(NAMED);
    reasons.truncate(NAMED);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons.join(", ")
}

/// The processes of which one open, mapped or working file is `wanted`, by pid.
fn processes(wanted: impl Fn(&Path) -> bool) -> Vec<HolderProcess> {
    pids().into_iter().filter_map(|pid| holder(pid, &wanted)).collect()
}

/// The processes that can be seen here, in order.
pub(super) fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

fn holder(pid: u32, wanted: impl Fn(&Path) -> bool) -> Option<HolderProcess> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    // A process that may not be read is skipped: an unprivileged agent sees only its own.
    let fixed = ["cwd", "root", "exe"].map(|name| (name.to_owned(), fs::read_link(process.join(name)).ok()));
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let open = open.map(|fd| ("fd".to_owned(), fs::read_link(fd.path()).ok()));
    let found = fixed.into_iter().chain(open).find_map(|(what, path)| path.filter(|path| wanted(path)).map(|_| what));
    let what = found.or_else(|| mapped(&process, wanted))?;
    let command = fs::read_to_string(process.join("comm")).unwrap_or_default().trim_end().to_owned();
    Some(HolderProcess { pid, command, what })
}

fn mapped(process: &Path, wanted: impl Fn(&Path) -> bool) -> Option<String> {
    let maps = fs::read_to_string(process.join("maps")).ok()?;
    // The path is the rest of the line. Only a path starts with `/`.
    let files = maps.lines().filter_map(|line| Some(Path::new(&line[line.find('/')?..])));
    files.into_iter().any(wanted).then(|| "map".to_owned())
}

/// Whether `path` is `directory` or below it. The kernel writes `/a/b (deleted)` for a path that was removed since.
pub(super) fn is_below(path: &Path, directory: &Path) -> bool {
    path.starts_with(directory)
        || path
            .as_os_str()
            .as_bytes()
            .strip_suffix(b" (deleted)")
            .is_some_and(|path| path == directory.as_os_str().as_bytes())
}

impl std::fmt::Display for HolderProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "held by {} (pid {}, {})", self.command, self.pid, self.what)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn an_open_file_names_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        assert!(of_mount(&path).contains("no process"));
        let _open = File::create(path.join("file")).unwrap();
        let reasons = of_mount(&path);
        assert!(reasons.contains(&format!("pid {}, fd", std::process::id())), "{reasons}");
    }

    #[test]
    fn a_long_list_is_cut() {
        let many = (0..20).map(|number| number.to_string()).collect();
        assert_eq!(listed(many), "0, 1, 2, 3, 4, 5, 6, 7, and 12 more");
    }
}
