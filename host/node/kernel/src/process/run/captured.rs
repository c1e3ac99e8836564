//! A program that is run to its end, its output captured.
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
use crate::process::launch::{ProgramLaunch, SessionKind, StartReport};

/// How many bytes of each output are kept.
pub(super) const MAX_OUTPUT: usize = 1 << 20;

/// The exit status and the output of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramOutput {
    /// The exit status, or 128 plus the number of the signal that killed it, as in a shell.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Whether bytes in the middle of either output were dropped.
    pub truncated: bool,
}

/// The reason why there is no [`ProgramOutput`].
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program could not be started, or not be waited for.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The program took too long, and was killed with its process group.
    #[error("killed after {0:?}")]
    TimedOut(Duration),
}

/// Runs a program, passes on its lines as they come, and returns once it has exited.
///
/// Processes that it left running in the background stay, and are not waited for even if they hold its output open.
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
    // The first field, so that it is dropped first: the group is killed while its leader is not waited for yet, which
    // keeps the number of the group from being used again.
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
        let (group, child) = started(command, report).await?;
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

    /// Collects the output. Everything that the program itself wrote is in the pipes by now.
    pub(super) fn finish(self, status: ExitStatus, on_line: &mut (dyn FnMut(&str) + Send)) -> ProgramOutput {
        // The leader was waited for: its number may be another group's by now.
        self.group.release();
        let (stdout, stdout_truncated) = self.stdout.finish(on_line);
        let (stderr, stderr_truncated) = self.stderr.finish(on_line);
        ProgramOutput { status: number(status), stdout, stderr, truncated: stdout_truncated || stderr_truncated }
    }
}

/// Starts a program, whose process group is killed with what is returned.
///
/// A start returns after exec, which may wait for a slow disk. If the caller has stopped waiting by then, the result of the closure is
/// dropped, and that kills the process group.
pub(super) async fn started(
    command: std::process::Command,
    report: StartReport,
) -> Result<(KillOnDrop, Child), KernelError> {
    let started = tokio::task::spawn_blocking(move || {
        let mut command = Command::from(command);
        let child = command.kill_on_drop(true).spawn().map_err(|error| report.explain(&error))?;
        Ok((KillOnDrop::new(child.id()), child))
    });
    started.await.map_err(|error| lost(io::Error::other(error)))?
}

/// The exit status as a shell has it.
pub(super) fn number(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Feeds a program its input. A program need not read it, so an error here is not a failure.
async fn feed(stdin: Option<Sender>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

pub(super) struct ProgramStream {
    /// None once it was handed over.
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

    /// Hands the pipe over to another reader.
    pub(super) fn detach(&mut self) -> Option<Receiver> {
        self.open = false;
        self.pipe.take()
    }

    /// Waits for output, and returns how many bytes came. 0 means the end.
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

    /// Takes what is left in the pipe without waiting, and not more than the limit: a background process may hold the
    /// other end open forever, or go on writing.
    fn finish(mut self, on_line: &mut (dyn FnMut(&str) + Send)) -> (Vec<u8>, bool) {
        // A process in the background could write as fast as this reads.
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
