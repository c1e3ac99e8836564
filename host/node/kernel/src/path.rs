//! Paths, walked one component at a time and then used by descriptor.
//!
//! Whoever can write in a directory can put a symbolic link there, and so send root wherever they like. So a link is
//! followed only by the rule of sshd's StrictModes: every directory up to it, and the link itself, must belong to root
//! (or to the agent's own user) and be writable by nobody else. That lets `/dev/vg/lv` and `/bin` through, and nothing
//! below `/tmp` or a home. What was found stays pinned: renaming a directory after the walk redirects nothing.
//!
//! openat2(2) can refuse all links or follow all of them, but cannot tell these two kinds apart. So it is asked first, to refuse
//! all; only where there are some, the path is walked.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::Error;

/// As many links as the kernel itself follows, see path_resolution(7).
const MAX_LINKS: usize = 40;

const PIN: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What to do with a symbolic link at the very end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLink {
    /// Follow it, where links may be followed.
    Follow,
    /// It is what was asked for.
    Keep,
}

/// Where a path leads: a pinned directory, a name in it, and what is there, pinned as well.
#[derive(Debug)]
pub struct Place {
    parent: OwnedFd,
    name: OsString,
    node: Option<OwnedFd>,
    path: PathBuf,
}

impl Place {
    /// The directory, for the `*at` calls.
    pub fn parent(&self) -> BorrowedFd<'_> {
        self.parent.as_fd()
    }

    /// The name in that directory.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// What is there, opened with O_PATH, or none if the directory has no such name.
    pub fn node(&self) -> Option<BorrowedFd<'_>> {
        self.node.as_ref().map(AsFd::as_fd)
    }

    /// What is there, or [`Error::NotFound`].
    pub fn existing(&self) -> Result<BorrowedFd<'_>, Error> {
        self.node().ok_or_else(|| Error::NotFound(self.path.clone()))
    }

    /// The path with all links resolved, as the kernel spells it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads here, and nobody but root (and the agent's own user) can change that.
    pub fn trusted(&self) -> bool {
        let Some(parent) = self.path.parent() else { return true };
        let ours = |path: &Path| no_links(path).is_ok_and(|directory| only_ours(&directory).unwrap_or(false));
        let here = || -> Result<bool, Errno> {
            Ok(same(rustix::fs::fstat(no_links(parent)?)?, rustix::fs::fstat(&self.parent)?))
        };
        parent.ancestors().all(ours) && here().unwrap_or(false)
    }

    /// Opens what is there, and nothing that took its place in the meantime.
    pub fn open(&self, flags: OFlags) -> Result<OwnedFd, Error> {
        reopen(self.existing()?, flags).map_err(Error::os(format!("open {}", self.path.display())))
    }
}

