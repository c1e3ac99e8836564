//! An open console: bytes of the terminal to the resource, bytes of the resource to the terminal, until either side closes.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use driver::OperatorTerminal;
use guard::{EngineLookup, LookupResult, TerminalStream};
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use kernel::terminal::TerminalInput;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::connect::copy;
use super::demux::{OutputDemux, OutputStream};
use crate::CapabilityError;
use crate::http::{ask, look_up};

/// How long the engine may take to answer the host's own requests while a console is open.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the output has a reader left.
const LOOK: Duration = Duration::from_millis(300);

/// How often the size of the terminal is sent to a command that has only just started.
const SIZINGS: u32 = 10;

/// A connection to the resource.
pub(super) enum ConsoleLink {
    /// A connection for both directions.
    Both(Box<TokioIo<Upgraded>>),
    /// An answer whose body goes on: output only.
    Answer(Incoming),
}

/// The resource's side of a console.
pub(super) struct ConsoleSession {
    pub(super) socket: PathBuf,
    /// The path of the request that opened the console.
    pub(super) target: String,
    pub(super) stream: TerminalStream,
}

/// How a console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConsoleEnd {
    /// The resource closed it.
    Closed,
    /// The reader of the operator's pipe has exited, as in `om web exec … | head`.
    ReaderGone,
}

impl ConsoleSession {
    /// Passes bytes until either side closes.
    pub(super) async fn bridge(
        &self,
        link: ConsoleLink,
        terminal: &OperatorTerminal,
    ) -> Result<ConsoleEnd, CapabilityError> {
        let mut screen = ConsoleScreen::new(terminal, self.stream.framed)?;
        // Also while nothing is printed: the output of a service may stay silent for hours.
        let gone = reader_gone(copy(&terminal.output)?);
        let bridged = async {
            match link {
                ConsoleLink::Both(connection) => self.both_ways(*connection, terminal, &mut screen).await,
                ConsoleLink::Answer(body) => one_way(body, &mut screen).await,
            }
        };
        tokio::select! {
            bridged = bridged => match bridged {
                Err(CapabilityError::Os { errno, .. }) if is_broken_pipe(errno) => Ok(ConsoleEnd::ReaderGone),
                bridged => bridged.map(|()| ConsoleEnd::Closed),
            },
            () = gone => Ok(ConsoleEnd::ReaderGone),
        }
    }

    async fn both_ways(
        &self,
        connection: TokioIo<Upgraded>,
        terminal: &OperatorTerminal,
        screen: &mut ConsoleScreen,
    ) -> Result<(), CapabilityError> {
        let (mut reader, mut writer) = tokio::io::split(connection);
        let mut input = TerminalInput::read(copy(&terminal.input)?)?;
        let mut resized = signal(SignalKind::window_change())
            .map_err(|error| CapabilityError::io("cannot watch the terminal", &error))?;
        let mut buffer = vec![0; 16 * 1024];
        let mut typing = true;
        // Tried beside the loop, because the command may not have a terminal yet, and output must not wait for that.
        let first = self.size(terminal, SIZINGS);
        tokio::pin!(first);
        let mut sized = false;
        loop {
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    // Also an error is the end: an engine may reset the connection when the command exits.
                    Ok(0) | Err(_) => return Ok(()),
                    Ok(count) => screen.show(&buffer[..count]).await?,
                },
                typed = input.next(), if typing => match typed {
                    // A command that has closed its input goes on: only the typing stops.
                    Some(bytes) => typing = writer.write_all(&bytes).await.is_ok(),
                    None => {
                        typing = false;
                        let _ = writer.shutdown().await;
                    }
                },
                () = &mut first, if !sized => sized = true,
                _ = resized.recv() => self.size(terminal, 1).await,
            }
        }
    }

    /// Sends the size of the operator's terminal to the one inside. If that fails, the terminal inside keeps its size.
    async fn size(&self, terminal: &OperatorTerminal, tries: u32) {
        let Some(exec) = self.stream.exec.as_ref().filter(|_| !self.stream.framed) else { return };
        let Some(size) = kernel::terminal::size(terminal.input.as_fd()) else { return };
        let path = EngineLookup::Exec(exec.clone()).path(&self.target);
        let path = format!("{}/resize?h={}&w={}", path.trim_end_matches("/json"), size.rows, size.columns);
        for attempt in 1..=tries {
            let resized = ask(&self.socket, Method::POST, &path, Instant::now() + PATIENCE).await;
            if resized.is_ok_and(|response| response.status < 300) {
                return;
            }
            // The engine creates the command before it runs it, and until then there is no terminal to resize.
            tokio::time::sleep(Duration::from_millis(10) * attempt).await;
        }
    }

    /// The exit status of the command that ran, or 0 if the console was not a command's.
    pub(super) async fn exit_status(&self) -> Result<i32, CapabilityError> {
        let Some(exec) = &self.stream.exec else { return Ok(0) };
        let lookup = EngineLookup::Exec(exec.clone());
        let found = look_up(&self.socket, &lookup, &self.target, Instant::now() + PATIENCE).await?;
        match found {
            LookupResult::Exec { exit_code: Some(code), .. } => Ok(i32::try_from(code).unwrap_or(1)),
            // The engine says that it still runs: the connection was closed for another reason.
            _ => Err(CapabilityError::Other("the console closed before the command ended".to_owned())),
        }
    }
}

/// Shows an answer that goes on.
async fn one_way(mut body: Incoming, screen: &mut ConsoleScreen) -> Result<(), CapabilityError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| CapabilityError::Other(format!("the output was cut off: {error}")))?;
        if let Some(bytes) = frame.data_ref() {
            screen.show(bytes).await?;
        }
    }
    Ok(())
}

fn is_broken_pipe(errno: i32) -> bool {
    std::io::Error::from_raw_os_error(errno).kind() == std::io::ErrorKind::BrokenPipe
}

/// Waits until no process reads a pipe any more. Never, for anything but a pipe.
async fn reader_gone(output: OwnedFd) {
    while !kernel::terminal::reader_is_gone(output.as_fd()) {
        tokio::time::sleep(LOOK).await;
    }
}

/// The two outputs of the operator's terminal.
struct ConsoleScreen {
    demux: Option<OutputDemux>,
    output: tokio::fs::File,
    errors: tokio::fs::File,
}

impl ConsoleScreen {
    fn new(terminal: &OperatorTerminal, framed: bool) -> Result<ConsoleScreen, CapabilityError> {
        let file = |fd: &OwnedFd| Ok::<_, CapabilityError>(tokio::fs::File::from_std(std::fs::File::from(copy(fd)?)));
        Ok(ConsoleScreen {
            demux: framed.then(OutputDemux::default),
            output: file(&terminal.output)?,
            errors: file(&terminal.errors)?,
        })
    }

    async fn show(&mut self, bytes: &[u8]) -> Result<(), CapabilityError> {
        let pieces = match &mut self.demux {
            Some(demux) => demux.push(bytes),
            None => vec![(OutputStream::Stdout, bytes)],
        };
        for (to, piece) in pieces {
            let file = match to {
                OutputStream::Stdout => &mut self.output,
                OutputStream::Stderr => &mut self.errors,
            };
            let shown = async {
                file.write_all(piece).await?;
                file.flush().await
            };
            shown.await.map_err(|error| CapabilityError::io("cannot write to the terminal", &error))?;
        }
        Ok(())
    }
}
