//! The processes of one resource: listed, and stopped together.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::{Instant, timeout_at};

use super::environ::ProcessMarkers;
use crate::KernelError;
use crate::cgroup::Cgroup;
use crate::process::look;
use crate::ready::when_readable;

/// The processes of one resource, by the way in which they are recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceProcesses {
    /// By their control group, which they cannot leave by themselves.
    Cgroup(Cgroup),
    /// The same of processes that something may have moved to another group meanwhile, as su(1) does with a session of its own. They
    /// are known by the first of them, and by their environment.
    Moved { group: Cgroup, first: Option<FirstProcess>, markers: ProcessMarkers },
    /// By their environment, which a child can drop.
    Environ(ProcessMarkers),
}

/// The first process that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstProcess {
    pub pid: u32,
    /// When it started, see [`look`].
    pub started: u64,
}

impl FirstProcess {
    /// The process of this number, unless it has exited.
    pub fn of(pid: u32) -> Option<FirstProcess> {
        look(pid).map(|seen| FirstProcess { pid, started: seen.started })
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        self.alive().is_some()
    }

    /// Sends it a signal. An error if it has exited.
    pub fn send(self, signal: Signal) -> Result<(), KernelError> {
        let gone = || KernelError::NotFound(format!("/proc/{}", self.pid).into());
        let pid = self.alive().ok_or_else(gone)?;
        let process = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|errno| KernelError::Os { doing: format!("open the process {pid:?}"), errno })?;
        // The number may be another process's by now; the descriptor is not.
        if !self.is_alive() {
            return Err(gone());
        }
        send(&process, signal)
    }

    fn alive(self) -> Option<Pid> {
        let raw = i32::try_from(self.pid).ok().and_then(Pid::from_raw)?;
        (FirstProcess::of(self.pid) == Some(self)).then_some(raw)
    }
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberProcess {
    pub pid: Pid,
    /// The program and its arguments. Empty if the process has just exited.
    pub argv: Vec<String>,
}

impl ResourceProcesses {
    /// Lists the processes.
    pub fn list(&self) -> Result<Vec<MemberProcess>, KernelError> {
        Ok(self.pids()?.into_iter().map(|pid| MemberProcess { pid, argv: argv(pid) }).collect())
    }

    /// Stops all processes: sends `signal` to each, and SIGKILL to those that are left after `grace`. Returns how many
    /// there were, once they are gone.
    pub async fn stop(&self, signal: Signal, grace: Duration) -> Result<usize, KernelError> {
        let deadline = Instant::now() + grace;
        let mut asked = Vec::new();
        // Repeated, because a process that gets the signal may start others before it exits.
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

    /// Kills the processes. A control group is killed as a whole, with the processes that are just being forked. Then
    /// each one is killed, for a kernel before 5.14, which cannot kill a group.
    fn kill(&self, left: &[(Pid, OwnedFd)]) -> Result<(), KernelError> {
        if let ResourceProcesses::Cgroup(group) | ResourceProcesses::Moved { group, .. } = self {
            group.kill()?;
        }
        left.iter().try_for_each(|(_, process)| send(process, Signal::KILL))
    }

    fn pids(&self) -> Result<Vec<Pid>, KernelError> {
        match self {
            ResourceProcesses::Cgroup(group) => group.members(),
            ResourceProcesses::Moved { group, first, markers } => {
                let mut pids = group.members()?;
                let alive = first.and_then(FirstProcess::alive).filter(|pid| !pids.contains(pid));
                pids.extend(alive);
                // To read the environment of every process takes long, and only counts where nothing else is left.
                if pids.is_empty() { markers.members() } else { Ok(pids) }
            }
            ResourceProcesses::Environ(markers) => markers.members(),
        }
    }

    fn pinned(&self) -> Result<Vec<(Pid, OwnedFd)>, KernelError> {
        pinned(|| self.pids())
    }
}

/// Opens a descriptor of each process, and looks for the processes again afterwards: by the time of the open, a number alone
/// could have become another process.
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

/// Waits until all processes have exited: then the descriptor of a process becomes readable.
pub(super) async fn all_gone(processes: Vec<(Pid, OwnedFd)>) -> Result<(), KernelError> {
    for (_, process) in processes {
        let unwatchable = |error: std::io::Error| KernelError::Os {
            doing: "wait for a process".to_owned(),
            errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        };
        let process = when_readable(process).map_err(unwatchable)?;
        let _ready = process.readable().await.map_err(unwatchable)?;
    }
    // A process has left its control group before its descriptor is readable, so nothing needs to be waited for here. Other
    // tasks get a turn all the same: the callers loop.
    tokio::task::yield_now().await;
    Ok(())
}

pub(super) fn argv(pid: Pid) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split_terminator('\0').map(str::to_owned).collect()
}
