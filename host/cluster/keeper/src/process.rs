//! The process of the keeper as the daemon sees it: found by its lock, started, asked to end.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use deadline::{HALF, KeeperReport};
use rustix::fs::FlockOperation;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::run::build_of;
use crate::{LOCK_FILE, REPORT_FILE, TwinFile};

/// A keeper that runs. It stays this very process, even if its number is used again.
#[derive(Debug)]
pub struct KeeperProcess {
    pub pid: u32,
    handle: OwnedFd,
}

impl KeeperProcess {
    /// The keeper of this directory. None: none runs.
    pub fn find(directory: &Path) -> io::Result<Option<KeeperProcess>> {
        let path = directory.join(LOCK_FILE);
        let lock = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared) {
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            locked => {
                locked?;
                // Not left to the close: a child that another thread has just forked holds the file open until it becomes another
                // program, and a keeper that starts meanwhile would be refused.
                rustix::fs::flock(&lock, FlockOperation::Unlock)?;
                return Ok(None);
            }
        }
        // Between its lock and its number a keeper is as good as none: another one that is started meanwhile is
        // refused by the lock.
        let Some(pid) = pid_in(&path) else { return Ok(None) };
        let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let Some(process) = process else { return Ok(None) };
        // A descriptor and not the number, which another process may have by the time of a signal (pidfd_open(2)).
        match pidfd_open(process, PidfdFlags::NONBLOCK) {
            Ok(handle) => Ok(Some(KeeperProcess { pid, handle })),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// A descriptor that is readable when the process is gone.
    pub fn into_handle(self) -> OwnedFd {
        self.handle
    }

    /// Lets it end if nothing is held, with the watchdog closed.
    pub fn ask_to_end(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.handle, Signal::TERM)?)
    }

    /// Lets it end at once. The watchdog runs on, so that the next keeper must be there in time.
    pub fn ask_to_hand_over(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.handle, Signal::USR1)?)
    }
}

/// Runs a keeper for this directory: `program` with the words that make it one. What it says at its start is in the file `said` there.
pub fn command(program: &Path, directory: &Path) -> io::Result<Command> {
    std::fs::create_dir_all(directory)?;
    let said = File::create(directory.join("said"))?;
    let mut command = Command::new(program);
    command
        .arg0("om")
        .args(["daemon", "keeper"])
        .arg(directory)
        // Nothing of the daemon's: it outlives the daemon.
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said);
    Ok(command)
}

/// What a keeper of this directory reported last. None: nothing that can be read.
pub fn report(directory: &Path) -> Option<KeeperReport> {
    let mut file = TwinFile::open_existing(&directory.join(REPORT_FILE)).ok()??;
    let mut buffer = vec![0; HALF];
    let (_, body) = file.read(&mut buffer)?;
    KeeperReport::parse(body)
}

/// What identifies the program of this process.
pub fn build() -> u64 {
    build_of(Path::new("/proc/self/exe")).unwrap_or_default()
}

pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

pub(crate) fn pid_in(lock: &Path) -> Option<u32> {
    std::fs::read_to_string(lock).ok()?.trim().parse().ok()
}
