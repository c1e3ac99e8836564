//! Walks through directories that others can write, through closed ones, and through ones that are swapped.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::walk::is_link;
use super::*;
use crate::KernelError;

/// A directory that only root and the agent's own user can change, and so are all above it. None if this machine has none.
fn closed_directory() -> Option<tempfile::TempDir> {
    ["/root", "/home", "/var/lib"].iter().find_map(|base| {
        let place = resolve(&Path::new(base).join("x"), LastLink::Keep).ok()?;
        place.trusted().then(|| tempfile::tempdir_in(base).ok()).flatten()
    })
}

fn inode(place: &PinnedPath) -> u64 {
    rustix::fs::fstat(place.existing().unwrap()).unwrap().st_ino
}

#[test]
fn a_path_that_is_not_plain_and_absolute_is_refused() {
    for (path, reason) in [("etc", "not an absolute"), ("", "not an absolute"), ("/a/../b", "`..`"), ("/a\0b", "NUL")] {
        let error = resolve(Path::new(path), LastLink::Follow).unwrap_err();
        assert!(matches!(&error, KernelError::Invalid(text) if text.contains(reason)), "{path:?}: {error}");
    }
}

#[test]
fn the_root_is_found_in_itself() {
    let place = resolve(Path::new("/"), LastLink::Follow).unwrap();
    assert_eq!((place.path(), place.name()), (Path::new("/"), OsStr::new(".")));
    assert_eq!(inode(&place), fs::metadata("/").unwrap().ino());
}

#[test]
fn links_below_a_directory_that_others_can_write_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    symlink("/etc", dir.path().join("link")).unwrap();
    for path in ["link", "link/passwd"] {
        let error = resolve(&dir.path().join(path), LastLink::Follow).unwrap_err();
        assert!(error.to_string().contains("others can write"), "{path}: {error}");
    }
    assert!(open_node(&dir.path().join("link/passwd")).unwrap_err().to_string().contains("others can write"));
    let kept = resolve(&dir.path().join("link"), LastLink::Keep).unwrap();
    assert!(is_link(kept.node.as_ref().unwrap()).unwrap());
}

#[test]
fn links_in_a_closed_tree_are_followed_and_their_dots_too() {
    let Some(dir) = closed_directory() else {
        return crate::tests::skipped("no directory here is closed to others");
    };
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::write(dir.path().join("a/file"), "").unwrap();
    symlink("../file", dir.path().join("a/b/up")).unwrap();
    symlink(dir.path().join("a/b"), dir.path().join("far")).unwrap();
    symlink("..", dir.path().join("a/b/dots")).unwrap();
    for (path, real) in [("far/up", "a/file"), ("a/b/up", "a/file"), ("a/b/dots", "a"), ("far/dots/b", "a/b")] {
        let place = resolve(&dir.path().join(path), LastLink::Follow).unwrap();
        assert_eq!(place.path(), dir.path().join(real), "{path}");
        assert_eq!(inode(&place), fs::metadata(dir.path().join(real)).unwrap().ino(), "{path}");
    }
    symlink("loop", dir.path().join("loop")).unwrap();
    let error = resolve(&dir.path().join("loop"), LastLink::Follow).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::LOOP.raw_os_error()));
}

#[test]
fn a_file_that_is_opened_without_its_directory_is_the_same_one() {
    let Some(dir) = closed_directory() else {
        return crate::tests::skipped("no directory here is closed to others");
    };
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    fs::write(dir.path().join("a/file"), "").unwrap();
    symlink("a", dir.path().join("link")).unwrap();
    for path in
        ["a", "a/", "a/file", "a/./file", "a/file/", "link", "link/file", "link/b/", "none", "none/none", "link/none"]
    {
        let path = dir.path().join(path);
        let inode = |node: &std::os::fd::OwnedFd| rustix::fs::fstat(node).unwrap().st_ino;
        let resolved = resolve(&path, LastLink::Keep).ok().and_then(|place| place.node);
        assert_eq!(open_node(&path).unwrap().as_ref().map(inode), resolved.as_ref().map(inode), "{}", path.display());
    }
    assert!(open_node(&dir.path().join("a/file/below")).unwrap().is_none());
}

#[test]
fn a_directory_swapped_after_the_walk_redirects_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (asked, moved) = (dir.path().join("asked"), dir.path().join("moved"));
    fs::create_dir(&asked).unwrap();
    let place = resolve(&asked.join("new"), LastLink::Follow).unwrap();
    fs::rename(&asked, &moved).unwrap();
    symlink("/etc", &asked).unwrap();
    rustix::fs::mkdirat(place.parent(), place.name(), Mode::from_raw_mode(0o755)).unwrap();
    assert!(moved.join("new").is_dir());
}

#[test]
fn a_missing_last_component_is_accepted_and_a_missing_directory_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let place = resolve(&dir.path().join("new"), LastLink::Follow).unwrap();
    assert!(place.node().is_none());
    let error = resolve(&dir.path().join("no/new"), LastLink::Follow).unwrap_err();
    assert_eq!(error, KernelError::NotFound(dir.path().join("no")));
}
