//! The process of the daemon: found by its socket, watched to its end, killed if it must be.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::net::UnixStream;

use crate::backend::{Reply, block_on};

/// The process that listens on the daemon's socket. It stays this very process, even if its number is used again.
#[derive(Debug)]
pub(super) struct DaemonProcess {
    pub(super) pid: i32,
    handle: OwnedFd,
}

impl DaemonProcess {
    /// The daemon that listens on this socket. None: none runs.
    pub(super) fn find(socket: &Path) -> Reply<Option<DaemonProcess>> {
        Ok(block_on(find(socket))??)
    }

    /// Waits for its end, at most so long. Whether it came.
    pub(super) fn wait(&self, limit: Duration) -> Reply<bool> {
        let limit = Timespec::try_from(limit).context("the time is too long")?;
        // The kernel makes the handle readable when the process is gone.
        let ended = poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], Some(&limit));
        Ok(ended.context("cannot watch the daemon")? > 0)
    }

    pub(super) fn kill(&self) -> Reply<()> {
        let killed = pidfd_send_signal(&self.handle, Signal::KILL);
        Ok(killed.with_context(|| format!("cannot kill the daemon, process {}", self.pid))?)
    }
}

/// So long may a daemon take from its claim on the run directory to its socket, and from the end of its socket to its own.
const OPENING: Duration = Duration::from_secs(10);

/// Waits for a daemon that is only just starting or ending: another command may have been killed when it had asked for that.
pub(super) fn await_change(socket: &Path) {
    let until = Instant::now() + OPENING;
    // Locked by a daemon for as long as it lives.
    let Ok(claim) = File::open(socket.with_file_name("daemon.pid")) else { return };
    let listens = || std::os::unix::net::UnixStream::connect(socket).is_ok();
    // A shared lock, which is given back at once: several commands may look at the same time.
    let is_claimed = || matches!(claim.try_lock_shared(), Err(TryLockError::WouldBlock));
    while Instant::now() < until && !listens() && is_claimed() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn find(socket: &Path) -> anyhow::Result<Option<DaemonProcess>> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(anyhow!(error).context(format!("cannot connect to {}", socket.display()))),
    };
    // The kernel knows who listens. The number in a file could be an old one.
    let pid = stream.peer_cred().ok().and_then(|credentials| credentials.pid());
    let pid = pid.and_then(Pid::from_raw).ok_or_else(|| anyhow!("the daemon is in another pid namespace"))?;
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => handle,
        // It has ended since.
        Err(rustix::io::Errno::SRCH) => return Ok(None),
        Err(error) => return Err(anyhow!(error).context("cannot watch the daemon")),
    };
    Ok(Some(DaemonProcess { pid: pid.as_raw_nonzero().get(), handle }))
}
