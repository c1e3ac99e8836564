//! The processes of a control group: killed together, and seen to be gone.

use std::ffi::CStr;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::{Errno, read, write};

/// Kills all processes of the group and of those below it. A group that does not exist has none.
pub fn kill_group(group: &CStr) -> Result<(), Errno> {
    let directory = match open(group, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        Err(errno) if is_gone(errno) => return Ok(()),
        opened => opened?,
    };
    let file = match openat(&directory, c"cgroup.kill", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        Err(errno) if is_gone(errno) && is_group_empty(group)? => return Ok(()),
        opened => opened?,
    };
    match write(&file, b"1") {
        Err(errno) if is_gone(errno) => Ok(()),
        written => written.map(drop),
    }
}

/// Whether no process is left in the group and below it.
pub fn is_group_empty(group: &CStr) -> Result<bool, Errno> {
    let opened = open(group, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .and_then(|directory| openat(&directory, c"cgroup.events", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()));
    let file = match opened {
        Err(errno) if is_gone(errno) => return Ok(true),
        opened => opened?,
    };
    let mut text = [0_u8; 256];
    match read(&file, &mut text) {
        Err(errno) if is_gone(errno) => Ok(true),
        Err(errno) => Err(errno),
        Ok(length) => Ok(text[..length].split(|byte| *byte == b'\n').any(|line| line == b"populated 0")),
    }
}

/// Whether the group was removed meanwhile.
fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NODEV)
}
