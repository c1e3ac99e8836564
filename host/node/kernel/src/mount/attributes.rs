//! mount_setattr(2), which no library wraps yet.
#![expect(unsafe_code, reason = "a system call without a safe wrapper")]

use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;
use rustix::mount::MountAttrFlags;

/// `struct mount_attr` of linux/mount.h, version 0.
#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Changes the attributes of a mount, given its root, and of the mounts below it if `recursive`.
pub(crate) fn mount_setattr(
    mount: impl AsFd,
    set: MountAttrFlags,
    clear: MountAttrFlags,
    recursive: bool,
) -> Result<(), Errno> {
    let attr = MountAttr { attr_set: set.bits().into(), attr_clr: clear.bits().into(), propagation: 0, userns_fd: 0 };
    change(mount, &attr, recursive)
}

/// Makes a mount, and those below it, a slave of what it was copied from: what is unmounted in the copy stays in the original.
pub(crate) fn follow_original(mount: impl AsFd) -> Result<(), Errno> {
    change(mount, &MountAttr { attr_set: 0, attr_clr: 0, propagation: libc::MS_SLAVE, userns_fd: 0 }, true)
}

fn change(mount: impl AsFd, attr: &MountAttr, recursive: bool) -> Result<(), Errno> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the descriptor is borrowed for the call, the path is a C string, and `attr` outlives the call, which reads
    // as many bytes of it as the last argument says.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attr),
            size_of::<MountAttr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
