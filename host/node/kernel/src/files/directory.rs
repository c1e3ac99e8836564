//! Lists, makes and removes directories, by descriptor.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{FileKind, PERMISSIONS, stat_of};
use crate::KernelError;
use crate::mount::mountinfo::{self, MountInfo};
use crate::path::{LastLink, PinnedPath, resolve};

/// The deepest tree that is removed. Each level takes a descriptor and a stack frame.
const MAX_DEPTH: usize = 512;

/// Lists the names in a directory, sorted, without `.` and `..`.
pub fn list_directory(path: &Path) -> Result<Vec<String>, KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    let fd = place.open(OFlags::RDONLY | OFlags::DIRECTORY)?;
    let names = names(&fd).map_err(KernelError::os(format!("list {}", path.display())))?;
    let mut names: Vec<String> = names.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn names(directory: &OwnedFd) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push((entry.file_name().to_owned(), entry.file_type()));
        }
    }
    Ok(names)
}

/// Makes a directory of `mode`, and the missing ones above it with 0755. Returns true if it made any. An existing directory
/// keeps its mode.
pub fn make_directory(path: &Path, mode: u32) -> Result<bool, KernelError> {
    match resolve(path, LastLink::Follow) {
        Ok(place) => match place.node() {
            Some(node) if stat_of(node, path)?.kind == FileKind::Directory => Ok(false),
            Some(_) => Err(KernelError::Invalid(format!("{} exists and is not a directory", path.display()))),
            None => match make_in(&place, mode & PERMISSIONS) {
                // Another process made it just now, perhaps for another resource of the same object: look again.
                Err(error) if error.errno() == Some(Errno::EXIST.raw_os_error()) => make_directory(path, mode),
                made => made.map(|()| true),
            },
        },
        Err(KernelError::NotFound(missing)) if missing != path => {
            make_directory(&missing, 0o755)?;
            make_directory(path, mode).map(|_| true)
        }
        Err(error) => Err(error),
    }
}

fn make_in(place: &PinnedPath, mode: u32) -> Result<(), KernelError> {
    let doing = || format!("make the directory {}", place.path().display());
    rustix::fs::mkdirat(place.parent(), place.name(), Mode::RWXU).map_err(KernelError::os(doing()))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(place.parent(), place.name(), flags, Mode::empty());
    // The mode is not given to mkdirat(2), which would subtract the agent's umask from it.
    made.and_then(|made| rustix::fs::fchmod(made, Mode::from_raw_mode(mode))).map_err(KernelError::os(doing()))
}

/// Removes a file, a link or an empty directory. Returns false if there was nothing.
pub fn remove(path: &Path) -> Result<bool, KernelError> {
    let Some(place) = place_of(path)? else { return Ok(false) };
    let flags = match stat_of(place.existing()?, path)?.kind {
        FileKind::Directory => AtFlags::REMOVEDIR,
        _ => AtFlags::empty(),
    };
    unlink(place.parent(), place.name(), flags, path)
}

/// Removes a directory and everything below it. Returns false if there was nothing. Refuses at once if anything is mounted
/// below it, and never enters a file system that is mounted meanwhile.
pub fn remove_tree(path: &Path) -> Result<bool, KernelError> {
    let Some(place) = place_of(path)? else { return Ok(false) };
    if stat_of(place.existing()?, path)?.kind != FileKind::Directory {
        return Err(KernelError::Invalid(format!("{} is not a directory", path.display())));
    }
    if let Some(mount) = mountinfo::read()?.iter().find(|mount| mount.target.starts_with(place.path())) {
        return Err(mounted_below(path, mount));
    }
    let name =
        CString::new(place.name().as_bytes()).map_err(|_| KernelError::Invalid("a name with a NUL".to_owned()))?;
    // By descriptors from here on: renaming a directory above redirects nothing.
    empty(place.parent(), &name, path, 0)?;
    unlink(place.parent(), place.name(), AtFlags::REMOVEDIR, path)
}

fn mounted_below(path: &Path, mount: &MountInfo) -> KernelError {
    KernelError::Refused {
        doing: format!("remove {}", path.display()),
        why: format!("{} is mounted on {}", mount.source, mount.target.display()),
        errno: Errno::BUSY,
    }
}

