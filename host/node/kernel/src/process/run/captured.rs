//! A program run to its end.
//!
//! Dropping the future kills the program's whole process group, whatever the future was waiting for.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{self, Receiver, Sender};
use tokio::process::{Child, Command};

use super::capture::OutputCapture;
use super::group::KillOnDrop;
use crate::KernelError;
use crate::process::launch::{ProgramLaunch, SessionKind};

/// What is kept of each stream.
const MAX_OUTPUT: usize = 1 << 20;

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramOutput {
    /// Its exit status, or 128 and the signal that ended it, as in a shell.
    pub status: i32,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
    /// Whether the middle of either was dropped.
    pub truncated: bool,
}

/// Why a program has no [`ProgramOutput`].
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started, or not be waited for.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// It took too long, and was killed with its process group.
    #[error("killed after {0:?}")]
    TimedOut(Duration),
}

/// Runs a program, hands its lines on as they come, and returns once it has exited.
///
/// What it left running in the background lives on, and is not waited for even if it holds the output open.
pub async fn run(
    launch: ProgramLaunch,
    stdin: &[u8],
    timeout: Duration,
    on_line: &mut (dyn FnMut(&str) + Send),
) -> Result<ProgramOutput, RunError> {
    let mut running = RunningProgram::start(launch).await?;
    let ended = tokio::time::timeout(timeout, running.attend(stdin, on_line)).await;
    let status = ended.map_err(|_| RunError::TimedOut(timeout))?.map_err(lost)?;
    Ok(running.finish(status, on_line))
}

pub(super) struct RunningProgram {
    // Dropped first: the group is killed while the leader is still there to give it its number.
    group: KillOnDrop,
    pub(super) child: Child,
    pub(super) stdin: Option<Sender>,
    pub(super) stdout: ProgramStream,
    pub(super) stderr: ProgramStream,
}

impl RunningProgram {
    pub(super) async fn start(launch: ProgramLaunch) -> Result<RunningProgram, KernelError> {
        let (stdin_reader, stdin) = child_reads().map_err(failed("make a pipe"))?;
        let (stdout, stdout_writer) = child_writes().map_err(failed("make a pipe"))?;
        let (stderr, stderr_writer) = child_writes().map_err(failed("make a pipe"))?;
        let (mut command, report) = launch.command(SessionKind::OwnGroup)?;
        command.stdin(stdin_reader).stdout(stdout_writer).stderr(stderr_writer);
        // Starting waits for exec, which may wait for a slow disk. If nobody waits any more, the closure's result is
        // dropped, and with it the process group.
        let started = tokio::task::spawn_blocking(move || {
            let mut command = Command::from(command);
            let child = command.kill_on_drop(true).spawn().map_err(|error| report.explain(&error))?;
            Ok((KillOnDrop::new(child.id()), child))
        });
        let (group, child) = started.await.map_err(|error| lost(io::Error::other(error)))??;
        Ok(RunningProgram {
            group,
            child,
            stdin: Some(stdin),
            stdout: ProgramStream::new(stdout),
            stderr: ProgramStream::new(stderr),
        })
    }

    /// Feeds and reads the program until it exits.
    async fn attend(&mut self, input: &[u8], on_line: &mut (dyn FnMut(&str) + Send)) -> io::Result<ExitStatus> {
        let RunningProgram { child, stdin, stdout, stderr, .. } = self;
        let feed = feed(stdin.take(), input);
        tokio::pin!(feed);
        let mut fed = false;
        loop {
            tokio::select! {
                status = child.wait() => return status,
                () = &mut feed, if !fed => fed = true,
                count = stdout.fill(), if stdout.open => stdout.take(count, on_line),
                count = stderr.fill(), if stderr.open => stderr.take(count, on_line),
            }
        }
    }

    /// All that the program itself wrote is in the pipes by now.
    pub(super) fn finish(self, status: ExitStatus, on_line: &mut (dyn FnMut(&str) + Send)) -> ProgramOutput {
        self.group.release();
        let (stdout, stdout_truncated) = self.stdout.finish(on_line);
        let (stderr, stderr_truncated) = self.stderr.finish(on_line);
        let status = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        ProgramOutput { status, stdout, stderr, truncated: stdout_truncated || stderr_truncated }
    }
}

/// A program need not read its input: that it closed it is no failure.
async fn feed(stdin: Option<Sender>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

pub(super) struct ProgramStream {
    /// None once somebody else reads it.
    pipe: Option<Receiver>,
    pub(super) open: bool,
    buffer: Box<[u8; 16 * 1024]>,
    capture: OutputCapture,
}

impl ProgramStream {
    fn new(pipe: Receiver) -> ProgramStream {
        ProgramStream {
            pipe: Some(pipe),
            open: true,
            buffer: Box::new([0; 16 * 1024]),
            capture: OutputCapture::new(MAX_OUTPUT),
        }
    }

    /// Hands the pipe over to somebody else.
    pub(super) fn detach(&mut self) -> Option<Receiver> {
        self.open = false;
        self.pipe.take()
    }

    /// Waits for output. 0 is the end.
    pub(super) async fn fill(&mut self) -> usize {
        match &mut self.pipe {
            Some(pipe) => pipe.read(&mut self.buffer[..]).await.unwrap_or(0),
            None => 0,
        }
    }

    pub(super) fn take(&mut self, count: usize, on_line: &mut (dyn FnMut(&str) + Send)) {
        self.open = count > 0;
        self.capture.push(&self.buffer[..count], on_line);
    }

    /// Takes what is left without waiting: a background process may hold the other end for ever, or go on writing.
    fn finish(mut self, on_line: &mut (dyn FnMut(&str) + Send)) -> (Vec<u8>, bool) {
        let mut left = MAX_OUTPUT;
        while let Some(pipe) = self.pipe.as_ref().filter(|_| self.open && left > 0) {
            match rustix::io::read(pipe, &mut *self.buffer) {
                Ok(count) => {
                    self.take(count, on_line);
                    left = left.saturating_sub(count);
                }
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.capture.finish(on_line)
    }
}

fn child_writes() -> io::Result<(Receiver, Stdio)> {
    let (sender, receiver) = pipe::pipe()?;
    Ok((receiver, blocking(sender.into_blocking_fd()?)))
}

fn child_reads() -> io::Result<(Stdio, Sender)> {
    let (sender, receiver) = pipe::pipe()?;
    Ok((blocking(receiver.into_blocking_fd()?), sender))
}

fn blocking(fd: OwnedFd) -> Stdio {
    Stdio::from(fd)
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> KernelError {
    move |error| KernelError::Os {
        doing: doing.to_owned(),
        errno: error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error),
    }
}

pub(super) fn lost(error: io::Error) -> KernelError {
    failed("wait for a process")(error)
}
