//! Two programs at once, of which the second reads the output of the first.
//!
//! The bytes go through the agent rather than directly from one program to the other, so that they can be counted.
//! Dropping the future kills both process groups.

use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};

use super::captured::{ProgramOutput, RunError, RunningProgram, lost};
use crate::process::launch::ProgramLaunch;

/// The results of both programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipeOutput {
    /// The result of the first program, without its standard output.
    pub source: ProgramOutput,
    /// The result of the second program.
    pub sink: ProgramOutput,
    /// How many bytes went from the first to the second.
    pub bytes: u64,
}

/// Receives lines and progress while the programs run.
pub struct PipeListener<'a> {
    /// Called with each line of either program.
    pub on_line: &'a mut (dyn FnMut(&str) + Send),
    /// Called with the number of bytes so far.
    pub on_bytes: &'a mut (dyn FnMut(u64) + Send),
}

type Relay<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs both programs until both have exited. The sink reads `before` first.
pub async fn pipe(
    source: ProgramLaunch,
    sink: ProgramLaunch,
    before: &[u8],
    timeout: Duration,
    listener: PipeListener<'_>,
) -> Result<PipeOutput, RunError> {
    let mut source = RunningProgram::start(source).await?;
    let mut sink = RunningProgram::start(sink).await?;
    let PipeListener { on_line, on_bytes } = listener;
    let bytes = Arc::new(AtomicU64::new(0));
    // The source reads nothing: it finds the end of its input at once.
    drop(source.stdin.take());
    let relay = relay(source.stdout.detach(), sink.stdin.take(), before, &bytes, on_bytes);
    let attended = attend(&mut source, &mut sink, Box::pin(relay), on_line);
    let ended = tokio::time::timeout(timeout, attended).await;
    let (first, second) = ended.map_err(|_| RunError::TimedOut(timeout))?.map_err(lost)?;
    let (source, sink) = (source.finish(first, on_line), sink.finish(second, on_line));
    Ok(PipeOutput { source, sink, bytes: bytes.load(Ordering::Acquire) })
}

async fn attend(
    source: &mut RunningProgram,
    sink: &mut RunningProgram,
    relay: Relay<'_>,
    on_line: &mut (dyn FnMut(&str) + Send),
) -> io::Result<(ExitStatus, ExitStatus)> {
    let RunningProgram { child: from, stderr: from_errors, .. } = source;
    let RunningProgram { child: to, stdout, stderr, .. } = sink;
    let mut relay = Some(relay);
    let (mut first, mut second) = (None, None);
    loop {
        if let (Some(first), Some(second)) = (first, second) {
            return Ok((first, second));
        }
        tokio::select! {
            status = from.wait(), if first.is_none() => first = Some(status?),
            status = to.wait(), if second.is_none() => {
                second = Some(status?);
                // Dropping the relay closes the source's pipe: its next write fails, as in a shell.
                relay = None;
            }
            () = over(&mut relay), if relay.is_some() => relay = None,
            count = from_errors.fill(), if from_errors.open => from_errors.take(count, on_line),
            count = stdout.fill(), if stdout.open => stdout.take(count, on_line),
            count = stderr.fill(), if stderr.open => stderr.take(count, on_line),
        }
    }
}

async fn over(relay: &mut Option<Relay<'_>>) {
    if let Some(relay) = relay {
        relay.await;
    }
}

/// Passes on the output of the source, until it ends or the sink stops reading.
async fn relay(
    from: Option<Receiver>,
    to: Option<Sender>,
    before: &[u8],
    bytes: &AtomicU64,
    on_bytes: &mut (dyn FnMut(u64) + Send),
) {
    let (Some(mut from), Some(mut to)) = (from, to) else { return };
    let mut buffer = vec![0; 64 * 1024];
    // The sink has exited or closed its input. Its own error is the one to report.
    if to.write_all(before).await.is_err() {
        return;
    }
    loop {
        let count = from.read(&mut buffer).await.unwrap_or(0);
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        let count = u64::try_from(count).unwrap_or(0);
        on_bytes(bytes.fetch_add(count, Ordering::AcqRel) + count);
    }
}
