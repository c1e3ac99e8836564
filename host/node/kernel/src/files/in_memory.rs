//! Whether a path leads to memory only, so that no call on it can block: neither for a disk, nor for a server that does not
//! answer. And whether it stays on the file system of a directory, on which its caller waits anyway.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, StatFs};
use rustix::io::Errno;

/// The trees of what a reboot empties, and of devices. On nearly every Linux they are tmpfs and devtmpfs, and devtmpfs is a tmpfs too.
const TREES: [&str; 3] = ["/run", "/dev/shm", "/dev"];

const TMPFS_MAGIC: u64 = 0x0102_1994;

/// Whether the path stays inside a tree that is in memory. A path that crosses a mount or a link may end anywhere, and
/// counts as outside.
///
/// The answer may be outdated when it is used. So it may decide on which thread a call is made, but not whether it is
/// allowed.
pub fn is_in_memory(path: &Path) -> bool {
    let Some((at, inside)) = TREES.iter().enumerate().find_map(|(at, tree)| Some((at, path.strip_prefix(tree).ok()?)))
    else {
        return false;
    };
    // NO_XDEV refuses mounts inside the tree, and NO_SYMLINKS links out of it.
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    PINNED.with(|pinned| {
        let Some(tree) = &pinned[at] else { return false };
        // A call on a missing path returns at once as well.
        matches!(rustix::fs::openat2(tree, inside, PIN, Mode::empty(), within), Ok(_) | Err(Errno::NOENT))
    })
}

/// Whether the path stays below the directory and on its mount. As above, the answer may be outdated when it is used.
pub fn stays_within(directory: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(directory) else { return false };
    let opened = rustix::fs::openat2(CWD, directory, PIN | OFlags::DIRECTORY, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let directory = match opened {
        Ok(directory) => directory,
        // A call below a missing directory returns as soon as this one did.
        Err(Errno::NOENT) => return true,
        Err(_) => return false,
    };
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    matches!(rustix::fs::openat2(directory, inside, PIN, Mode::empty(), within), Ok(_) | Err(Errno::NOENT))
}

const PIN: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

thread_local! {
    /// The trees that are in memory, opened once because every call on a file asks for them. One set a thread: a thread may be
    /// in a mount namespace of its own.
    static PINNED: [Option<OwnedFd>; TREES.len()] = TREES.map(|tree| {
        let tree = rustix::fs::open(tree, PIN, Mode::empty()).ok()?;
        rustix::fs::fstatfs(&tree).is_ok_and(is_tmpfs).then_some(tree)
    });
}

fn is_tmpfs(tree: StatFs) -> bool {
    // The type of the field differs between architectures.
    tree.f_type as u64 == TMPFS_MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_tree_is_outside() {
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
    fn a_path_stays_within_a_directory_unless_a_link_or_a_mount_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("run")).unwrap();
        std::fs::write(dir.path().join("run/flag"), "").unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("run/out")).unwrap();
        std::os::unix::fs::symlink("run", dir.path().join("link")).unwrap();
        let check = |directory: &str, path: &str, expected: bool| {
            let (directory, path) = (dir.path().join(directory), dir.path().join(path));
            assert_eq!(stays_within(&directory, &path), expected, "{} in {}", path.display(), directory.display());
        };
        check("run", "run/flag", true);
        check("run", "run/none", true);
        check("run", "run/out/etc", false);
        check("run", "run/../flag", false);
        check("run", "other", false);
        check("link", "link/flag", false);
        check("none", "none/flag", true);
        check("link/none", "link/none/flag", false);
        assert!(!stays_within(Path::new("/"), Path::new("/proc/version")));
    }

    #[test]
    fn a_mount_inside_the_tree_is_outside() {
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
