//! Regular files: looked at, read and written as a whole, allocated. Every path goes through [`crate::path`].

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, RawMode, Uid};
use rustix::io::Errno;

use crate::KernelError;
use crate::path::{LastLink, PinnedPath, open_node, resolve, resolve_any};

/// The bits of a mode that chmod(2) sets.
pub const PERMISSIONS: u32 = 0o7777;
/// The bits that make a file run as its owner or its group, whoever runs it.
pub const SET_ID: u32 = 0o6000;

/// The result of stat(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStat {
    pub kind: FileKind,
    /// In bytes.
    pub size: u64,
    /// The permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// How many names it has.
    pub links: u64,
    /// The number of its file system.
    pub device: u64,
    /// Its number in the file system.
    pub inode: u64,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    File,
    Directory,
    Symlink,
    Block,
    Char,
    Fifo,
    Socket,
}

impl FileKind {
    /// As in `wit/files.wit`.
    pub fn as_str(self) -> &'static str {
        match self {
            FileKind::File => "file",
            FileKind::Directory => "directory",
            FileKind::Symlink => "symlink",
            FileKind::Block => "block",
            FileKind::Char => "char",
            FileKind::Fifo => "fifo",
            FileKind::Socket => "socket",
        }
    }

    fn of(mode: RawMode) -> FileKind {
        match FileType::from_raw_mode(mode) {
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            FileType::BlockDevice => FileKind::Block,
            FileType::CharacterDevice => FileKind::Char,
            FileType::Fifo => FileKind::Fifo,
            FileType::Socket => FileKind::Socket,
            FileType::RegularFile | FileType::Unknown => FileKind::File,
        }
    }
}

/// Looks at the path itself: a link at its end is not followed. None if nothing is there.
pub fn stat(path: &Path) -> Result<Option<FileStat>, KernelError> {
    open_node(path)?.map(|node| stat_of(node, path)).transpose()
}

/// The path with all links followed. None if nothing is there.
pub fn real_path(path: &Path) -> Result<Option<PathBuf>, KernelError> {
    match resolve_any(path, LastLink::Follow) {
        Ok(place) => Ok(place.node().is_some().then(|| place.path().to_owned())),
        Err(KernelError::NotFound(_)) => Ok(None),
        Err(KernelError::Os { errno: Errno::NOTDIR, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn stat_of(fd: impl AsFd, path: &Path) -> Result<FileStat, KernelError> {
    let stat = rustix::fs::fstat(fd).map_err(KernelError::os(format!("look at {}", path.display())))?;
    Ok(FileStat {
        kind: FileKind::of(stat.st_mode),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mode: stat.st_mode & PERMISSIONS,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink,
        device: stat.st_dev,
        inode: stat.st_ino,
    })
}

/// Reads the whole content of a regular file, also of one in /proc or /sys, whose size is 0. Fails with
/// [`KernelError::Invalid`] beyond `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    must_be_file(stat_of(place.existing()?, path)?.kind, path)?;
    // NONBLOCK, because the file may have become a FIFO since the look at its kind, and its open would wait for a writer.
    let file = File::from(place.open(OFlags::RDONLY | OFlags::NONBLOCK)?);
    let mut content = Vec::new();
    // One byte more than the limit shows that there is more.
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|source| io_error(format!("read {}", path.display()), &source))?;
    if content.len() as u64 > limit {
        return Err(KernelError::Invalid(format!("{} holds more than {limit} bytes", path.display())));
    }
    Ok(content)
}

/// How long the content of a file must last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileLifetime {
    /// The content is on disk when the call returns.
    Durable,
    /// A reboot empties the file's directory anyway, so nothing waits for a disk.
    UntilReboot,
}

/// Replaces the content atomically: writes a temporary file, syncs it where it must last, and renames it over the old one. An
/// existing file keeps its owner and mode, a new one gets `mode`.
pub fn write(path: &Path, content: &[u8], mode: u32, lifetime: FileLifetime) -> Result<(), KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    let found = place.node().map(|node| stat_of(node, path)).transpose()?;
    if let Some(found) = &found {
        must_be_file(found.kind, path)?;
    }
    let doing = || format!("write {}", path.display());
    let beside = TemporaryFile::make(&place).map_err(KernelError::os(doing()))?;
    beside.fill(content).map_err(|source| io_error(doing(), &source))?;
    beside.permit(found.as_ref(), mode).map_err(KernelError::os(doing()))?;
    beside.rename_over(&place, lifetime).map_err(KernelError::os(doing()))
}

/// A temporary file in the directory of the file that it will replace. Removed when dropped.
struct TemporaryFile<'a> {
    place: &'a PinnedPath,
    name: String,
    file: File,
    /// Whether it has the other file's name by now.
    renamed: bool,
}

