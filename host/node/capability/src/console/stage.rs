//! The terminal of a program's own, and the bytes between it and the operator's.
//!
//! A program on the operator's own terminal could type into it: what it types there, the operator's shell runs once the program has
//! exited. So it gets another one, which ends with it.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use driver::OperatorTerminal;
use kernel::process::{ForegroundProgram, StandardStream};
use kernel::terminal::{PseudoTerminal, RawTerminal, TerminalInput, is_terminal, resize};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use super::connect::copy;
use crate::CapabilityError;

/// How long output is waited for once the program has exited: a process that it has left behind may keep the terminal open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The terminal of a program's own.
pub(super) struct ProgramStage {
    controller: OwnedFd,
    /// The one of the program's streams that makes it the terminal of the program's session.
    pub(super) stream: StandardStream,
    /// Whether the operator types into it.
    takes_input: bool,
    /// The operator's terminal.
    shown_on: OwnedFd,
}

impl ProgramStage {
    /// The program's standard input, output and error: a terminal of its own in place of each that is the operator's terminal, and the
    /// others as they are. None if none is a terminal.
    pub(super) fn of(operator: &OperatorTerminal) -> Result<(Option<ProgramStage>, [OwnedFd; 3]), CapabilityError> {
        let streams = [&operator.input, &operator.output, &operator.errors];
        let kinds = [StandardStream::Input, StandardStream::Output, StandardStream::Errors];
        let seen = streams.iter().zip(kinds).filter(|(fd, _)| is_terminal(fd.as_fd()));
        let terminals: Vec<(&OwnedFd, StandardStream)> = seen.map(|(fd, kind)| (*fd, kind)).collect();
        let Some((like, stream)) = terminals.first() else {
            return Ok((None, [copy(streams[0])?, copy(streams[1])?, copy(streams[2])?]));
        };
        let pair = PseudoTerminal::like(like)?;
        let given = |fd: &OwnedFd| copy(if is_terminal(fd) { &pair.terminal } else { fd });
        let stdio = [given(streams[0])?, given(streams[1])?, given(streams[2])?];
        // Where it is shown: not on the input, if there is another.
        let shown_on = terminals.iter().find(|(_, kind)| *kind != StandardStream::Input).unwrap_or(&terminals[0]);
        let stage = ProgramStage {
            stream: *stream,
            takes_input: *stream == StandardStream::Input,
            shown_on: copy(shown_on.0)?,
            controller: pair.controller,
        };
        Ok((Some(stage), stdio))
    }

    /// Passes bytes until the program has exited. Returns its exit status.
    pub(super) async fn play(
        self,
        program: &mut ForegroundProgram,
        operator: &OperatorTerminal,
    ) -> Result<i32, CapabilityError> {
        let watched = |kind| signal(kind).map_err(|error| CapabilityError::io("cannot watch the terminal", &error));
        let (mut resized, mut interrupted) = (watched(SignalKind::window_change())?, watched(SignalKind::interrupt())?);
        // A signal with a handler has no default action any more: the quit key must not kill this process while the
        // operator's terminal is raw.
        let _ignored: Option<Signal> = signal(SignalKind::quit()).ok();
        let mut spoken = TerminalInput::read(copy(&self.controller)?)?;
        let mut typed = match self.takes_input {
            true => Some(TerminalInput::read(copy(&operator.input)?)?),
            false => None,
        };
        let mut controller = File::from_std(std::fs::File::from(copy(&self.controller)?));
        let mut screen = File::from_std(std::fs::File::from(copy(&self.shown_on)?));
        // The keys are those of the program's own terminal, which makes signals of them.
        let raw = match self.takes_input {
            true => RawTerminal::make(&operator.input)?,
            false => None,
        };
        let mut listening = true;
        let status = loop {
            tokio::select! {
                status = program.exited() => break status?,
                bytes = spoken.next(), if listening => match bytes {
                    Some(bytes) => show(&mut screen, &bytes).await?,
                    None => listening = false,
                },
                bytes = next(&mut typed) => match bytes {
                    Some(bytes) => drop(show(&mut controller, &bytes).await),
                    None => typed = None,
                },
                _ = resized.recv() => resize(&self.controller, &self.shown_on),
                _ = interrupted.recv() => program.interrupt(),
            }
        };
        while listening && let Ok(Some(bytes)) = timeout(LAST_WORDS, spoken.next()).await {
            show(&mut screen, &bytes).await?;
        }
        // The terminal is itself again before anything else is printed to it.
        drop(raw);
        Ok(status)
    }
}

/// What the operator types. Never, once there is no more.
async fn next(typed: &mut Option<TerminalInput>) -> Option<Vec<u8>> {
    match typed {
        Some(typed) => typed.next().await,
        None => std::future::pending().await,
    }
}

async fn show(to: &mut File, bytes: &[u8]) -> Result<(), CapabilityError> {
    let shown = async {
        to.write_all(bytes).await?;
        to.flush().await
    };
    shown.await.map_err(|error| CapabilityError::io("cannot write to the terminal", &error))
}
