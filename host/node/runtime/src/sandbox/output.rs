//! What a driver prints on its standard output and error: kept up to a limit, the rest dropped and counted. A driver is not
//! ended for printing too much.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};

/// How much is taken from the driver at once.
const PIECE: usize = 64 << 10;

/// What a driver printed. All clones are the same output.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    limit: usize,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    dropped: u64,
}

impl Output {
    /// Keeps the first `limit` bytes.
    pub(crate) fn new(limit: u64) -> Output {
        Output { limit: usize::try_from(limit).unwrap_or(usize::MAX), kept: Arc::default() }
    }

    /// The lines that were kept, and how much was not.
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
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.limit.saturating_sub(kept.text.len()).min(bytes.len());
        kept.text.extend_from_slice(&bytes[..room]);
        kept.dropped += (bytes.len() - room) as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(PIECE)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    /// Never asked for: drivers speak WASI 0.2, which has streams of its own.
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
    fn what_is_too_much_is_dropped_and_counted() {
        let mut output = Output::new(8);
        output.write(Bytes::from_static(b"one\n")).unwrap();
        assert_eq!(output.lines(), ["one"]);
        output.write(Bytes::from_static(b"three\n")).unwrap();
        assert_eq!(output.lines(), ["one", "thre", "2 more bytes were dropped: the driver printed too much"]);
    }
}
