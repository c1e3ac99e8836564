//! The processes of one resource: found again at any time, ended together.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::{Instant, timeout_at};

use super::environ::ProcessMarkers;
use crate::KernelError;
use crate::cgroup::Cgroup;
use crate::ready::when_readable;

/// How the processes are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceProcesses {
    /// They cannot leave it.
    Cgroup(Cgroup),
    /// They can shed it.
    Environ(ProcessMarkers),
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberProcess {
    /// Its number.
    pub pid: Pid,
    /// Its arguments. Empty if it has just ended.
    pub argv: Vec<String>,
}

impl ResourceProcesses {
    /// All of them, now.
    pub fn list(&self) -> Result<Vec<MemberProcess>, KernelError> {
        Ok(self.pids()?.into_iter().map(|pid| MemberProcess { pid, argv: argv(pid) }).collect())
    }

    /// Ends all of them: `signal` to each, SIGKILL to those that are left after `grace`. Returns how many there were,
    /// once they are gone.
    pub async fn stop(&self, signal: Signal, grace: Duration) -> Result<usize, KernelError> {
        let deadline = Instant::now() + grace;
        let mut asked = Vec::new();
        // Again and again, because whoever is asked to end may start others first.
        while let Ok(left) = self.pinned() {
            if left.is_empty() {
                break;
            }
            for (pid, process) in &left {
                if !asked.contains(pid) {
                    send(process, signal)?;
                    asked.push(*pid);
                }
            }
            if timeout_at(deadline, all_gone(left)).await.is_err() {
                break;
            }
        }
        let mut count = asked.len();
        loop {
            let left = self.pinned()?;
            if left.is_empty() {
                return Ok(count);
            }
            count = count.max(left.len());
            self.kill(&left)?;
            all_gone(left).await?;
        }
    }

    /// A group is killed at once, with what is just being forked; one by one is for kernels that cannot, before 5.14.
    fn kill(&self, left: &[(Pid, OwnedFd)]) -> Result<(), KernelError> {
        if let ResourceProcesses::Cgroup(cgroup) = self {
            cgroup.kill()?;
        }
        left.iter().try_for_each(|(_, process)| send(process, Signal::KILL))
    }

    fn pids(&self) -> Result<Vec<Pid>, KernelError> {
        match self {
            ResourceProcesses::Cgroup(cgroup) => cgroup.members(),
            ResourceProcesses::Environ(markers) => markers.members(),
        }
    }

    fn pinned(&self) -> Result<Vec<(Pid, OwnedFd)>, KernelError> {
        pinned(|| self.pids())
    }
}

/// Processes by descriptor, looked for again once they are: a number alone could be another process by now.
pub(super) fn pinned(find: impl Fn() -> Result<Vec<Pid>, KernelError>) -> Result<Vec<(Pid, OwnedFd)>, KernelError> {
    let mut pinned = Vec::new();
    for pid in find()? {
        match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Ok(process) => pinned.push((pid, process)),
            Err(Errno::SRCH) => {}
            Err(errno) => return Err(KernelError::Os { doing: format!("watch the process {pid:?}"), errno }),
        }
    }
    let still = find()?;
    pinned.retain(|(pid, _)| still.contains(pid));
    Ok(pinned)
}

fn send(process: &OwnedFd, signal: Signal) -> Result<(), KernelError> {
    match pidfd_send_signal(process, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(KernelError::Os { doing: format!("send {signal:?}"), errno }),
    }
}

/// A descriptor of a process becomes readable when the process ends.
pub(super) async fn all_gone(processes: Vec<(Pid, OwnedFd)>) -> Result<(), KernelError> {
    for (_, process) in processes {
        let unwatchable = |error: std::io::Error| KernelError::Os {
            doing: "wait for a process".to_owned(),
            errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        };
        let process = when_readable(process).map_err(unwatchable)?;
        let _ready = process.readable().await.map_err(unwatchable)?;
    }
    // A process is out of its group a moment before its descriptor says so; let others run all the same.
    tokio::task::yield_now().await;
    Ok(())
}

pub(super) fn argv(pid: Pid) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split_terminator('\0').map(str::to_owned).collect()
}
