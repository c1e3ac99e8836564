//! Two programs at once, of which the one reads what the other writes.
//!
//! What goes through is read and written here rather than by the two directly, so that it can be counted. Dropping the future
//! kills both process groups.

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

/// How the two programs ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipeOutput {
    /// The one that wrote, without what it wrote.
    pub source: ProgramOutput,
    /// The one that read.
    pub sink: ProgramOutput,
    /// How much went from the one to the other.
    pub bytes: u64,
}

/// Takes what is said while the programs run.
pub struct PipeListener<'a> {
    /// A line of either.
    pub on_line: &'a mut (dyn FnMut(&str) + Send),
    /// How much went through so far.
    pub on_bytes: &'a mut (dyn FnMut(u64) + Send),
}

type Relay<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs both until both have exited. The sink reads `before` first.
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
                // Nobody reads any more: the source is told by its next write.
                relay = None;
            }
            () = ended(&mut relay), if relay.is_some() => relay = None,
            count = from_errors.fill(), if from_errors.open => from_errors.take(count, on_line),
            count = stdout.fill(), if stdout.open => stdout.take(count, on_line),
            count = stderr.fill(), if stderr.open => stderr.take(count, on_line),
        }
    }
}

async fn ended(relay: &mut Option<Relay<'_>>) {
    if let Some(relay) = relay {
        relay.await;
    }
}

/// Hands on what the one writes, until it ends or the other reads no more.
async fn relay(
    from: Option<Receiver>,
    to: Option<Sender>,
    before: &[u8],
    bytes: &AtomicU64,
    on_bytes: &mut (dyn FnMut(u64) + Send),
) {
    let (Some(mut from), Some(mut to)) = (from, to) else { return };
    let mut buffer = vec![0; 64 * 1024];
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
