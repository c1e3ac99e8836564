//! Network namespaces, see network_namespaces(7): opened, told apart, and entered.
//!
//! A socket stays in the namespace in which it was made. So a thread of its own enters the namespace, makes the socket, and
//! ends; whoever asked goes on where it is. No thread that others use ever changes its namespace.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::KernelError;
use crate::net::netlink::Netlink;
use crate::path::{LastLink, resolve};

/// NSFS_MAGIC of linux/magic.h.
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// The namespace in which this thread is.
const OWN: &str = "/proc/thread-self/ns/net";

/// That of the first process, which may be another one.
const FIRST: &str = "/proc/1/ns/net";

/// A network namespace. It lives at least as long as this.
#[derive(Debug)]
pub struct NetworkNamespace {
    fd: OwnedFd,
    path: PathBuf,
}

impl NetworkNamespace {
    /// The one at a path: where ip-netns(8) or a container engine has bound it, or `/proc/PID/ns/net`. None if the path is
    /// not there, or is a file that nothing is bound to.
    pub fn open(path: &Path) -> Result<Option<NetworkNamespace>, KernelError> {
        let opened = match is_of_process(path) {
            // A link of procfs leads to the namespace itself, whatever its text says.
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

    /// The one of this thread.
    pub fn own() -> Result<NetworkNamespace, KernelError> {
        let path = Path::new(OWN);
        let fd = open(path)?.ok_or_else(|| KernelError::NotFound(path.to_owned()))?;
        Ok(NetworkNamespace { fd, path: path.to_owned() })
    }

    /// Whether it is the node's: that of this thread, or of the first process.
    pub fn is_of_node(&self) -> Result<bool, KernelError> {
        let own = self.is(&NetworkNamespace::own()?)?;
        // Whoever may not look at the first process cannot get there either.
        let first = NetworkNamespace::open(Path::new(FIRST)).ok().flatten();
        Ok(own || first.is_some_and(|first| self.is(&first).unwrap_or(true)))
    }

    /// Whether both are the same, whatever their paths.
    pub fn is(&self, other: &NetworkNamespace) -> Result<bool, KernelError> {
        let identity = |namespace: &NetworkNamespace| {
            let doing = format!("look at {}", namespace.path.display());
            rustix::fs::fstat(&namespace.fd).map(|stat| (stat.st_dev, stat.st_ino)).map_err(KernelError::os(doing))
        };
        Ok(identity(self)? == identity(other)?)
    }

    /// Connects to rtnetlink(7) within it. Needs a tokio runtime.
    pub fn netlink(&self) -> Result<Netlink, KernelError> {
        // A socket is registered with the runtime by the thread that makes it.
        let runtime = tokio::runtime::Handle::current();
        self.within(move || {
            let _entered = runtime.enter();
            Netlink::open()
        })?
    }

    /// Does something on a thread of its own that is within the namespace.
    pub(super) fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, KernelError> {
        let doing = || format!("enter {}", self.path.display());
        let entered = || {
            setns(&self.fd, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| KernelError::Os { doing: doing(), errno: Errno::from_raw_os_error(errno as i32) })?;
            Ok(work())
        };
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

/// `/proc/PID/ns/net`.
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

/// Opens only what is a namespace: a pipe would not come back.
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
