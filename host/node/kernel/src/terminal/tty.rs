//! The operator's terminal: raw while it is connected to another one, and restored afterwards; its size; its input.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::window;
use crate::KernelError;

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    pub rows: u16,
    pub columns: u16,
}

/// The size of the terminal behind the descriptor. None if it is not a terminal or its size is unknown.
pub fn size(fd: impl AsFd) -> Option<TerminalSize> {
    let found = window::of(fd.as_fd())?;
    (found.ws_row > 0 && found.ws_col > 0).then_some(TerminalSize { rows: found.ws_row, columns: found.ws_col })
}

/// A terminal in raw mode, which passes on every key as it is. Dropping this restores its former mode.
#[derive(Debug)]
pub struct RawTerminal {
    fd: OwnedFd,
    before: Termios,
}

impl RawTerminal {
    /// Makes the terminal raw. None if the descriptor is not a terminal.
    pub fn make(fd: impl AsFd) -> Result<Option<RawTerminal>, KernelError> {
        let fd = fd.as_fd().try_clone_to_owned().map_err(|error| KernelError::Os {
            doing: "keep the terminal".to_owned(),
            errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        })?;
        // ENOTTY, for a pipe or a file.
        let Ok(before) = tcgetattr(&fd) else { return Ok(None) };
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        // Drained first, so that output of before is not shown in raw mode.
        tcsetattr(&fd, SetArg::TCSADRAIN, &raw).map_err(|errno| KernelError::Os {
            doing: "set up the terminal".to_owned(),
            errno: Errno::from_raw_os_error(errno as i32),
        })?;
        Ok(Some(RawTerminal { fd, before }))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // Fails if the terminal is gone. Then there is nothing to restore.
        let _ = tcsetattr(&self.fd, SetArg::TCSADRAIN, &self.before);
    }
}

/// The input of a terminal, read by a thread of its own. To wait for it without a thread, the descriptor would have to
/// become non-blocking, and that would change it for every process that shares the terminal. Dropping this stops the
/// thread.
#[derive(Debug)]
pub struct TerminalInput {
    chunks: Receiver<Vec<u8>>,
    _stop: OwnedFd,
}

impl TerminalInput {
    /// Starts to read from the descriptor.
    pub fn read(fd: OwnedFd) -> Result<TerminalInput, KernelError> {
        let (stopped, stop) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(KernelError::os("make a pipe"))?;
        let (sender, chunks) = channel(1);
        let thread = std::thread::Builder::new().name("console".to_owned());
        let spawned = thread.spawn(move || pass_on(fd.as_fd(), stopped.as_fd(), &sender));
        spawned.map_err(|error| KernelError::Os {
            doing: "start a thread".to_owned(),
            errno: Errno::from_io_error(&error).unwrap_or(Errno::IO),
        })?;
        Ok(TerminalInput { chunks, _stop: stop })
    }

    /// The next bytes. None at the end of the input.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.chunks.recv().await
    }
}

/// Passes on the input until its end, or until the other end of `stopped` is closed.
fn pass_on(fd: BorrowedFd<'_>, stopped: BorrowedFd<'_>, sender: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    loop {
        let mut ready = [PollFd::new(&fd, PollFlags::IN), PollFd::new(&stopped, PollFlags::IN)];
        match poll(&mut ready, None) {
            Err(Errno::INTR) => continue,
            Err(_) => return,
            // The stop comes before the input: a byte that is not read stays for the next reader of the terminal.
            Ok(_) if !ready[1].revents().is_empty() => return,
            Ok(_) => {}
        }
        match rustix::io::read(fd, &mut buffer) {
            Ok(0) => return,
            Ok(count) if sender.blocking_send(buffer[..count].to_vec()).is_err() => return,
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_pipe_is_not_a_terminal() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(size(&reader), None);
        assert!(RawTerminal::make(&reader).unwrap().is_none());
    }

    #[test]
    fn a_terminal_is_raw_until_it_is_restored() {
        let pty = nix::pty::openpty(None, None).unwrap();
        let flags = || tcgetattr(&pty.slave).unwrap().local_flags;
        let before = flags();
        let raw = RawTerminal::make(&pty.slave).unwrap();
        assert!(raw.is_some() && flags() != before);
        drop(raw);
        assert_eq!(flags(), before);
    }

    #[tokio::test]
    async fn input_is_passed_on_until_its_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut input = TerminalInput::read(reader.into()).unwrap();
        writer.write_all(b"ls").unwrap();
        assert_eq!(input.next().await.as_deref(), Some(&b"ls"[..]));
        drop(writer);
        assert_eq!(input.next().await, None);
    }

    #[tokio::test]
    async fn nothing_is_read_once_the_console_is_closed() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let keep = reader.try_clone().unwrap();
        let mut input = TerminalInput::read(reader.into()).unwrap();
        writer.write_all(b"a").unwrap();
        assert!(input.next().await.is_some());
        let TerminalInput { mut chunks, _stop } = input;
        drop(_stop);
        assert_eq!(chunks.recv().await, None);
        writer.write_all(b"b").unwrap();
        let mut left = [0; 8];
        assert_eq!(rustix::io::read(&keep, &mut left), Ok(1));
    }
}
