//! A program that is run to its end, its output in a file.
//!
//! What it leaves running has that file as its standard output and error, and so may write for as long as it runs: the writer of a pipe
//! whose reader is gone is killed.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::capture::OutputCapture;
use super::captured::{MAX_OUTPUT, ProgramOutput, RunError, lost, number, started};
use super::output_file::open_output;
use crate::KernelError;
use crate::process::launch::{ProgramLaunch, SessionKind};

/// How often the file is read while the program runs.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a program with its output appended to a file, passes on the lines that come into the file meanwhile, and returns once it has
/// exited. All of its output counts as its standard error. It has no standard input.
///
/// Dropping the future kills the program's whole process group.
pub async fn run_recorded(
    launch: ProgramLaunch,
    output: &Path,
    timeout: Duration,
    on_line: &mut (dyn FnMut(&str) + Send),
) -> Result<ProgramOutput, RunError> {
    let writer = open_output(output)?;
    let mut recorded = RecordedOutput::after_now(output)?;
    let (mut command, report) = launch.command(SessionKind::OwnGroup)?;
    let errors = writer.try_clone().map_err(|error| report.explain(&error))?;
    command.stdin(Stdio::null()).stdout(OwnedFd::from(writer)).stderr(OwnedFd::from(errors));
    let (group, mut child) = started(command, report).await?;
    let ended = tokio::time::timeout(timeout, async {
        loop {
            tokio::select! {
                status = child.wait() => return status,
                () = tokio::time::sleep(LOOK) => recorded.pass_on(on_line),
            }
        }
    });
    let ended = ended.await;
    recorded.pass_on(on_line);
    let status = ended.map_err(|_| RunError::TimedOut(timeout))?.map_err(lost)?;
    // The leader was waited for: its number may be another group's by now.
    group.release();
    let (stderr, truncated) = recorded.capture.finish(on_line);
    Ok(ProgramOutput { status: number(status), stdout: Vec::new(), stderr, truncated })
}

/// What comes into the file from now on.
struct RecordedOutput {
    file: File,
    read: u64,
    capture: OutputCapture,
}

impl RecordedOutput {
    fn after_now(path: &Path) -> Result<RecordedOutput, KernelError> {
        // The agent opens it as root, so a link in its place must not lead to another file.
        let no_links = OFlags::NOFOLLOW.bits().cast_signed();
        let opened = std::fs::OpenOptions::new().read(true).custom_flags(no_links).open(path);
        let seen = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
        let (read, file) = seen.map_err(|error| KernelError::Os {
            doing: format!("read {}", path.display()),
            errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        })?;
        Ok(RecordedOutput { file, read, capture: OutputCapture::new(MAX_OUTPUT) })
    }

    /// Passes on what has come since, and not more than the limit: a process in the background could write as fast as this reads.
    fn pass_on(&mut self, on_line: &mut (dyn FnMut(&str) + Send)) {
        // Emptied meanwhile, because it had become too large.
        if self.file.metadata().is_ok_and(|file| file.len() < self.read) {
            self.read = 0;
        }
        let mut buffer = [0; 16 * 1024];
        let mut left = MAX_OUTPUT;
        while left > 0 {
            let count = match self.file.read_at(&mut buffer, self.read) {
                Ok(0) | Err(_) => return,
                Ok(count) => count,
            };
            self.capture.push(&buffer[..count], on_line);
            self.read = self.read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            left = left.saturating_sub(count);
        }
    }
}