/// The name of a descriptor for the calls that take paths only.
pub fn descriptor_path(fd: impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Opens for use what a descriptor pins.
pub(crate) fn reopen(pinned: impl AsFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::open(descriptor_path(pinned), flags | OFlags::CLOEXEC, Mode::empty())
}

/// Follows `path` as far as it may be followed. The last component need not exist, all others must.
pub fn resolve(path: &Path, last: LastLink) -> Result<Place, Error> {
    let names = components(path)?;
    match straight(&names, last) {
        Some(place) => place,
        None => walk(names, last),
    }
}

/// The way without any link. None: there are some, or the walk can say better what is wrong.
fn straight(names: &VecDeque<OsString>, last: LastLink) -> Option<Result<Place, Error>> {
    let path: PathBuf = std::iter::once(OsStr::new("/")).chain(names.iter().map(OsString::as_os_str)).collect();
    let directory = path.parent()?;
    let parent = match no_links(directory) {
        Ok(parent) => parent,
        Err(Errno::NOENT) => return Some(Err(Error::NotFound(first_missing(directory)))),
        Err(_) => return None,
    };
    let name = names.back()?.clone();
    let node = match rustix::fs::openat(&parent, &name, PIN, Mode::empty()) {
        Ok(node) if last == LastLink::Follow && is_link(&node).ok()? => return None,
        Ok(node) => Some(node),
        Err(Errno::NOENT) => None,
        Err(_) => return None,
    };
    Some(Ok(Place { parent, name, node, path }))
}

/// The directory above which everything is there.
fn first_missing(directory: &Path) -> PathBuf {
    let is_below_nothing =
        |path: &&Path| path.parent().is_some_and(|above| matches!(no_links(above), Err(Errno::NOENT)));
    directory.ancestors().find(|path| !is_below_nothing(path)).unwrap_or(directory).to_owned()
}

/// The directory, if no link is on the way to it.
fn no_links(directory: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::openat2(CWD, directory, PIN | OFlags::DIRECTORY, Mode::empty(), ResolveFlags::NO_SYMLINKS)
}

fn same(one: Stat, other: Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

fn walk(mut pending: VecDeque<OsString>, last: LastLink) -> Result<Place, Error> {
    let mut walk = Walk::from_root()?;
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        let at_end = pending.is_empty();
        match walk.look(&name, at_end)? {
            Found::Nothing if at_end => return walk.place(name, None),
            Found::Nothing => return Err(Error::NotFound(walk.path.join(name))),
            Found::Up => walk.leave(),
            Found::Link(link, _) if at_end && last == LastLink::Keep => return walk.place(name, Some(link)),
            Found::Link(link, target) => {
                links += 1;
                walk.may_follow(&name, &link, links)?;
                if target.as_bytes().starts_with(b"/") {
                    walk = Walk::from_root()?;
                }
                let target = target.as_bytes().split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
                target.rev().for_each(|part| pending.push_front(OsStr::from_bytes(part).to_owned()));
            }
            Found::Node(node) if at_end => return walk.place(name, Some(node)),
            Found::Node(node) => walk.enter(name, node)?,
        }
    }
    walk.place_here()
}

/// The components of an absolute path without `..`, as the capabilities take it.
fn components(path: &Path) -> Result<VecDeque<OsString>, Error> {
    let invalid = |reason: &str| Err(Error::Invalid(format!("{:?} {reason}", path.display().to_string())));
    if path.as_os_str().as_bytes().contains(&0) {
        return invalid("holds a NUL");
    }
    if !path.is_absolute() {
        return invalid("is no absolute path");
    }
    let mut names = VecDeque::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push_back(name.to_owned()),
            Component::ParentDir => return invalid("holds `..`"),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(names)
}

enum Found {
    Nothing,
    /// `..`, from the text of a link.
    Up,
    /// A link and its text.
    Link(OwnedFd, OsString),
    Node(OwnedFd),
}

/// The directories from the root to where we are.
struct Walk {
    stack: Vec<Directory>,
    path: PathBuf,
}

struct Directory {
    fd: OwnedFd,
    trusted: bool,
}

impl Walk {
    fn from_root() -> Result<Walk, Error> {
        let fd = rustix::fs::open("/", PIN | OFlags::DIRECTORY, Mode::empty()).map_err(Error::os("open /"))?;
        let trusted = only_ours(&fd).map_err(Error::os("look at /"))?;
        Ok(Walk { stack: vec![Directory { fd, trusted }], path: PathBuf::from("/") })
    }

    /// `from_root` pushes and `leave` keeps the first, so there always is one.
    fn here(&self) -> &Directory {
        &self.stack[self.stack.len() - 1]
    }

    fn look(&self, name: &OsStr, at_end: bool) -> Result<Found, Error> {
        if name == ".." {
            return Ok(Found::Up);
        }
        let doing = || format!("open {}", self.path.join(name).display());
        // O_DIRECTORY makes the kernel mount what an automounter serves, as a walk of its own would.
        let flags = if at_end { PIN } else { PIN | OFlags::DIRECTORY };
        match rustix::fs::openat(&self.here().fd, name, flags, Mode::empty()) {
            Ok(fd) if at_end && is_link(&fd).map_err(Error::os(doing()))? => self.link(name, fd),
            Ok(fd) => Ok(Found::Node(fd)),
            Err(Errno::NOENT) => Ok(Found::Nothing),
            Err(Errno::NOTDIR) => {
                let fd = rustix::fs::openat(&self.here().fd, name, PIN, Mode::empty()).map_err(Error::os(doing()))?;
                match is_link(&fd) {
                    Ok(true) => self.link(name, fd),
                    _ => Err(Error::Os { doing: doing(), errno: Errno::NOTDIR }),
                }
            }
            Err(errno) => Err(Error::Os { doing: doing(), errno }),
        }
    }

    fn link(&self, name: &OsStr, fd: OwnedFd) -> Result<Found, Error> {
        let text = rustix::fs::readlinkat(&fd, "", Vec::new())
            .map_err(Error::os(format!("read the link {}", self.path.join(name).display())))?;
        Ok(Found::Link(fd, OsString::from_vec(text.into_bytes())))
    }

    fn may_follow(&self, name: &OsStr, link: &OwnedFd, links: usize) -> Result<(), Error> {
        let path = self.path.join(name);
        let owner = rustix::fs::fstat(link).map_err(Error::os(format!("look at {}", path.display())))?.st_uid;
        if !self.here().trusted || !is_ours(owner) {
            return Err(Error::Invalid(format!(
                "{} is a symbolic link in a place that others can write: not followed",
                path.display()
            )));
        }
        if links > MAX_LINKS {
            return Err(Error::Os { doing: format!("follow {}", path.display()), errno: Errno::LOOP });
        }
        Ok(())
    }

    fn enter(&mut self, name: OsString, fd: OwnedFd) -> Result<(), Error> {
        self.path.push(name);
        let ours = only_ours(&fd).map_err(Error::os(format!("look at {}", self.path.display())))?;
        let trusted = ours && self.here().trusted;
        self.stack.push(Directory { fd, trusted });
        Ok(())
    }

    fn leave(&mut self) {
        if self.stack.len() > 1 {
            self.stack.pop();
            self.path.pop();
        }
    }

    fn place(mut self, name: OsString, node: Option<OwnedFd>) -> Result<Place, Error> {
        let path = self.path.join(&name);
        let last = self.stack.len() - 1;
        let parent = self.stack.swap_remove(last).fd;
        Ok(Place { parent, name, node, path })
    }

    /// The path ended in a directory that the walk has entered already: `/`, or a link to `..`.
    fn place_here(mut self) -> Result<Place, Error> {
        let name = self.path.file_name().unwrap_or(OsStr::new(".")).to_owned();
        let path = self.path.clone();
        let node = self.here().fd.try_clone().map_err(|source| Error::Os {
            doing: format!("open {}", path.display()),
            errno: Errno::from_io_error(&source).unwrap_or(Errno::IO),
        })?;
        self.leave();
        let place = self.place(name, Some(node))?;
        Ok(Place { path, ..place })
    }
}

fn is_link(fd: &OwnedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode) == FileType::Symlink)
}

