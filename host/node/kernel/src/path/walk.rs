//! The walk from the root to the end of a path.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::judge::judge_link;
use super::pinned::{LastLink, PinnedPath};
use super::trust::{is_ours, only_ours};
use crate::KernelError;

/// As many links as the kernel itself follows, see path_resolution(7).
const MAX_LINKS: usize = 40;

const PIN: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Follows `path`, and the links in it that may be followed. The last component need not exist, all others must.
pub fn resolve(path: &Path, last: LastLink) -> Result<PinnedPath, KernelError> {
    let names = components(path)?;
    match straight(&names, last, first_missing) {
        Some(place) => place,
        None => walk(names, last),
    }
}

/// The same for callers that need not know which component is missing: to find that out takes several calls.
pub(crate) fn resolve_any(path: &Path, last: LastLink) -> Result<PinnedPath, KernelError> {
    let names = components(path)?;
    match straight(&names, last, Path::to_owned) {
        Some(place) => place,
        None => walk(names, last),
    }
}

/// Opens the file at a path, a link at its end not followed, for callers that do not need its directory. None if nothing is
/// there.
pub(crate) fn open_node(path: &Path) -> Result<Option<OwnedFd>, KernelError> {
    let names = components(path)?;
    // Without the slash at the end, which would ask for a directory.
    match rustix::fs::openat2(CWD, path.components().as_path(), PIN, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(node) => return Ok(Some(node)),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        // There is a link on the way, or the walk can explain the error better.
        Err(_) => {}
    }
    match walk(names, LastLink::Keep) {
        Ok(place) => Ok(place.node),
        Err(KernelError::NotFound(_) | KernelError::Os { errno: Errno::NOTDIR, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Resolves a path without any link. None if there is one, or if the walk can explain the error better. `missing` names the
/// missing component if it is not the last one.
fn straight(
    names: &VecDeque<OsString>,
    last: LastLink,
    missing: impl FnOnce(&Path) -> PathBuf,
) -> Option<Result<PinnedPath, KernelError>> {
    let path: PathBuf = std::iter::once(OsStr::new("/")).chain(names.iter().map(OsString::as_os_str)).collect();
    let directory = path.parent()?;
    let parent = match no_links(directory) {
        Ok(parent) => parent,
        Err(Errno::NOENT) => return Some(Err(KernelError::NotFound(missing(directory)))),
        Err(_) => return None,
    };
    let name = names.back()?.clone();
    let node = match rustix::fs::openat(&parent, &name, PIN, Mode::empty()) {
        Ok(node) if last == LastLink::Follow && is_link(&node).ok()? => return None,
        Ok(node) => Some(node),
        Err(Errno::NOENT) => None,
        Err(_) => return None,
    };
    Some(Ok(PinnedPath { parent, name, node, path }))
}

/// The topmost missing directory: all directories above it exist.
fn first_missing(directory: &Path) -> PathBuf {
    let is_below_nothing =
        |path: &&Path| path.parent().is_some_and(|above| matches!(no_links(above), Err(Errno::NOENT)));
    directory.ancestors().find(|path| !is_below_nothing(path)).unwrap_or(directory).to_owned()
}

/// Opens a directory. Fails with ELOOP if a link is on the way to it.
pub(super) fn no_links(directory: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::openat2(CWD, directory, PIN | OFlags::DIRECTORY, Mode::empty(), ResolveFlags::NO_SYMLINKS)
}

fn walk(mut pending: VecDeque<OsString>, last: LastLink) -> Result<PinnedPath, KernelError> {
    let mut walk = PathWalk::from_root()?;
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        let at_end = pending.is_empty();
        match walk.look(&name, at_end)? {
            PathComponent::Nothing if at_end => {
                judge_unless(links == 0, &walk.path.join(&name))?;
                return walk.place(name, None);
            }
            PathComponent::Nothing => return Err(KernelError::NotFound(walk.path.join(name))),
            PathComponent::Up => walk.leave(),
            PathComponent::Link(link, _) if at_end && last == LastLink::Keep => {
                judge_unless(links == 0, &walk.path.join(&name))?;
                return walk.place(name, Some(link));
            }
            PathComponent::Link(link, target) => {
                links += 1;
                walk.may_follow(&name, &link, links)?;
                // The rest of the path is relative to the root then. Whether that is trusted is decided anew on the way.
                if target.as_bytes().starts_with(b"/") {
                    walk = PathWalk::from_root()?;
                }
                let target = target.as_bytes().split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
                target.rev().for_each(|part| pending.push_front(OsStr::from_bytes(part).to_owned()));
            }
            PathComponent::Node(node) if at_end => {
                judge_unless(links == 0, &walk.path.join(&name))?;
                return walk.place(name, Some(node));
            }
            PathComponent::Node(node) => walk.enter(name, node)?,
        }
    }
    judge_unless(links == 0, &walk.path)?;
    walk.place_here()
}

fn judge_unless(straight: bool, real: &Path) -> Result<(), KernelError> {
    if straight { Ok(()) } else { judge_link(real) }
}

/// The place to which a path leads, as far as it exists: what is missing stands behind it as it is written. None if it cannot be
/// followed.
pub fn real_place(path: &Path) -> Option<PathBuf> {
    let mut missing = Vec::new();
    let mut existing = path;
    loop {
        match resolve(existing, LastLink::Follow) {
            Ok(place) => return Some(missing.iter().rev().fold(place.path().to_owned(), |path, name| path.join(name))),
            Err(KernelError::NotFound(_)) => {
                missing.push(existing.file_name()?.to_owned());
                existing = existing.parent()?;
            }
            Err(_) => return None,
        }
    }
}

/// The place to which a path leads that a program of root is to open by its name, `..` included. An error if a link is in it which another
/// user could have put there: that user could make it lead elsewhere until the program opens it.
pub fn place_of_root(path: &Path) -> Result<PathBuf, KernelError> {
    let names: VecDeque<OsString> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect();
    walk(names, LastLink::Follow).map(|place| place.path)
}

/// The components of an absolute path. `..` is refused: grants compare paths by their text.
fn components(path: &Path) -> Result<VecDeque<OsString>, KernelError> {
    let invalid = |reason: &str| Err(KernelError::Invalid(format!("{:?} {reason}", path.display().to_string())));
    if path.as_os_str().as_bytes().contains(&0) {
        return invalid("holds a NUL");
    }
    if !path.is_absolute() {
        return invalid("is not an absolute path");
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

enum PathComponent {
    Nothing,
    /// `..`. Only the text of a link can hold it.
    Up,
    /// A link, and the path in it.
    Link(OwnedFd, OsString),
    Node(OwnedFd),
}

/// A walk: the directories from the root to the current one.
struct PathWalk {
    stack: Vec<VisitedDirectory>,
    path: PathBuf,
}

struct VisitedDirectory {
    fd: OwnedFd,
    trusted: bool,
}

impl PathWalk {
    fn from_root() -> Result<PathWalk, KernelError> {
        let fd = rustix::fs::open("/", PIN | OFlags::DIRECTORY, Mode::empty()).map_err(KernelError::os("open /"))?;
        let trusted = only_ours(&fd).map_err(KernelError::os("look at /"))?;
        Ok(PathWalk { stack: vec![VisitedDirectory { fd, trusted }], path: PathBuf::from("/") })
    }

    /// The current directory. There always is one: `from_root` pushes the first, and `leave` never pops it.
    fn here(&self) -> &VisitedDirectory {
        &self.stack[self.stack.len() - 1]
    }

    fn look(&self, name: &OsStr, at_end: bool) -> Result<PathComponent, KernelError> {
        if name == ".." {
            return Ok(PathComponent::Up);
        }
        let doing = || format!("open {}", self.path.join(name).display());
        // O_DIRECTORY triggers an automount, as an ordinary walk of the kernel would. O_PATH alone does not.
        let flags = if at_end { PIN } else { PIN | OFlags::DIRECTORY };
        match rustix::fs::openat(&self.here().fd, name, flags, Mode::empty()) {
            Ok(fd) if at_end && is_link(&fd).map_err(KernelError::os(doing()))? => self.link(name, fd),
            Ok(fd) => Ok(PathComponent::Node(fd)),
            Err(Errno::NOENT) => Ok(PathComponent::Nothing),
            // With O_DIRECTORY a link is ENOTDIR too, as O_NOFOLLOW keeps it from being followed.
            Err(Errno::NOTDIR) => {
                let fd =
                    rustix::fs::openat(&self.here().fd, name, PIN, Mode::empty()).map_err(KernelError::os(doing()))?;
                match is_link(&fd) {
                    Ok(true) => self.link(name, fd),
                    _ => Err(KernelError::Os { doing: doing(), errno: Errno::NOTDIR }),
                }
            }
            Err(errno) => Err(KernelError::Os { doing: doing(), errno }),
        }
    }

    fn link(&self, name: &OsStr, fd: OwnedFd) -> Result<PathComponent, KernelError> {
        let text = rustix::fs::readlinkat(&fd, "", Vec::new())
            .map_err(KernelError::os(format!("read the link {}", self.path.join(name).display())))?;
        Ok(PathComponent::Link(fd, OsString::from_vec(text.into_bytes())))
    }

    fn may_follow(&self, name: &OsStr, link: &OwnedFd, links: usize) -> Result<(), KernelError> {
        let path = self.path.join(name);
        let owner = rustix::fs::fstat(link).map_err(KernelError::os(format!("look at {}", path.display())))?.st_uid;
        // Both, because in a sticky directory such as /tmp a link may be root's while its directory is open to others.
        if !self.here().trusted || !is_ours(owner) {
            return Err(KernelError::Invalid(format!(
                "{} is a symbolic link in a place that others can write: not followed",
                path.display()
            )));
        }
        if links > MAX_LINKS {
            return Err(KernelError::Os { doing: format!("follow {}", path.display()), errno: Errno::LOOP });
        }
        Ok(())
    }

    fn enter(&mut self, name: OsString, fd: OwnedFd) -> Result<(), KernelError> {
        self.path.push(name);
        let ours = only_ours(&fd).map_err(KernelError::os(format!("look at {}", self.path.display())))?;
        // A directory is only as trusted as every one above it: an owner of one above could exchange it.
        let trusted = ours && self.here().trusted;
        self.stack.push(VisitedDirectory { fd, trusted });
        Ok(())
    }

    fn leave(&mut self) {
        if self.stack.len() > 1 {
            self.stack.pop();
            self.path.pop();
        }
    }

    fn place(mut self, name: OsString, node: Option<OwnedFd>) -> Result<PinnedPath, KernelError> {
        let path = self.path.join(&name);
        let last = self.stack.len() - 1;
        let parent = self.stack.swap_remove(last).fd;
        Ok(PinnedPath { parent, name, node, path })
    }

    /// The result of a path that ends in a directory that was entered already: `/`, or a link to `..`.
    fn place_here(mut self) -> Result<PinnedPath, KernelError> {
        let name = self.path.file_name().unwrap_or(OsStr::new(".")).to_owned();
        let path = self.path.clone();
        let node = self.here().fd.try_clone().map_err(|source| KernelError::Os {
            doing: format!("open {}", path.display()),
            errno: Errno::from_io_error(&source).unwrap_or(Errno::IO),
        })?;
        self.leave();
        let place = self.place(name, Some(node))?;
        Ok(PinnedPath { path, ..place })
    }
}

pub(super) fn is_link(fd: &OwnedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode) == FileType::Symlink)
}
