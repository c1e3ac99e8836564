//! Files that hold either their old content or their new one, whatever happens meanwhile.
//!
//! A file is written under another name, flushed, renamed, and its directory flushed. A reader never sees half of it; once
//! [`write`] has returned, not even after a power loss.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// An operation on a file that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct FileError {
    pub doing: &'static str,
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Makes the error of an operation on a file, for `map_err`.
    pub(crate) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError + use<> {
        let path = path.to_owned();
        move |source| FileError { doing, path, source }
    }
}

/// Replaces a file, or creates it and the directories above it. Only the owner may read a new file. A symbolic link stays: the
/// file that it leads to is replaced.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    // A rename would replace the link itself.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&place, content, FlushMode::Yes).map_err(FileError::new("write", path))
}

/// Creates a file that only the owner may read, and the directories above it. Returns false if the file exists, and leaves it
/// as it is.
pub fn make(path: &Path, content: &[u8]) -> Result<bool, FileError> {
    let try_it = || {
        let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        make_directory(directory)?;
        let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(directory)?;
        draft.write_all(content)?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(path).map_err(|error| error.error) {
            // Unlike a rename, this fails if another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => made.and_then(|_| flush_directory(directory)).map(|()| true),
        }
    };
    try_it().map_err(FileError::new("make", path))
}

/// Like [`write`], without waiting for the disk: no reader sees half of the file, but after a power loss it may be torn or old.
pub fn note(path: &Path, content: &[u8]) -> Result<(), FileError> {
    replace(path, content, FlushMode::No).map_err(FileError::new("write", path))
}

/// More than an action writes: its marks, the growth of its journal, its status.
const RESERVE: u64 = 64 << 10;

/// Checks that a directory has room for the records of an action or an edit. Leaves nothing behind.
pub fn probe(directory: &Path) -> Result<(), FileError> {
    let try_it = || {
        make_directory(directory)?;
        let mut file = tempfile::Builder::new().prefix(".").suffix(".probe").tempfile_in(directory)?;
        match fallocate(&file, FallocateFlags::empty(), 0, RESERVE) {
            // A file system that cannot reserve room is asked by writing.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.write_all(&vec![0; RESERVE as usize]),
            other => Ok(other?),
        }
    };
    try_it().map_err(FileError::new("set room aside in", directory))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FlushMode {
    Yes,
    No,
}

fn replace(path: &Path, content: &[u8], flush: FlushMode) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_directory(directory)?;
    let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(directory)?;
    draft.write_all(content)?;
    // A draft is created for its owner alone; an administrator may have opened the old file to others.
    if let Ok(old) = fs::metadata(path) {
        draft.as_file().set_permissions(old.permissions())?;
    }
    // Before the rename: otherwise a power loss may leave an empty file under the final name.
    if flush == FlushMode::Yes {
        draft.as_file().sync_all()?;
    }
    draft.persist(path).map_err(|error| error.error)?;
    // The rename itself is on disk only when the directory is.
    if flush == FlushMode::Yes { flush_directory(directory) } else { Ok(()) }
}

/// Creates a directory. The one above it is flushed, so that a power loss does not lose the new one with the file in it.
fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    // From the top down, each level flushed before the next one is created in it.
    let Some(above) = directory.parent() else { return fs::create_dir(directory) };
    make_directory(above)?;
    match fs::create_dir(directory) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| flush_directory(above)),
    }
}

fn flush_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The content of a file, if the file exists. One that another user could have written is refused: the agent would do what that user
/// says.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let read = || {
        let Some(mut file) = kernel::path::open_ours(path).map_err(as_io)? else { return Ok(None) };
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        Ok(Some(content))
    };
    read().map_err(FileError::new("read", path))
}

/// An error of the kernel's functions as one of std, for [`FileError`].
pub(crate) fn as_io(error: kernel::KernelError) -> io::Error {
    error.errno().map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error)
}

/// Removes a file. Returns whether it existed.
pub fn remove(path: &Path) -> Result<bool, FileError> {
    let removed = absent_is_none(fs::remove_file(path)).map_err(FileError::new("remove", path))?.is_some();
    if removed && let Some(directory) = path.parent() {
        flush_directory(directory).map_err(FileError::new("flush", directory))?;
    }
    Ok(removed)
}

/// Removes a directory with everything in it. Returns whether it existed.
pub fn remove_directory(path: &Path) -> Result<bool, FileError> {
    Ok(absent_is_none(fs::remove_dir_all(path)).map_err(FileError::new("remove", path))?.is_some())
}

/// The same by descriptors: no link leads it elsewhere, and it does not empty what is mounted there.
pub fn remove_tree(path: &Path) -> Result<bool, FileError> {
    kernel::files::remove_tree(path).map_err(as_io).map_err(FileError::new("remove", path))
}

/// Turns "not found" into None.
pub(crate) fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        // A file in place of a directory above it: the file itself does not exist either.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a/b/web.conf");
        assert_eq!(read(&file).unwrap(), None);
        write(&file, b"one").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        write(&file, b"two").unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        let entries = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(entries, 1, "a draft was left behind");
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_no_draft() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("inside"), b"old").unwrap();
        let error = write(&taken, b"new").unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}", taken.display()));
        assert_eq!(fs::read(taken.join("inside")).unwrap(), b"old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("kept/web.conf"), directory.path().join("etc/web.conf"));
        write(&target, b"old").unwrap();
        fs::create_dir(directory.path().join("etc")).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_probe_leaves_nothing_and_fails_where_nothing_can_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("a/b");
        probe(&state).unwrap();
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
        write(&state.join("file"), b"").unwrap();
        assert!(probe(&state.join("file/below")).is_err());
    }

    #[test]
    fn removing_what_is_not_there_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("flag");
        assert!(!remove(&file).unwrap());
        write(&file, b"").unwrap();
        assert!(remove(&file).unwrap());
        assert!(!remove_directory(&file.join("below a file")).unwrap());
    }
}
