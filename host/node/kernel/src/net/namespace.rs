//! Network namespaces, see network_namespaces(7): opened, compared, and entered.
//!
//! A socket stays in the namespace in which it was made. So a new thread enters the namespace, makes the socket there,
//! and exits; the caller stays where it is. No thread that other code uses ever changes its namespace.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{getsockopt, sockopt::GetStruct};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::KernelError;
use crate::net::netlink::Netlink;
use crate::path::{LastLink, resolve};

/// NSFS_MAGIC of linux/magic.h.
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// SO_NETNS_COOKIE of asm-generic/socket.h, which nix does not name.
const SO_NETNS_COOKIE: libc::c_int = 71;

#[derive(Debug, Clone, Copy)]
struct NetnsCookie;

nix::getsockopt_impl!(NetnsCookie, libc::SOL_SOCKET, SO_NETNS_COOKIE, u64, GetStruct<u64>);

/// The namespace of this thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// The namespace of the first process, which may be another one.
const FIRST: &str = "/proc/1/ns/net";

/// An open network namespace. The kernel keeps it for at least as long.
#[derive(Debug)]
pub struct NetworkNamespace {
    fd: OwnedFd,
    path: PathBuf,
}

impl NetworkNamespace {
    /// Opens the namespace at a path: a file that ip-netns(8) or a container engine has bound it to, or
    /// `/proc/PID/ns/net`. None if the path does not exist, or if no namespace is bound to the file.
    pub fn open(path: &Path) -> Result<Option<NetworkNamespace>, KernelError> {
        let opened = match is_of_process(path) {
            // A magic link: the kernel opens the namespace itself, and the text of the link is not a path. So the walk of
            // [`crate::path`] cannot follow it.
            true => open(path),
            false => open_bound(path),
        };
        match opened {
            Ok(Some(fd)) if is_namespace(&fd).map_err(KernelError::os(format!("look at {}", path.display())))? => {
                Ok(Some(NetworkNamespace { fd, path: path.to_owned() }))
            }
            Ok(_) | Err(KernelError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the namespace of this thread.
    pub fn own() -> Result<NetworkNamespace, KernelError> {
        let path = Path::new(OWN);
        let fd = open(path)?.ok_or_else(|| KernelError::NotFound(path.to_owned()))?;
        Ok(NetworkNamespace { fd, path: path.to_owned() })
    }

    /// Whether this is the namespace of the node: that of this thread, or that of the first process.
    pub fn is_of_node(&self) -> Result<bool, KernelError> {
        let own = self.is(&NetworkNamespace::own()?)?;
        // An agent that may not look at the first process cannot enter its namespace either.
        let first = NetworkNamespace::open(Path::new(FIRST)).ok().flatten();
        Ok(own || first.is_some_and(|first| self.is(&first).unwrap_or(true)))
    }

    /// Whether both are the same namespace, whatever their paths.
    pub fn is(&self, other: &NetworkNamespace) -> Result<bool, KernelError> {
        Ok(self.identity()? == other.identity()?)
    }

    /// The device and the inode of its file in nsfs: no other namespace of this boot has them while it exists.
    pub fn identity(&self) -> Result<(u64, u64), KernelError> {
        let doing = format!("look at {}", self.path.display());
        rustix::fs::fstat(&self.fd).map(|stat| (stat.st_dev, stat.st_ino)).map_err(KernelError::os(doing))
    }

    /// The number that no other namespace of this boot ever has, see socket(7). None before Linux 5.14.
    pub fn cookie(&self) -> Option<u64> {
        let here = || {
            let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
            getsockopt(&socket, NetnsCookie).ok()
        };
        self.within(here).ok().flatten()
    }

    /// The path that it was opened at.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finds the namespace again: among those that are bound to a file, and those of processes. None if it is gone, or if
    /// nothing but an open descriptor keeps it, through which nobody can reach it.
    pub fn find(identity: (u64, u64)) -> Result<Option<NetworkNamespace>, KernelError> {
        let own = NetworkNamespace::own()?;
        if own.identity()? == identity {
            return Ok(Some(own));
        }
        for path in bound_to_files(identity).into_iter().chain(of_processes(identity)) {
            // It may have gone since it was listed, and the number may be another one's by now.
            if let Ok(Some(found)) = NetworkNamespace::open(&path)
                && found.identity()? == identity
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether a new link of the namespace takes no IPv6 address, as many containers are set up: the sysctl `disable_ipv6`.
    /// False if the kernel has no IPv6 settings at all.
    pub fn disables_ipv6(&self) -> Result<bool, KernelError> {
        // The kernel shows the settings of the namespace of the thread that reads them.
        let text = self.within(|| std::fs::read_to_string("/proc/sys/net/ipv6/conf/default/disable_ipv6"))?;
        Ok(text.is_ok_and(|text| text.trim() == "1"))
    }

    /// Connects to rtnetlink(7) inside the namespace. Needs a tokio runtime.
    pub fn netlink(&self) -> Result<Netlink, KernelError> {
        // The socket is registered by the thread that makes it, so that thread must know the runtime.
        let runtime = tokio::runtime::Handle::current();
        self.within(move || {
            let _entered = runtime.enter();
            Netlink::open()
        })?
    }

    /// Runs `work` inside the namespace, on a thread of its own.
    pub(super) fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, KernelError> {
        let doing = || format!("enter {}", self.path.display());
        let entered = || {
            setns(&self.fd, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| KernelError::Os { doing: doing(), errno: Errno::from_raw_os_error(errno as i32) })?;
            Ok(work())
        };
        // Blocks the caller for as long as it takes to make a socket: that is a matter of microseconds.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("netns".to_owned()).spawn_scoped(scope, entered);
            let thread = thread.map_err(|error| KernelError::Os {
                doing: doing(),
                errno: Errno::from_io_error(&error).unwrap_or(Errno::AGAIN),
            })?;
            thread
                .join()
                .unwrap_or_else(|_| Err(KernelError::Invalid(format!("cannot {}: the thread crashed", doing()))))
        })
    }
}

impl AsFd for NetworkNamespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The files that the namespace is bound to, as far as this mount namespace has them.
fn bound_to_files((_, inode): (u64, u64)) -> Vec<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let root = format!("net:[{inode}]");
    let bound = |line: &str| {
        let mut words = line.split(' ').skip(3);
        (words.next()? == root).then(|| words.next()).flatten().map(PathBuf::from)
    };
    // A blank in the path is escaped there, and such a namespace is found by its processes alone.
    mounts.lines().filter_map(bound).collect()
}

/// The processes in the namespace.
fn of_processes(identity: (u64, u64)) -> impl Iterator<Item = PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path().join("ns/net")).filter(|path| is_of_process(path));
    paths.filter(move |path| std::fs::metadata(path).is_ok_and(|stat| (stat.dev(), stat.ino()) == identity))
}

/// Whether the path is `/proc/PID/ns/net`.
fn is_of_process(path: &Path) -> bool {
    let pid = path.to_str().and_then(|path| path.strip_prefix("/proc/")).and_then(|rest| rest.strip_suffix("/ns/net"));
    pid.is_some_and(|pid| !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()))
}

fn open(path: &Path) -> Result<Option<OwnedFd>, KernelError> {
    match rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT | Errno::SRCH) => Ok(None),
        Err(errno) => Err(KernelError::os(format!("open {}", path.display()))(errno)),
    }
}

/// Opens a file only if a namespace is bound to it: opening a FIFO, for example, would never return.
fn open_bound(path: &Path) -> Result<Option<OwnedFd>, KernelError> {
    let place = resolve(path, LastLink::Follow)?;
    let Some(node) = place.node() else { return Ok(None) };
    match is_namespace(node).map_err(KernelError::os(format!("look at {}", path.display())))? {
        true => place.open(OFlags::RDONLY).map(Some),
        false => Ok(None),
    }
}

fn is_namespace(fd: impl AsFd) -> Result<bool, Errno> {
    Ok(rustix::fs::fstatfs(fd)?.f_type as u64 == NSFS_MAGIC)
}
