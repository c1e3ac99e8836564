//! The system calls at fork and exec that no library wraps.

#![expect(unsafe_code, reason = "fork and exec have no safe wrapper")]

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

/// A null-terminated array of strings, as execve(2) takes it.
pub(super) struct ExecVector {
    pointers: Vec<*const c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers lead into `_strings`, whose buffers never move and are never written.
unsafe impl Send for ExecVector {}
// SAFETY: as above, and there is no interior mutability.
unsafe impl Sync for ExecVector {}

impl ExecVector {
    pub(super) fn new(strings: Vec<CString>) -> ExecVector {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        ExecVector { pointers, _strings: strings }
    }
}

/// Runs `child` in the forked process, before std's exec. If `child` executes a program, std's exec is never reached.
///
/// `child` must make system calls only: other threads may hold the allocator's locks at the moment of the fork.
pub(super) fn after_fork(command: &mut Command, child: impl Fn() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: the only caller is `ChildSetup::arm`, which keeps the rule above.
    unsafe { command.pre_exec(child) };
}

/// Executes a file. Returns only if that fails.
pub(super) fn execute(path: &CStr, argv: &ExecVector, envp: &ExecVector) -> io::Error {
    // SAFETY: all are null-terminated, and the borrows keep them alive.
    unsafe { libc::execve(path.as_ptr(), argv.pointers.as_ptr(), envp.pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// Gives the calling process the usual scheduling policy and priority, for processors and for disks. What it may not raise stays.
pub(super) fn reset_priority() {
    /// Of linux/ioprio.h: the priority of this process.
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    // SAFETY: these calls read no memory but `usual`, which outlives the one that does.
    unsafe {
        let usual: libc::sched_param = std::mem::zeroed();
        libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const usual);
        libc::setpriority(libc::PRIO_PROCESS, 0, 0);
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0);
    }
}

/// Marks every descriptor except the standard ones to be closed at exec. Not closed yet: one of them reports a failed step.
pub(super) fn inherit_nothing() -> io::Result<()> {
    // SAFETY: close_range(2) reads no memory, and a mark closes nothing yet.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
