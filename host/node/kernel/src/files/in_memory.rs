//! Whether a path leads to nothing but memory, so that no call with it ever waits: not for a disk, and not for a server that
//! is gone.

use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, StatFs};
use rustix::io::Errno;

/// Where flags and devices are. On every Linux these are tmpfs and devtmpfs, which is one, too.
const TREES: [&str; 2] = ["/dev/shm", "/dev"];

const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Whether the path stays within a tree that is in memory, whatever is there. One that crosses a mount or a link may end
/// anywhere, and counts as outside.
///
/// For those who choose where to make a call, not whether: the answer may be outdated when it is used.
pub fn is_in_memory(path: &Path) -> bool {
    let Some((tree, inside)) = TREES.iter().find_map(|tree| Some((tree, path.strip_prefix(tree).ok()?))) else {
        return false;
    };
    let pinned = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(tree) = rustix::fs::open(*tree, pinned, Mode::empty()) else { return false };
    if !rustix::fs::fstatfs(&tree).is_ok_and(is_tmpfs) {
        return false;
    }
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    // Where there is nothing, a call finds nothing, at once.
    matches!(rustix::fs::openat2(&tree, inside, pinned, Mode::empty(), within), Ok(_) | Err(Errno::NOENT))
}

fn is_tmpfs(tree: StatFs) -> bool {
    // The type of the field differs between architectures.
    tree.f_type as u64 == TMPFS_MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_tree_is_outside() {
        let shm = Path::new("/dev/shm");
        let Ok(dir) = tempfile::tempdir_in(shm) else { return crate::tests::skipped("no /dev/shm") };
        std::fs::write(dir.path().join("flag"), "").unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("out")).unwrap();
        let check = |path: &Path, expected: bool| assert_eq!(is_in_memory(path), expected, "{}", path.display());
        check(&dir.path().join("flag"), true);
        check(&dir.path().join("none"), true);
        check(&dir.path().join("none/none"), true);
        check(&dir.path().join("out/etc"), false);
        check(&dir.path().join("../../etc"), false);
        check(Path::new("/dev/null"), true);
        check(Path::new("/dev/stdin/x"), false);
        check(Path::new("/etc/passwd"), false);
        check(Path::new("dev/null"), false);
    }

    #[test]
    fn what_is_mounted_within_is_outside() {
        let Some(_private) = crate::tests::Sandbox::new() else { return };
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        assert!(is_in_memory(dir.path()));
        let none = None::<&str>;
        nix::mount::mount(none, dir.path(), Some("tmpfs"), nix::mount::MsFlags::empty(), none).unwrap();
        assert!(!is_in_memory(dir.path()));
        assert!(!is_in_memory(&dir.path().join("x")));
        nix::mount::umount(dir.path()).unwrap();
    }
}