fn place_of(path: &Path) -> Result<Option<PinnedPath>, KernelError> {
    match resolve(path, LastLink::Keep) {
        Ok(place) => Ok(place.node().is_some().then_some(place)),
        Err(KernelError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn empty(parent: BorrowedFd<'_>, name: &CStr, path: &Path, depth: usize) -> Result<(), KernelError> {
    // A hostile tree could otherwise use up the stack, or all descriptors.
    if depth > MAX_DEPTH {
        return Err(KernelError::Invalid(format!("{} is deeper than {MAX_DEPTH} directories", path.display())));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // NO_XDEV stops at a mount that appeared after the look at the mount table.
    let here = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let directory = rustix::fs::openat2(parent, name, flags, Mode::empty(), here)
        .map_err(KernelError::os(format!("open {}", path.display())))?;
    for (name, kind) in names(&directory).map_err(KernelError::os(format!("list {}", path.display())))? {
        let below = path.join(OsStr::from_bytes(name.to_bytes()));
        let flags = if is_directory(&directory, &name, kind, &below)? {
            empty(directory.as_fd(), &name, &below, depth + 1)?;
            AtFlags::REMOVEDIR
        } else {
            AtFlags::empty()
        };
        unlink(directory.as_fd(), OsStr::from_bytes(name.to_bytes()), flags, &below)?;
    }
    Ok(())
}

/// Whether an entry is a directory. Some file systems do not report the kind in readdir(3), and must be asked by stat(2).
fn is_directory(directory: &OwnedFd, name: &CStr, kind: FileType, path: &Path) -> Result<bool, KernelError> {
    if kind != FileType::Unknown {
        return Ok(kind == FileType::Directory);
    }
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(KernelError::os(format!("look at {}", path.display())))?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn unlink(parent: BorrowedFd<'_>, name: &OsStr, flags: AtFlags, path: &Path) -> Result<bool, KernelError> {
    match rustix::fs::unlinkat(parent, name, flags) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(KernelError::Os { doing: format!("remove {}", path.display()), errno }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & PERMISSIONS
    }

    #[test]
    fn make_directory_makes_only_missing_directories() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        assert!(make_directory(&deep, 0o2770).unwrap());
        assert_eq!((mode(&deep), mode(&dir.path().join("a"))), (0o2770, 0o755));
        assert!(!make_directory(&deep, 0o700).unwrap());
        assert_eq!(mode(&deep), 0o2770);
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(matches!(make_directory(&dir.path().join("file"), 0o755), Err(KernelError::Invalid(_))));
    }

    #[test]
    fn two_that_make_the_same_directory_at_once_both_succeed() {
        let dir = tempfile::tempdir().unwrap();
        let made = std::sync::atomic::AtomicUsize::new(0);
        for round in 0..50 {
            let deep = dir.path().join(format!("{round}/b/c"));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        made.fetch_add(
                            make_directory(&deep, 0o700).unwrap().into(),
                            std::sync::atomic::Ordering::Relaxed,
                        )
                    });
                }
            });
        }
        assert!(made.into_inner() >= 50);
    }

    #[test]
    fn remove_removes_a_link_and_not_its_target() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        symlink("file", dir.path().join("link")).unwrap();
        assert!(remove(&dir.path().join("link")).unwrap());
        assert!(dir.path().join("file").exists());
        assert!(!remove(&dir.path().join("link")).unwrap());
        assert!(!remove(&dir.path().join("no/thing")).unwrap());
    }

    #[test]
    fn remove_leaves_a_directory_that_is_not_empty() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        let error = remove(&dir.path().join("a")).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::NOTEMPTY.raw_os_error()));
    }

    #[test]
    fn remove_tree_follows_no_link_out_of_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("tree/a/b")).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        fs::write(dir.path().join("outside/kept"), "").unwrap();
        fs::write(dir.path().join("tree/a/file"), "").unwrap();
        symlink("../../outside", dir.path().join("tree/a/link")).unwrap();
        assert!(remove_tree(&dir.path().join("tree")).unwrap());
        assert!(!dir.path().join("tree").exists());
        assert!(dir.path().join("outside/kept").exists());
        assert!(!remove_tree(&dir.path().join("tree")).unwrap());
    }
}
