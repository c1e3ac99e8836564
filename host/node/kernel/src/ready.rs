//! Waits until a descriptor is ready, without a thread.

#![expect(unsafe_code, reason = "tokio's safe registration is deprecated, as it trusts any AsRawFd")]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the tokio runtime of this task, to wait until it is readable.
pub(crate) fn when_readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    register(fd, Interest::READABLE)
}

/// The same, to wait until it has something of priority: POLLPRI of poll(2).
pub(crate) fn when_urgent(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    register(fd, Interest::PRIORITY)
}

fn register(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd has one descriptor, the same for all its life, and only its owner closes it.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(|error| error.into_parts().1)
}
