//! The programs that use a mount which no table shows any more: it was unmounted lazily.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, statx};

use super::scan::{ProcessName, name_of, pids};
use crate::KernelError;
use crate::mount::signature::MNT_ID_UNIQUE;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_has_a_file_of_a_mount_open_uses_it() {
        let open = fs::File::open("/proc/self/stat").unwrap();
        let proc =
            crate::mount::mountinfo::read().unwrap().into_iter().rfind(|mount| mount.target == Path::new("/proc"));
        let proc = proc.unwrap();
        assert!(user_of(proc.id, unique_of(Path::new("/proc")), proc.device).unwrap().is_some());
        drop(open);
        assert_eq!(user_of(u64::MAX, Some(u64::MAX), (0xfff, 0xf_ffff)).unwrap(), None);
    }
}
