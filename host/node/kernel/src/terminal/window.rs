//! The size of a terminal: TIOCGWINSZ and TIOCSWINSZ of ioctl_tty(2).
#![expect(unsafe_code, reason = "ioctls pass pointers")]

use std::os::fd::{AsRawFd, BorrowedFd};

nix::ioctl_read_bad!(tiocgwinsz, libc::TIOCGWINSZ, libc::winsize);
nix::ioctl_write_ptr_bad!(tiocswinsz, libc::TIOCSWINSZ, libc::winsize);

/// Sets the window size of a terminal. Its foreground programs learn of it.
pub(crate) fn set(fd: BorrowedFd<'_>, size: &libc::winsize) -> bool {
    // SAFETY: the descriptor is borrowed for the call, and the kernel only reads the structure.
    unsafe { tiocswinsz(fd.as_raw_fd(), size) }.is_ok()
}

/// The window size that the kernel keeps for a terminal. None if the descriptor is not a terminal.
pub(crate) fn of(fd: BorrowedFd<'_>) -> Option<libc::winsize> {
    let mut found = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is borrowed for the call, and the structure is the one that the kernel fills in.
    unsafe { tiocgwinsz(fd.as_raw_fd(), &mut found) }.ok().map(|_| found)
}
