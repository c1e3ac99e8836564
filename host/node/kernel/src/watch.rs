//! Following changes of the node as they happen: files below a directory, mounts, links and addresses.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::ready::{when_readable, when_urgent};

/// What a tree of whole files is watched for: those that their writer has closed, that were made, moved or removed.
const WHOLE: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ONLYDIR);

/// What a tree is watched for: each write too.
const CHANGES: WatchFlags = WHOLE.union(WatchFlags::MODIFY);

/// Room for some events of inotify(7).
const BUFFER: usize = 16 << 10;

/// Watches all files below a directory, those in directories that are made later too.
#[derive(Debug)]
pub struct TreeWatch {
    inotify: AsyncFd<OwnedFd>,
    flags: WatchFlags,
    /// The file of this name is watched by itself in each directory.
    pinned: Option<&'static str>,
    places: HashMap<i32, PathBuf>,
}

/// Something that happened below a watched directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeChange {
    /// This file may have changed, or may be gone.
    File(PathBuf),
    /// Events were lost: anything may have changed.
    Everything,
}

impl TreeWatch {
    /// Watches what is below `root`, which must exist. In a tokio runtime.
    pub fn new(root: &Path) -> io::Result<TreeWatch> {
        TreeWatch::open(root, CHANGES, None)
    }

    /// As `new`, for files that are read as a whole. One that is written in place is reported when its writer has closed it:
    /// until then it is a part of itself.
    pub fn of_whole_files(root: &Path) -> io::Result<TreeWatch> {
        TreeWatch::open(root, WHOLE, None)
    }

    /// Watches the control groups below `root`: which of them are empty. The kernel reports a change of `cgroup.events` only
    /// to watches of the file itself, see cgroups(7).
    pub fn of_control_groups(root: &Path) -> io::Result<TreeWatch> {
        TreeWatch::open(root, CHANGES, Some("cgroup.events"))
    }

    fn open(root: &Path, flags: WatchFlags, pinned: Option<&'static str>) -> io::Result<TreeWatch> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mut watch = TreeWatch { inotify: when_readable(inotify)?, flags, pinned, places: HashMap::new() };
        watch.add(root, &mut Vec::new())?;
        Ok(watch)
    }

    /// Waits until something has happened, and returns all that has.
    pub async fn changes(&mut self) -> io::Result<Vec<TreeChange>> {
        loop {
            self.inotify.readable().await?.clear_ready();
            let changes = self.take()?;
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }

    /// What has happened since the last call.
    fn take(&mut self) -> io::Result<Vec<TreeChange>> {
        let mut changes = Vec::new();
        let mut made = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(self.inotify.get_ref().as_fd(), &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                changes.push(TreeChange::Everything);
                continue;
            }
            if flags.contains(ReadFlags::IGNORED) {
                self.places.remove(&event.wd());
                continue;
            }
            let name = event.file_name().and_then(|name| name.to_str().ok().map(str::to_owned));
            let Some(directory) = self.places.get(&event.wd()) else { continue };
            let Some(name) = name else {
                // The event of a file that is watched by itself names nothing.
                changes.extend(directory.is_file().then(|| TreeChange::File(directory.clone())));
                continue;
            };
            let path = directory.join(name);
            match flags.contains(ReadFlags::ISDIR) {
                true if flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) => made.push(path),
                true => {}
                false => changes.push(TreeChange::File(path)),
            }
        }
        for directory in made {
            let mut files = Vec::new();
            // The removal of one that is gone already is an event of its own.
            if self.add(&directory, &mut files).is_ok() {
                changes.extend(files.into_iter().map(TreeChange::File));
            }
        }
        changes.dedup();
        Ok(changes)
    }

    /// Watches a directory and those below it. `files` gets what was in them: it may have been made before the watch.
    fn add(&mut self, directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
        let watch = inotify::add_watch(self.inotify.get_ref(), directory, self.flags)?;
        self.places.insert(watch, directory.to_owned());
        if let Some(file) = self.pinned.map(|name| directory.join(name)).filter(|file| file.exists()) {
            let watch = inotify::add_watch(self.inotify.get_ref(), &file, WatchFlags::MODIFY)?;
            self.places.insert(watch, file);
        }
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => match self.add(&entry.path(), files) {
                    // Removed since it was listed.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    added => added?,
                },
                _ => files.push(entry.path()),
            }
        }
        Ok(())
    }
}

/// Tells of changes of the mount table of this process's mount namespace.
#[derive(Debug)]
pub struct MountWatch {
    table: AsyncFd<OwnedFd>,
}

