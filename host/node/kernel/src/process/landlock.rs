//! Landlock: a program touches the files that it was given, and no others, see landlock(7).
//!
//! The rules are made before the fork, and the child only gives itself to them. What this kernel does not know of is left out: it is
//! containment on top of users and capabilities, and [`landlock_version`] says what there is. It covers files alone: neither signals nor
//! sockets, and mount(2) is refused to any program under it.
#![expect(unsafe_code, reason = "three system calls without safe wrappers")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::fs::{FileType, OFlags};

use crate::KernelError;
use crate::path::{LastLink, resolve_any};

/// What a program may do with a file, or with all below a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileAccess {
    /// Read and execute.
    Read,
    /// Also write, make and remove.
    Write,
}

/// A file or a directory that a program may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    pub path: PathBuf,
    pub access: FileAccess,
}

/// The bits of linux/landlock.h, in their order.
const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
/// From `REMOVE_DIR` to `MAKE_SYM`, the last of the first version.
const CHANGE_DIR: u64 = 0b1_1111_1111 << 4;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;

/// The rights that this kernel distinguishes. Those on devices' ioctl(2) are left alone: mkfs(8) needs them.
fn known_rights(version: u32) -> u64 {
    let mut rights = EXECUTE | WRITE_FILE | READ_FILE | READ_DIR | CHANGE_DIR;
    if version >= 2 {
        rights |= REFER;
    }
    if version >= 3 {
        rights |= TRUNCATE;
    }
    rights
}

fn rights_of(access: FileAccess, is_directory: bool, version: u32) -> u64 {
    let read = EXECUTE | READ_FILE | READ_DIR;
    let rights = match access {
        FileAccess::Read => read,
        FileAccess::Write => known_rights(version),
    };
    // On a file, the kernel refuses the rights that only a directory can have.
    let of_file = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE;
    known_rights(version) & if is_directory { rights } else { rights & of_file }
}

/// The version of Landlock in this kernel. None if it has none, or if it is not among its security modules.
pub fn landlock_version() -> Option<u32> {
    static VERSION: OnceLock<Option<u32>> = OnceLock::new();
    const CREATE_RULESET_VERSION: u32 = 1;
    *VERSION.get_or_init(|| {
        // SAFETY: with this flag the call reads no memory: the attributes must be null and their size 0.
        let version = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, CREATE_RULESET_VERSION)
        };
        u32::try_from(version).ok().filter(|version| *version > 0)
    })
}

/// Rules that are ready for a child to give itself to.
#[derive(Debug)]
pub(super) struct FileConfinement(OwnedFd);

impl FileConfinement {
    /// None if this kernel has no Landlock. Paths that do not exist are left out.
    pub(super) fn new(rules: &[FileRule]) -> Result<Option<FileConfinement>, KernelError> {
        let Some(version) = landlock_version() else { return Ok(None) };
        // The first member of struct landlock_ruleset_attr. The kernel takes a shorter one, of an earlier version.
        let handled = known_rights(version);
        // SAFETY: the pointer is to a u64 that outlives the call, which reads as many bytes as the size says.
        let made = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::from_ref(&handled), size_of::<u64>(), 0_u32)
        };
        let fd = i32::try_from(made).ok().filter(|fd| *fd >= 0).ok_or_else(|| refused("make rules about files"))?;
        // SAFETY: the kernel has just made this descriptor, and nothing else knows it.
        let confinement = FileConfinement(unsafe { OwnedFd::from_raw_fd(fd) });
        rules.iter().try_for_each(|rule| confinement.add(rule, version))?;
        Ok(Some(confinement))
    }

    fn add(&self, rule: &FileRule, version: u32) -> Result<(), KernelError> {
        /// struct landlock_path_beneath_attr, which is packed.
        #[repr(C, packed)]
        struct PathBeneath {
            allowed_access: u64,
            parent_fd: i32,
        }
        const PATH_BENEATH: u32 = 1;
        // A link that another user could have put there gives the program nothing.
        let opened = resolve_any(&rule.path, LastLink::Follow).and_then(|place| place.open(OFlags::PATH));
        let Ok(file) = opened else { return Ok(()) };
        let is_directory = is_directory(&file);
        let allowed_access = rights_of(rule.access, is_directory, version);
        let beneath = PathBeneath { allowed_access, parent_fd: file.as_raw_fd() };
        // SAFETY: the pointer is to a struct of the layout that the kernel expects, which outlives the call.
        let added = unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                self.0.as_raw_fd(),
                PATH_BENEATH,
                std::ptr::from_ref(&beneath),
                0_u32,
            )
        };
        if added == 0 { Ok(()) } else { Err(refused(&format!("make a rule about {}", rule.path.display()))) }
    }

    /// Gives the calling thread to the rules. Runs between fork and exec: a system call only. The thread must have given up new
    /// privileges before.
    pub(super) fn enter(&self) -> io::Result<()> {
        // SAFETY: the call reads no memory.
        let entered = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.0.as_raw_fd(), 0_u32) };
        if entered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

fn is_directory(file: impl AsFd) -> bool {
    rustix::fs::fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn refused(doing: &str) -> KernelError {
    let errno = rustix::io::Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(rustix::io::Errno::IO);
    KernelError::Os { doing: doing.to_owned(), errno }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_no_right_that_only_a_directory_has() {
        assert_eq!(rights_of(FileAccess::Write, false, 7), EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE);
        assert_eq!(rights_of(FileAccess::Write, false, 1), EXECUTE | WRITE_FILE | READ_FILE);
        assert_eq!(rights_of(FileAccess::Read, true, 7), EXECUTE | READ_FILE | READ_DIR);
        assert_eq!(rights_of(FileAccess::Write, true, 2), known_rights(2));
        assert_eq!(known_rights(1), (1 << 13) - 1);
    }

    #[test]
    fn a_thread_that_gave_itself_to_rules_touches_what_they_name() {
        let Some(version) = landlock_version() else {
            return crate::tests::skipped("this kernel has no Landlock");
        };
        assert!(version >= 1);
        let dir = tempfile::tempdir().unwrap();
        for name in ["own", "other", "shown"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("x"), name).unwrap();
        }
        let rule = |name: &str, access| FileRule { path: dir.path().join(name), access };
        let rules = [rule("own", FileAccess::Write), rule("shown", FileAccess::Read), rule("none", FileAccess::Write)];
        let confinement = FileConfinement::new(&rules).unwrap().unwrap();
        let path = dir.path().to_owned();
        // Rules are a thread's own, and end with it.
        let found = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            confinement.enter().unwrap();
            let at = |name: &str| path.join(name).join("x");
            [
                std::fs::write(at("own"), "new").is_ok(),
                std::fs::read(at("shown")).is_ok(),
                std::fs::write(at("shown"), "new").is_ok(),
                std::fs::read(at("other")).is_ok(),
                std::fs::read("/etc/passwd").is_ok(),
            ]
        });
        assert_eq!(found.join().unwrap(), [true, true, false, false, false]);
        assert_eq!(std::fs::read_to_string(dir.path().join("other/x")).unwrap(), "other");
    }
}
