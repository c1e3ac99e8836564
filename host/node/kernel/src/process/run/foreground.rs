//! A program that the operator talks to, in a session and on a terminal of its own: the operator's terminal is out of its reach.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::KernelError;
use crate::process::launch::{ProgramLaunch, SessionKind, StandardStream};
use crate::process::public_files::own_terminal;

/// A program in the foreground. Dropped before it has exited, it is killed.
#[derive(Debug)]
pub struct ForegroundProgram(Child);

/// Starts a program with these descriptors as its standard input, output and error, one of which may be the terminal of its session.
pub async fn foreground(
    mut launch: ProgramLaunch,
    [input, output, errors]: [OwnedFd; 3],
    terminal: Option<StandardStream>,
) -> Result<ForegroundProgram, KernelError> {
    if let (Some(files), Some(stream)) = (&mut launch.files, terminal) {
        files.extend(own_terminal(match stream {
            StandardStream::Input => &input,
            StandardStream::Output => &output,
            StandardStream::Errors => &errors,
        }));
    }
    let (mut command, report) = launch.command(SessionKind::OfTerminal(terminal))?;
    command.stdin(Stdio::from(input)).stdout(Stdio::from(output)).stderr(Stdio::from(errors));
    let started = tokio::task::spawn_blocking(move || {
        let child = Command::from(command).kill_on_drop(true).spawn();
        child.map(ForegroundProgram).map_err(|error| report.explain(&error))
    });
    started.await.map_err(|_| lost(Errno::IO))?
}

impl ForegroundProgram {
    /// Sends SIGINT to its process group, as the key would on its own terminal.
    pub fn interrupt(&self) {
        let group = self.0.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        // Not there any more: that is what was wanted.
        group.map(|group| kill_process_group(group, Signal::INT));
    }

    /// Waits until it has exited. Returns its exit status, or 128 plus the number of the signal that killed it, as in a
    /// shell.
    pub async fn exited(&mut self) -> Result<i32, KernelError> {
        let status = self.0.wait().await.map_err(|error| lost(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        Ok(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1))
    }
}

fn lost(errno: Errno) -> KernelError {
    KernelError::Os { doing: "wait for a process".to_owned(), errno }
}
