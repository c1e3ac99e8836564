//! Pipes in place of a terminal: `om web exec … | head`.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Whether this is the end of a pipe that no process reads any more. A write to it would fail.
pub fn reader_is_gone(output: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(output, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(poll(&mut watched, Some(&at_once)), Ok(1)) && watched[0].revents().contains(PollFlags::ERR)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_pipe_without_a_reader_is_noticed_before_a_write() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        assert!(!reader_is_gone(writer.as_fd()));
        drop(reader);
        assert!(reader_is_gone(writer.as_fd()));
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(!reader_is_gone(file.as_fd()));
    }
}