impl MountWatch {
    /// Watches from now on. In a tokio runtime.
    pub fn new() -> io::Result<MountWatch> {
        // Its opening acknowledges what has changed before, see proc_pid_mounts(5).
        Ok(MountWatch { table: when_urgent(File::open("/proc/self/mountinfo")?.into())? })
    }

    /// Waits until something was mounted, unmounted or moved since the last call.
    pub async fn changed(&self) -> io::Result<()> {
        self.table.ready(Interest::PRIORITY).await?.clear_ready();
        Ok(())
    }
}

/// Tells of the end of a process that is not this one's child.
#[derive(Debug)]
pub struct ProcessWatch {
    process: AsyncFd<OwnedFd>,
}

impl ProcessWatch {
    /// Watches the process of a pidfd, see pidfd_open(2). In a tokio runtime.
    pub fn new(process: OwnedFd) -> io::Result<ProcessWatch> {
        Ok(ProcessWatch { process: when_readable(process)? })
    }

    /// Waits until the process has ended.
    pub async fn ended(&self) -> io::Result<()> {
        self.process.readable().await.map(drop)
    }
}

/// Tells of changes of links, addresses and routes in this process's network namespace.
#[derive(Debug)]
pub struct NetWatch {
    socket: AsyncFd<OwnedFd>,
}

impl NetWatch {
    /// Joins the groups of rtnetlink(7) for links, addresses and routes. In a tokio runtime.
    pub fn new() -> io::Result<NetWatch> {
        const GROUPS: u32 = libc::RTMGRP_LINK as u32
            | libc::RTMGRP_IPV4_IFADDR as u32
            | libc::RTMGRP_IPV6_IFADDR as u32
            | libc::RTMGRP_IPV4_ROUTE as u32
            | libc::RTMGRP_IPV6_ROUTE as u32;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // NETLINK_ROUTE is protocol 0, the default.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(NetWatch { socket: when_readable(socket)? })
    }

    /// Waits until something has changed since the last call. What it says does not matter: all is looked at anew.
    pub async fn changed(&self) -> io::Result<()> {
        self.socket.readable().await?.clear_ready();
        let mut buffer = [0; 8 << 10];
        loop {
            match recv(self.socket.get_ref(), &mut buffer, RecvFlags::empty()) {
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                // Too many at once: some are lost, and that there were some is known.
                Ok(_) | Err(rustix::io::Errno::INTR | rustix::io::Errno::NOBUFS) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(watch: &mut TreeWatch, root: &Path) -> Vec<PathBuf> {
        let changes = watch.take().unwrap().into_iter();
        let mut files: Vec<PathBuf> = changes
            .map(|change| match change {
                TreeChange::File(path) => path.strip_prefix(root).unwrap().to_owned(),
                TreeChange::Everything => panic!("events were lost"),
            })
            .collect();
        files.sort();
        files.dedup();
        files
    }

    #[tokio::test]
    async fn files_in_directories_that_are_made_later_are_watched_too() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir(root.join("a")).unwrap();
        let mut watch = TreeWatch::new(root).unwrap();
        assert_eq!(files(&mut watch, root), Vec::<PathBuf>::new());
        std::fs::write(root.join("a/one"), b"1").unwrap();
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        std::fs::write(root.join("b/c/two"), b"2").unwrap();
        assert_eq!(files(&mut watch, root), [PathBuf::from("a/one"), PathBuf::from("b/c/two")]);
        std::fs::rename(root.join("b/c/two"), root.join("b/c/three")).unwrap();
        std::fs::remove_file(root.join("a/one")).unwrap();
        let expected = ["a/one", "b/c/three", "b/c/two"].map(PathBuf::from);
        assert_eq!(files(&mut watch, root), expected);
        std::fs::remove_dir_all(root.join("b")).unwrap();
        assert_eq!(files(&mut watch, root), [PathBuf::from("b/c/three")]);
        std::fs::write(root.join("a/four"), b"4").unwrap();
        assert_eq!(watch.changes().await.unwrap()[0], TreeChange::File(root.join("a/four")));
    }

    #[tokio::test]
    async fn a_whole_file_is_reported_when_its_writer_has_closed_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::write(root.join("one"), b"long before").unwrap();
        let mut watch = TreeWatch::of_whole_files(root).unwrap();
        let mut writer = File::create(root.join("one")).unwrap();
        io::Write::write_all(&mut writer, b"a part").unwrap();
        assert_eq!(files(&mut watch, root), Vec::<PathBuf>::new());
        drop(writer);
        assert_eq!(files(&mut watch, root), [PathBuf::from("one")]);
    }

    #[tokio::test]
    async fn a_directory_that_does_not_exist_cannot_be_watched() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(TreeWatch::new(&root.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
