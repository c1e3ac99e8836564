//! Files that are either as they were or as they shall be, whatever happens meanwhile.
//!
//! A file is written beside its place, flushed, renamed, and its folder flushed. A reader never sees a part of it, and once
//! [`write`] has returned, neither does a reader after a power loss.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// What could not be done with a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct FileError {
    /// What was tried.
    pub doing: &'static str,
    /// With which file.
    pub path: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: what was tried, with which file.
    pub(crate) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError + use<> {
        let path = path.to_owned();
        move |source| FileError { doing, path, source }
    }
}

/// Replaces a file, or makes it and the folders above it. Only the owner may read a new one. A symbolic link stays one: what
/// it leads to is replaced.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&place, content, FlushMode::Yes).map_err(FileError::new("write", path))
}

/// Makes a file that only the owner may read, and the folders above it. False where there is one: that stays as it is.
pub fn make(path: &Path, content: &[u8]) -> Result<bool, FileError> {
    let try_it = || {
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        make_folder(folder)?;
        let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(folder)?;
        draft.write_all(content)?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(path).map_err(|error| error.error) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => made.and_then(|_| flush_folder(folder)).map(|()| true),
        }
    };
    try_it().map_err(FileError::new("make", path))
}

/// The same as [`write`] for what may be lost: no reader sees a part of it, but after a power loss it may be torn, or the old one.
pub fn note(path: &Path, content: &[u8]) -> Result<(), FileError> {
    replace(path, content, FlushMode::No).map_err(FileError::new("write", path))
}

/// What an action may have to write down, and more: its marks, its journal's growth, its status.
const RESERVE: u64 = 64 << 10;

/// Whether there is room in a folder for what an action or an edit will have to write. Leaves nothing there.
pub fn probe(folder: &Path) -> Result<(), FileError> {
    let try_it = || {
        make_folder(folder)?;
        let mut file = tempfile::Builder::new().prefix(".").suffix(".probe").tempfile_in(folder)?;
        match fallocate(&file, FallocateFlags::empty(), 0, RESERVE) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.write_all(&vec![0; RESERVE as usize]),
            other => Ok(other?),
        }
    };
    try_it().map_err(FileError::new("set room aside in", folder))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FlushMode {
    Yes,
    No,
}

fn replace(path: &Path, content: &[u8], flush: FlushMode) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_folder(folder)?;
    let mut draft = tempfile::Builder::new().prefix(".").suffix(".draft").tempfile_in(folder)?;
    draft.write_all(content)?;
    if let Ok(old) = fs::metadata(path) {
        draft.as_file().set_permissions(old.permissions())?;
    }
    if flush == FlushMode::Yes {
        draft.as_file().sync_all()?;
    }
    draft.persist(path).map_err(|error| error.error)?;
    if flush == FlushMode::Yes { flush_folder(folder) } else { Ok(()) }
}

/// A folder that was made must not be lost with the file in it, so the one above it is flushed too.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(above) = folder.parent() else { return fs::create_dir(folder) };
    make_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| flush_folder(above)),
    }
}

fn flush_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The content of a file. None where there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    absent_is_none(fs::read(path)).map_err(FileError::new("read", path))
}

/// Removes a file. Says whether there was one.
pub fn remove(path: &Path) -> Result<bool, FileError> {
    let removed = absent_is_none(fs::remove_file(path)).map_err(FileError::new("remove", path))?.is_some();
    if removed && let Some(folder) = path.parent() {
        flush_folder(folder).map_err(FileError::new("flush", folder))?;
    }
    Ok(removed)
}

/// Removes a folder with all that is in it. Says whether there was one.
pub fn remove_folder(path: &Path) -> Result<bool, FileError> {
    Ok(absent_is_none(fs::remove_dir_all(path)).map_err(FileError::new("remove", path))?.is_some())
}

/// For results of which an absent file is a good one.
pub(crate) fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
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
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b/web.conf");
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
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("inside"), b"old").unwrap();
        let error = write(&taken, b"new").unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}", taken.display()));
        assert_eq!(fs::read(taken.join("inside")).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("kept/web.conf"), folder.path().join("etc/web.conf"));
        write(&target, b"old").unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_probe_leaves_nothing_and_fails_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/b");
        probe(&state).unwrap();
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
        write(&state.join("file"), b"").unwrap();
        assert!(probe(&state.join("file/below")).is_err());
    }

    #[test]
    fn removing_what_is_not_there_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flag");
        assert!(!remove(&file).unwrap());
        write(&file, b"").unwrap();
        assert!(remove(&file).unwrap());
        assert!(!remove_folder(&file.join("below a file")).unwrap());
    }
}
