//! Files and directories. Grants: `files.read`, `files.write`. Paths are absolute.

use std::path::Path;

use super::{Answer, host, text};
use crate::Mode;

/// What a path is.
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

/// What stat(2) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// In bytes.
    pub size: u64,
    /// The permission bits.
    pub mode: Mode,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// The owner's name, if the number has one.
    pub user: Option<String>,
    /// The group's name, if the number has one.
    pub group: Option<String>,
    /// The number of the file system, and of the file in it.
    pub identity: (u64, u64),
}

/// Of the path itself, or none if there is nothing.
pub fn stat(path: impl AsRef<Path>) -> Answer<Option<Stat>> {
    Ok(host::files::stat(&text(&path))?.map(|stat| Stat {
        kind: match stat.kind.as_str() {
            "file" => FileKind::File,
            "directory" => FileKind::Directory,
            "symlink" => FileKind::Symlink,
            "block" => FileKind::Block,
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

/// Whether there is anything at the path.
pub fn exists(path: impl AsRef<Path>) -> Answer<bool> {
    Ok(stat(path)?.is_some())
}

/// Whether the path is a directory.
pub fn is_directory(path: impl AsRef<Path>) -> Answer<bool> {
    Ok(stat(path)?.is_some_and(|stat| stat.kind == FileKind::Directory))
}

/// The whole content. More than 16 MiB is an error.
pub fn read(path: impl AsRef<Path>) -> Answer<Vec<u8>> {
    Ok(host::files::read(&text(&path))?)
}

/// The whole content as text; what is no UTF-8 becomes U+FFFD.
pub fn read_text(path: impl AsRef<Path>) -> Answer<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// The names in a directory, sorted.
pub fn list_directory(path: impl AsRef<Path>) -> Answer<Vec<String>> {
    Ok(host::files::list_directory(&text(&path))?)
}

/// Replaces the content: written beside, synced, renamed over. A new file gets `mode`.
pub fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>, mode: Mode) -> Answer<()> {
    Ok(host::files::write(&text(&path), content.as_ref(), mode.0)?)
}

/// Makes a sparse file of `size` bytes, or grows a smaller one. Never shrinks.
pub fn allocate(path: impl AsRef<Path>, size: crate::Size) -> Answer<()> {
    Ok(host::files::allocate(&text(&path), size.as_bytes())?)
}

/// Makes a directory and the missing ones above it. True if it made any. An existing directory keeps its mode.
pub fn make_directory(path: impl AsRef<Path>, mode: Mode) -> Answer<bool> {
    Ok(host::files::make_directory(&text(&path), mode.0)?)
}

/// Removes a file or an empty directory. False if there was nothing.
pub fn remove(path: impl AsRef<Path>) -> Answer<bool> {
    Ok(host::files::remove(&text(&path))?)
}

/// Removes a directory and everything below it, without leaving its file system. False if there was nothing.
pub fn remove_tree(path: impl AsRef<Path>) -> Answer<bool> {
    Ok(host::files::remove_tree(&text(&path))?)
}

/// chmod(2).
pub fn set_mode(path: impl AsRef<Path>, mode: Mode) -> Answer<()> {
    Ok(host::files::set_mode(&text(&path), mode.0)?)
}

/// chown(2). Names or numbers; none leaves it.
pub fn set_owner(path: impl AsRef<Path>, user: Option<&str>, group: Option<&str>) -> Answer<()> {
    Ok(host::files::set_owner(&text(&path), user, group)?)
}
