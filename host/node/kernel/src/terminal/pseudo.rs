//! A terminal of a program's own, between the program and the operator's: what the program does to its terminal, such as typing into it
//! (TIOCSTI of ioctl_tty(2)), it does to this one.

use std::os::fd::{AsFd, OwnedFd};

use nix::pty::openpty;
use nix::sys::termios::tcgetattr;
use rustix::io::{Errno, FdFlags};

use super::window;
use crate::KernelError;

/// The two ends of a terminal.
#[derive(Debug)]
pub struct PseudoTerminal {
    /// The agent's end.
    pub controller: OwnedFd,
    /// The program's end.
    pub terminal: OwnedFd,
}

impl PseudoTerminal {
    /// A terminal of the size and in the mode of another one.
    pub fn like(other: impl AsFd) -> Result<PseudoTerminal, KernelError> {
        let (size, mode) = (window::of(other.as_fd()), tcgetattr(&other).ok());
        let failed = |errno: nix::errno::Errno| KernelError::Os {
            doing: "make a terminal".to_owned(),
            errno: Errno::from_raw_os_error(errno as i32),
        };
        let pair = openpty(size.as_ref(), mode.as_ref()).map_err(failed)?;
        for end in [&pair.master, &pair.slave] {
            rustix::io::fcntl_setfd(end, FdFlags::CLOEXEC).map_err(KernelError::os("make a terminal"))?;
        }
        Ok(PseudoTerminal { controller: pair.master, terminal: pair.slave })
    }
}

/// Gives a terminal the size of another one.
pub fn resize(controller: impl AsFd, like: impl AsFd) {
    if let Some(size) = window::of(like.as_fd()) {
        window::set(controller.as_fd(), &size);
    }
}

/// Whether the descriptor is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    // Asks for its size, as isatty(3) does.
    window::of(fd.as_fd()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_like_another_and_follows_its_size() {
        let other = openpty(None, None).unwrap();
        let mut size = libc::winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        assert!(window::set(other.slave.as_fd(), &size));
        let own = PseudoTerminal::like(&other.slave).unwrap();
        let found = super::super::size(&own.terminal).unwrap();
        assert_eq!((found.rows, found.columns), (30, 100));
        size.ws_row = 50;
        window::set(other.slave.as_fd(), &size);
        resize(&own.controller, &other.slave);
        assert_eq!(super::super::size(&own.terminal).unwrap().rows, 50);
        assert!(is_terminal(&own.terminal));
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(!is_terminal(&reader));
    }
}
