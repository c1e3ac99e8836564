//! Files and directories. Grants: `files.read`, `files.write`. Paths are absolute.

use std::path::{Path, PathBuf};

use super::{CapabilityResult, host, text};
use crate::Mode;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A block device.
    Block,
    /// A character device, a pipe, a socket.
    Other,
}

/// The attributes of a file, from stat(2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// The kind of the file.
    pub kind: FileKind,
    /// The size in bytes.
    pub size: u64,
    /// The permission bits.
    pub mode: Mode,
    /// The number of the owner.
    pub uid: u32,
    /// The number of the group.
    pub gid: u32,
    /// The owner's name, if the number has one.
    pub user: Option<String>,
    /// The group's name, if the number has one.
    pub group: Option<String>,
    /// The device number of the file system and the inode number: together they identify the file.
    pub identity: (u64, u64),
}

/// The attributes of the path itself, without following a symbolic link. None if nothing is there.
pub fn stat(path: impl AsRef<Path>) -> CapabilityResult<Option<FileStat>> {
    Ok(host::files::stat(&text(&path))?.map(|stat| FileStat {
        kind: match stat.kind.as_str() {
            "file" => FileKind::File,
            "directory" => FileKind::Directory,
            "symlink" => FileKind::Symlink,
            "block" => FileKind::Block,
            // The kinds are words in the contract, and there may be more of them later.
            _ => FileKind::Other,
        },
        size: stat.size,
        mode: Mode(stat.mode),
        uid: stat.uid,
        gid: stat.gid,
        user: stat.user,
        group: stat.group,
        identity: (stat.device, stat.inode),
    }))
}

/// The path with all its symbolic links followed, as the kernel writes it in its tables. None if it does not exist.
pub fn real_path(path: impl AsRef<Path>) -> CapabilityResult<Option<PathBuf>> {
    Ok(host::files::real_path(&text(&path))?.map(PathBuf::from))
}

/// Whether something exists at the path.
pub fn exists(path: impl AsRef<Path>) -> CapabilityResult<bool> {
    Ok(stat(path)?.is_some())
}

/// Whether the path is a directory.
pub fn is_directory(path: impl AsRef<Path>) -> CapabilityResult<bool> {
    Ok(stat(path)?.is_some_and(|stat| stat.kind == FileKind::Directory))
}

/// The content of a file. More than 16 MiB is an error.
pub fn read(path: impl AsRef<Path>) -> CapabilityResult<Vec<u8>> {
    Ok(host::files::read(&text(&path))?)
}

/// The content of a file as text. Bytes that are not UTF-8 become U+FFFD.
pub fn read_text(path: impl AsRef<Path>) -> CapabilityResult<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// The names in a directory, sorted.
pub fn list_directory(path: impl AsRef<Path>) -> CapabilityResult<Vec<String>> {
    Ok(host::files::list_directory(&text(&path))?)
}

/// Replaces the content atomically: the host writes a temporary file, syncs it and renames it. A new file gets `mode`.
pub fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: Mode) -> CapabilityResult<()> {
    Ok(host::files::write(&text(&path), content.as_ref(), mode.0)?)
}

/// Creates a sparse file of `size` bytes, or grows a smaller file. It never shrinks a file.
pub fn allocate(path: impl AsRef<Path>, size: crate::Size) -> CapabilityResult<()> {
    Ok(host::files::allocate(&text(&path), size.as_bytes())?)
}

/// Creates a directory and its missing parents. True if it created any. An existing directory keeps its mode.
pub fn make_directory(path: impl AsRef<Path>, mode: Mode) -> CapabilityResult<bool> {
    Ok(host::files::make_directory(&text(&path), mode.0)?)
}

/// Removes a file or an empty directory. False if it did not exist.
pub fn remove(path: impl AsRef<Path>) -> CapabilityResult<bool> {
    Ok(host::files::remove(&text(&path))?)
}

/// Removes a directory and everything below it, without crossing into other file systems. False if it did not exist.
pub fn remove_tree(path: impl AsRef<Path>) -> CapabilityResult<bool> {
    Ok(host::files::remove_tree(&text(&path))?)
}

/// Sets the permission bits, see chmod(2).
pub fn set_mode(path: impl AsRef<Path>, mode: Mode) -> CapabilityResult<()> {
    Ok(host::files::set_mode(&text(&path), mode.0)?)
}

/// Sets the owner and the group, by name or number; None leaves one as it is. See chown(2).
pub fn set_owner(path: impl AsRef<Path>, user: Option<&str>, group: Option<&str>) -> CapabilityResult<()> {
    Ok(host::files::set_owner(&text(&path), user, group)?)
}
