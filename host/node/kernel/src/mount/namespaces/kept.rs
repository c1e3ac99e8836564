//! Mount namespaces that no process is in: a file of nsfs keeps each of them, which is mounted somewhere, see namespaces(7).

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{Mode, OFlags, fstat, major, minor, open, openat};

use crate::KernelError;
use crate::mount::mountinfo::parse_line;

/// The file systems of such files: there is one in the kernel.
pub(super) fn nsfs() -> Result<(u32, u32), KernelError> {
    const OWN: &str = "/proc/thread-self/ns/mnt";
    let stat = rustix::fs::stat(OWN).map_err(KernelError::os(format!("look at {OWN}")))?;
    Ok((major(stat.st_dev), minor(stat.st_dev)))
}

/// The name of the mount namespace that a line of the table of mounts keeps, as `mnt:[4026531841]`, and where its file is.
pub(super) fn kept_by(line: &[u8]) -> Option<(OsString, PathBuf)> {
    let mount = parse_line(line).ok()?;
    let name = mount.root.into_os_string();
    name.to_str().is_some_and(|name| name.starts_with("mnt:[")).then_some((name, mount.target))
}

/// The table of mounts of the namespace of that name, by its file. None if another file is there.
///
/// A thread enters the namespace and exits: its root and its working directory are in the namespace from then on.
pub(super) fn table_of(name: &OsStr, file: &Path) -> Result<Option<Vec<u8>>, KernelError> {
    let failed =
        |what: String| KernelError::Invalid(format!("a mount namespace that a file keeps is not looked at: {what}"));
    let io = |source: std::io::Error| failed(format!("{}: {source}", file.display()));
    let namespace = File::open(file).map_err(io)?;
    // By its own name in nsfs: another file may have been mounted over it.
    let opened = fs::read_link(format!("/proc/self/fd/{}", namespace.as_raw_fd())).map_err(io)?;
    if opened.as_os_str() != name && !is_of_number(&namespace, name) {
        return Ok(None);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = open("/proc", flags, Mode::empty()).map_err(|errno| failed(format!("/proc: {errno}")))?;
    let look = move || table_within(&namespace, &proc);
    let thread = std::thread::Builder::new().name("mount-namespace".to_owned()).spawn(look).map_err(io)?;
    let table = thread.join().map_err(|_| failed("the thread that looks has ended early".to_owned()))?;
    table.map(Some).map_err(|why| failed(format!("{}: {why}", file.display())))
}

/// Whether the file is that of the namespace, by the number in its name: its link may show the place where it is mounted.
fn is_of_number(namespace: &File, name: &OsStr) -> bool {
    fstat(namespace).is_ok_and(|stat| name.to_str() == Some(&format!("mnt:[{}]", stat.st_ino)))
}

fn table_within(namespace: &File, proc: &OwnedFd) -> Result<Vec<u8>, std::io::Error> {
    // A thread that shares its root with others may not leave their namespace.
    unshare(CloneFlags::CLONE_FS)?;
    setns(namespace, CloneFlags::CLONE_NEWNS)?;
    // By the directory that was opened before: there may be no /proc in there.
    let table = openat(proc, "thread-self/mountinfo", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::new();
    File::from(table).read_to_end(&mut text)?;
    Ok(text)
}
