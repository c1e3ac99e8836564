//! The imports of `wit/files.wit`.

use super::{ImportResult, not_found, os};
use crate::bindings::hostler::driver::files::Metadata;
use crate::errno::{EISDIR, ENOTDIR, ENOTEMPTY};
use crate::fake::Host;
use crate::fake::world::{FileNode, HostState};
use crate::files::FileKind;

pub(crate) fn stat(path: &str) -> ImportResult<Option<Metadata>> {
    Host::read("files.stat", path, |world| {
        let path = &through_links(world, bound(world, path));
        // The position in the tree serves as the inode: stable while nothing is added before it.
        let inode = world.files.keys().take_while(|known| *known != path).count() as u64;
        Ok(world.files.get(path).map(|node| metadata(node, inode)))
    })
}

pub(crate) fn real_path(path: &str) -> ImportResult<Option<String>> {
    Host::read("files.real-path", path, |world| {
        let real = match world.symlinks.get(path) {
            Some(to) => to.clone(),
            None => through_links(world, path),
        };
        Ok(Some(real).filter(|real| world.files.contains_key(real)))
    })
}

/// The path with the link followed that is above it.
fn through_links(world: &HostState, path: &str) -> String {
    let above = world.symlinks.iter().find(|(link, _)| path.starts_with(&format!("{link}/")));
    above.map_or_else(|| path.to_owned(), |(link, to)| path.replacen(link, to, 1))
}

/// The path that a bind mount shows: its source directory.
fn bound<'a>(world: &'a HostState, path: &'a str) -> &'a str {
    let top = world.mounts.iter().rev().find(|entry| entry.target == path);
    top.filter(|entry| entry.fstype == "bind").map_or(path, |entry| &entry.source)
}

fn metadata(node: &FileNode, inode: u64) -> Metadata {
    // There is no table of users: an owner that is not a number is the first ordinary one.
    let number = |name: &str| if name == "root" { 0 } else { name.parse().unwrap_or(1000) };
    let kind = match node.kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Symlink => "symlink",
        FileKind::Block => "block",
        FileKind::Other => "socket",
    };
    Metadata {
        kind: kind.to_owned(),
        size: node.size,
        mode: node.mode,
        uid: number(&node.user),
        gid: number(&node.group),
        user: Some(node.user.clone()),
        group: Some(node.group.clone()),
        // There is one file system, so the inode alone identifies a file.
        device: 1,
        inode,
    }
}

pub(crate) fn read(path: &str) -> ImportResult<Vec<u8>> {
    Host::read("files.read", path, |world| match world.files.get(path) {
        Some(node) if node.kind == FileKind::Directory => os(EISDIR, path),
        Some(node) => Ok(node.content.clone()),
        None => not_found(path),
    })
}

pub(crate) fn list_directory(path: &str) -> ImportResult<Vec<String>> {
    Host::read("files.list-directory", path, |world| {
        match world.files.get(path) {
            Some(node) if node.kind != FileKind::Directory => return os(ENOTDIR, path),
            Some(_) => {}
            None => return not_found(path),
        }
        let below = format!("{}/", path.trim_end_matches('/'));
        let names = world.files.keys().filter_map(|known| known.strip_prefix(&below));
        Ok(names.filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned).collect())
    })
}

pub(crate) fn write(path: &str, content: &[u8], mode: u32) -> ImportResult<()> {
    Host::current("files.write").hold_mode("files.write", path, mode);
    Host::mutate("files.write", path, |world| {
        parent_exists(world, path)?;
        // Only a new file gets the mode, as the contract says.
        let node = world.files.entry(path.to_owned()).or_insert_with(|| FileNode::of(FileKind::File, 0, mode));
        node.content = content.to_vec();
        node.size = content.len() as u64;
        world.changes += 1;
        Ok(())
    })
}

pub(crate) fn allocate(path: &str, size: u64) -> ImportResult<()> {
    Host::mutate("files.allocate", path, |world| {
        parent_exists(world, path)?;
        let node = world.files.entry(path.to_owned()).or_insert_with(|| FileNode::of(FileKind::File, 0, 0o600));
        // A larger file is neither shortened nor counted as a change.
        if node.size < size {
            node.size = size;
            world.changes += 1;
        }
        Ok(())
    })
}

fn parent_exists(world: &HostState, path: &str) -> ImportResult<()> {
    let parent = path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
    // The root exists even on a host without any file.
    if parent == "/" || world.files.contains_key(parent) { Ok(()) } else { not_found(parent) }
}

pub(crate) fn make_directory(path: &str, mode: u32) -> ImportResult<bool> {
    Host::mutate("files.make-directory", path, |world| {
        match world.files.get(path) {
            Some(node) if node.kind == FileKind::Directory => return Ok(false),
            Some(_) => return os(ENOTDIR, path),
            None => {}
        }
        world.make_parents(path);
        world.files.insert(path.to_owned(), FileNode::of(FileKind::Directory, 4096, mode));
        world.changes += 1;
        Ok(true)
    })
}

pub(crate) fn remove(path: &str) -> ImportResult<bool> {
    Host::mutate("files.remove", path, |world| {
        if world.has_children(path) {
            return os(ENOTEMPTY, path);
        }
        let removed = world.files.remove(path).is_some();
        // An image file takes the file system in it along.
        world.signatures.remove(path);
        world.changes += u32::from(removed);
        Ok(removed)
    })
}

pub(crate) fn remove_tree(path: &str) -> ImportResult<bool> {
    Host::mutate("files.remove-tree", path, |world| {
        let below = format!("{}/", path.trim_end_matches('/'));
        let removed = world.files.contains_key(path);
        world.files.retain(|known, _| known != path && !known.starts_with(&below));
        world.changes += u32::from(removed);
        Ok(removed)
    })
}

pub(crate) fn set_mode(path: &str, mode: u32) -> ImportResult<()> {
    let host = Host::current("files.set-mode");
    // Of a directory the bits give only what is made in it its group.
    if host.change(|world| world.files.get(path).is_some_and(|node| node.kind == FileKind::File)) {
        host.hold_mode("files.set-mode", path, mode);
    }
    Host::mutate("files.set-mode", path, |world| change(world, path, |node| node.mode = mode))
}

pub(crate) fn set_owner(path: &str, user: Option<&str>, group: Option<&str>) -> ImportResult<()> {
    Host::current("files.set-owner").hold_group("files.set-owner", path, user, group);
    Host::mutate("files.set-owner", path, |world| {
        change(world, path, |node| {
            if let Some(user) = user {
                node.user = user.to_owned();
            }
            if let Some(group) = group {
                node.group = group.to_owned();
            }
        })
    })
}

fn change(world: &mut HostState, path: &str, change: impl FnOnce(&mut FileNode)) -> ImportResult<()> {
    let Some(node) = world.files.get_mut(path) else { return not_found(path) };
    // Counted even if nothing differs. The host is milder, but a driver should look before it sets.
    change(node);
    world.changes += 1;
    Ok(())
}
