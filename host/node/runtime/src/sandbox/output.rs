//! A guest's standard output and error: kept up to a limit, the rest dropped and counted. A guest is not stopped for printing too
//! much.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};

/// How many bytes are taken from the guest at once.
const PIECE: usize = 64 << 10;

/// The output of a guest. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct GuestOutput {
    limit: usize,
    kept: Arc<Mutex<OutputBuffer>>,
}

#[derive(Debug, Default)]
struct OutputBuffer {
    text: Vec<u8>,
    dropped: u64,
}

impl GuestOutput {
    /// An output that keeps the first `limit` bytes.
    pub(crate) fn new(limit: u64) -> GuestOutput {
        GuestOutput { limit: usize::try_from(limit).unwrap_or(usize::MAX), kept: Arc::default() }
    }

    /// The lines that were kept, and how much was dropped.
    pub(crate) fn lines(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<String> = String::from_utf8_lossy(&kept.text).lines().map(str::to_owned).collect();
        if kept.dropped > 0 {
            lines.push(format!("{} more bytes were dropped: the driver printed too much", kept.dropped));
        }
        lines
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.limit.saturating_sub(kept.text.len()).min(bytes.len());
        kept.text.extend_from_slice(&bytes[..room]);
        kept.dropped += (bytes.len() - room) as u64;
        // Success all the same: a guest that sees an error may stop its work because its log is full.
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        // Always room: the guest never waits for its output. This also bounds what one call makes the host allocate.
        Ok(PIECE)
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    /// Never called: guests speak WASI 0.2, which uses `p2_stream`.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excess_output_is_dropped_and_counted() {
        let mut output = GuestOutput::new(8);
        output.write(Bytes::from_static(b"one\n")).unwrap();
        assert_eq!(output.lines(), ["one"]);
        output.write(Bytes::from_static(b"three\n")).unwrap();
        assert_eq!(output.lines(), ["one", "thre", "2 more bytes were dropped: the driver printed too much"]);
    }
}