impl<'a> TemporaryFile<'a> {
    /// Creates the file. Two writers never share one: its name holds the process and a number, and O_EXCL refuses an
    /// existing one.
    fn make(place: &'a PinnedPath) -> Result<TemporaryFile<'a>, Errno> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let name = format!(".hostler-{}-{number}", std::process::id());
            match rustix::fs::openat(place.parent(), &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => return Ok(TemporaryFile { place, name, file: fd.into(), renamed: false }),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn fill(&self, content: &[u8]) -> std::io::Result<()> {
        (&self.file).write_all(content)
    }

    fn permit(&self, found: Option<&FileStat>, mode: u32) -> Result<(), Errno> {
        if let Some(found) = found {
            let mine = rustix::fs::fstat(&self.file)?;
            // Only if needed: an unprivileged agent may not change owners, and need not.
            if (mine.st_uid, mine.st_gid) != (found.uid, found.gid) {
                rustix::fs::fchown(&self.file, Some(Uid::from_raw(found.uid)), Some(Gid::from_raw(found.gid)))?;
            }
        }
        // What runs as its owner does so by its content: another one must be given that anew.
        let mode = found.map_or(mode & PERMISSIONS, |found| found.mode & !SET_ID);
        rustix::fs::fchmod(&self.file, Mode::from_raw_mode(mode))
    }

    fn rename_over(mut self, place: &PinnedPath, lifetime: FileLifetime) -> Result<(), Errno> {
        // Before the rename: else a crash could leave the new name with no content.
        if lifetime == FileLifetime::Durable {
            rustix::fs::fsync(&self.file)?;
        }
        rustix::fs::renameat(place.parent(), &self.name, place.parent(), place.name())?;
        self.renamed = true;
        if lifetime == FileLifetime::Durable { sync_directory(place) } else { Ok(()) }
    }
}

impl Drop for TemporaryFile<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = rustix::fs::unlinkat(self.place.parent(), &self.name, AtFlags::empty());
        }
    }
}

fn sync_directory(place: &PinnedPath) -> Result<(), Errno> {
    let directory =
        rustix::fs::openat(place.parent(), ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::fsync(directory)
}

/// Makes a sparse file of `size` bytes and mode 0600, or grows a smaller one. Never shrinks one. Returns false if the
/// file was long enough.
pub fn allocate(path: &Path, size: u64) -> Result<bool, KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    let doing = || format!("allocate {}", path.display());
    let file = match place.node().map(|node| stat_of(node, path)).transpose()? {
        Some(found) => {
            must_be_file(found.kind, path)?;
            // Never shortened: the end of an image may hold data.
            if found.size >= size {
                return Ok(false);
            }
            place.open(OFlags::WRONLY)?
        }
        None => create(&place).map_err(KernelError::os(doing()))?,
    };
    rustix::fs::ftruncate(&file, size)
        .and_then(|()| rustix::fs::fsync(&file))
        .and_then(|()| sync_directory(&place))
        .map_err(KernelError::os(doing()))?;
    Ok(true)
}

fn create(place: &PinnedPath) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(place.parent(), place.name(), flags, Mode::RUSR | Mode::WUSR)
}

fn must_be_file(kind: FileKind, path: &Path) -> Result<(), KernelError> {
    match kind {
        FileKind::File => Ok(()),
        other => {
            Err(KernelError::Invalid(format!("{} is not a regular file but a {}", path.display(), other.as_str())))
        }
    }
}

pub(crate) fn io_error(doing: String, source: &std::io::Error) -> KernelError {
    KernelError::Os { doing, errno: Errno::from_io_error(source).unwrap_or(Errno::IO) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn stat_does_not_follow_a_link() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "four").unwrap();
        symlink("file", dir.path().join("link")).unwrap();
        let kind = |name: &str| stat(&dir.path().join(name)).unwrap().map(|stat| (stat.kind, stat.size));
        assert_eq!(kind("file"), Some((FileKind::File, 4)));
        assert_eq!(kind("link"), Some((FileKind::Symlink, 4)));
        assert_eq!(kind("nothing"), None);
        assert_eq!(kind("no/thing"), None);
        assert_eq!(kind("file/below"), None);
        assert_eq!(kind("link/"), Some((FileKind::Symlink, 4)));
        assert_eq!(kind("file/."), Some((FileKind::File, 4)));
        assert!(matches!(stat(&dir.path().join("../file")), Err(KernelError::Invalid(_))));
    }

    #[test]
    fn read_stops_at_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "four").unwrap();
        assert_eq!(read(&file, 4).unwrap(), b"four");
        assert_eq!(
            read(&file, 3).unwrap_err(),
            KernelError::Invalid(format!("{} holds more than 3 bytes", file.display()))
        );
        assert!(matches!(read(dir.path(), 3), Err(KernelError::Invalid(_))));
        assert!(matches!(read(&dir.path().join("nothing"), 3), Err(KernelError::NotFound(_))));
    }

    #[test]
    fn write_gives_a_new_file_its_mode_and_leaves_an_old_one_its_own_without_set_id() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        write(&file, b"one", 0o640, FileLifetime::Durable).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & PERMISSIONS, 0o640);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o4755)).unwrap();
        write(&file, b"two", 0o600, FileLifetime::UntilReboot).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & PERMISSIONS, 0o755);
        assert_eq!(crate::files::list_directory(dir.path()).unwrap(), ["file"]);
    }

    #[test]
    fn write_replaces_no_directory_and_no_link_of_others() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(dir.path().join("target"), "kept").unwrap();
        symlink("target", dir.path().join("link")).unwrap();
        assert!(matches!(write(dir.path(), b"", 0o600, FileLifetime::Durable), Err(KernelError::Invalid(_))));
        assert!(matches!(
            write(&dir.path().join("link"), b"gone", 0o600, FileLifetime::Durable),
            Err(KernelError::Invalid(_))
        ));
        assert_eq!(fs::read(dir.path().join("target")).unwrap(), b"kept");
    }

    #[test]
    fn allocate_grows_and_never_shrinks() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        for (size, grown, expected) in [(1 << 20, true, 1 << 20), (4096, false, 1 << 20), (2 << 20, true, 2 << 20)] {
            assert_eq!(allocate(&image, size).unwrap(), grown);
            assert_eq!(fs::metadata(&image).unwrap().len(), expected);
        }
        assert_eq!(fs::metadata(&image).unwrap().blocks(), 0, "sparse");
        assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & PERMISSIONS, 0o600);
    }
}
