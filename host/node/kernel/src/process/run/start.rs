//! A program that outlives the agent.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::process::Pid;
use tokio::process::Command;

use super::group::KillOnDrop;
use crate::KernelError;
use crate::process::launch::{ProgramLaunch, SessionKind};

/// Starts a program in a session of its own, with its output appended to `output`, and returns its pid once it is executing.
///
/// If the future is dropped before it completes, the program is killed: nothing would know of it.
pub async fn start(launch: ProgramLaunch, output: File) -> Result<Pid, KernelError> {
    let (mut command, report) = launch.command(SessionKind::Detached)?;
    let stderr = output.try_clone().map_err(|error| report.explain(&error))?;
    command.stdin(Stdio::null()).stdout(OwnedFd::from(output)).stderr(OwnedFd::from(stderr));
    let started = tokio::task::spawn_blocking(move || {
        // Dropped without a wait: tokio reaps the process as long as the agent runs, and init does afterwards.
        let child = Command::from(command).spawn().map_err(|error| report.explain(&error))?;
        Ok((child.id(), KillOnDrop::new(child.id())))
    });
    let lost = || KernelError::Invalid("the process was started and could not be waited for".to_owned());
    let (pid, group) = started.await.map_err(|_| lost())??;
    // From here on the caller knows the pid, and the program is meant to outlive it.
    group.release();
    pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).ok_or_else(lost)
}
