//! The end of the node.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, write};
use rustix::system::{RebootCommand, reboot};

/// Resets the node at once: nothing is written back, nothing is stopped.
pub fn reset_node() -> Result<(), Errno> {
    let trigger = open(c"/proc/sysrq-trigger", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    write(&trigger, b"b").map(drop)
}

/// Starts the node again by the kernel's own way, without a word to the processes on it.
pub fn restart_node() -> Result<(), Errno> {
    reboot(RebootCommand::Restart)
}