/// Whether nobody but root and ourselves can change what is in the directory.
fn only_ours(fd: &OwnedFd) -> Result<bool, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(is_ours(stat.st_uid) && stat.st_mode & 0o022 == 0)
}

/// Root, ourselves, or whoever owns `/`: who can put another tree there needs no tricks below it. Inside a user namespace
/// that leaves root out, its files belong to the overflow uid, and this is how they are known.
pub(crate) fn is_ours(uid: u32) -> bool {
    let owns_the_tree = || rustix::fs::stat("/").is_ok_and(|root| root.st_uid == uid);
    uid == 0 || uid == rustix::process::geteuid().as_raw() || owns_the_tree()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    /// A directory whose parents all are root's or ours and closed to others, or none if this machine has none.
    fn closed_directory() -> Option<tempfile::TempDir> {
        ["/root", "/home", "/var/lib"].iter().find_map(|base| {
            let place = resolve(&Path::new(base).join("x"), LastLink::Keep).ok()?;
            place.trusted().then(|| tempfile::tempdir_in(base).ok()).flatten()
        })
    }

    fn inode(place: &Place) -> u64 {
        rustix::fs::fstat(place.existing().unwrap()).unwrap().st_ino
    }

    #[test]
    fn what_is_no_plain_absolute_path_is_refused() {
        for (path, reason) in [("etc", "no absolute"), ("", "no absolute"), ("/a/../b", "`..`"), ("/a\0b", "NUL")] {
            let error = resolve(Path::new(path), LastLink::Follow).unwrap_err();
            assert!(matches!(&error, Error::Invalid(text) if text.contains(reason)), "{path:?}: {error}");
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
        let kept = resolve(&dir.path().join("link"), LastLink::Keep).unwrap();
        assert!(is_link(kept.node.as_ref().unwrap()).unwrap());
    }

    #[test]
    fn links_in_a_closed_tree_are_followed_and_their_dots_too() {
        let Some(dir) = closed_directory() else {
            return crate::real_kernel::skipped("no directory here is closed to others");
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
    fn a_missing_end_is_a_place_and_a_missing_middle_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let place = resolve(&dir.path().join("new"), LastLink::Follow).unwrap();
        assert!(place.node().is_none());
        let error = resolve(&dir.path().join("no/new"), LastLink::Follow).unwrap_err();
        assert_eq!(error, Error::NotFound(dir.path().join("no")));
    }
}
