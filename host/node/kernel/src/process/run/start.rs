//! A program that outlives the agent.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::captured::number;
use super::group::KillOnDrop;
use crate::KernelError;
use crate::process::launch::{ProgramLaunch, SessionKind};

/// A program that was started and outlives the agent. Once this is dropped, tokio reaps the process as long as the agent runs, and init
/// does afterwards.
#[derive(Debug)]
pub struct StartedProgram {
    /// The number of its first process.
    pub pid: u32,
    child: Child,
}

impl StartedProgram {
    /// Waits until the program exits, and returns its exit status, or 128 plus the number of the signal that killed it. None if that
    /// cannot be learnt.
    pub async fn exit(mut self) -> Option<i32> {
        self.child.wait().await.ok().map(number)
    }
}

/// Starts a program in a session of its own, with its output appended to `output`, and returns once it is executing.
///
/// If the future is dropped before it completes, the program is killed: nothing would know of it.
pub async fn start(launch: ProgramLaunch, output: File) -> Result<StartedProgram, KernelError> {
    let (mut command, report) = launch.command(SessionKind::Detached)?;
    let stderr = output.try_clone().map_err(|error| report.explain(&error))?;
    command.stdin(Stdio::null()).stdout(OwnedFd::from(output)).stderr(OwnedFd::from(stderr));
    let started = tokio::task::spawn_blocking(move || {
        let child = Command::from(command).spawn().map_err(|error| report.explain(&error))?;
        let group = KillOnDrop::new(child.id());
        Ok((child, group))
    });
    let lost = || KernelError::Invalid("the process was started and could not be waited for".to_owned());
    let (child, group) = started.await.map_err(|_| lost())??;
    // From here on the caller knows the pid, and the program is meant to outlive it.
    group.release();
    let pid = child.id().ok_or_else(lost)?;
    Ok(StartedProgram { pid, child })
}
