//! The ioctls of loop devices, see loop(4).
#![expect(unsafe_code, reason = "ioctls pass pointers")]

use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno as NixErrno;
use rustix::io::Errno;

/// `struct loop_info64` of linux/loop.h.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct LoopInfo {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    rdevice: u64,
    pub(crate) offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    pub(crate) flags: u32,
    pub(crate) file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config` of linux/loop.h.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

pub(crate) const READ_ONLY: u32 = 1;
pub(crate) const AUTOCLEAR: u32 = 4;

nix::ioctl_none_bad!(ctl_get_free, 0x4C82);
nix::ioctl_none_bad!(clr_fd, 0x4C01);
nix::ioctl_write_ptr_bad!(set_status, 0x4C04, LoopInfo);
nix::ioctl_read_bad!(get_status, 0x4C05, LoopInfo);
nix::ioctl_write_ptr_bad!(set_config, 0x4C0A, LoopConfig);

nix::ioctl_write_ptr_bad!(set_read_only, 0x125D, libc::c_int);

const EMPTY: LoopInfo = LoopInfo {
    device: 0,
    inode: 0,
    rdevice: 0,
    offset: 0,
    size_limit: 0,
    number: 0,
    encrypt_type: 0,
    encrypt_key_size: 0,
    flags: 0,
    file_name: [0; 64],
    crypt_name: [0; 64],
    encrypt_key: [0; 32],
    init: [0; 2],
};

/// The number of a loop device that is free now. Another process may take it before the caller does.
pub(crate) fn free_number(control: impl AsFd) -> Result<i32, Errno> {
    // SAFETY: the ioctl takes no argument.
    unsafe { ctl_get_free(control.as_fd().as_raw_fd()) }.map_err(errno)
}

/// Attaches the loop device to `file`.
pub(crate) fn configure(device: impl AsFd, file: impl AsFd, flags: u32, file_name: [u8; 64]) -> Result<(), Errno> {
    let fd = file.as_fd().as_raw_fd().unsigned_abs();
    // LOOP_CONFIGURE sets file and flags at once, so that no other process sees the device half configured. Needs Linux 5.8.
    let config = LoopConfig { fd, block_size: 0, info: LoopInfo { flags, file_name, ..EMPTY }, reserved: [0; 8] };
    // SAFETY: the kernel reads one `loop_config`, which has its layout and outlives the call.
    unsafe { set_config(device.as_fd().as_raw_fd(), &raw const config) }.map(|_| ()).map_err(errno)
}

/// The file behind the loop device. Fails with ENXIO if it is not attached.
pub(crate) fn status(device: impl AsFd) -> Result<LoopInfo, Errno> {
    let mut info = EMPTY;
    // SAFETY: the kernel writes one `loop_info64`, which has its layout.
    unsafe { get_status(device.as_fd().as_raw_fd(), &raw mut info) }.map(|_| info).map_err(errno)
}

/// Sets the flags of an attached device that may be changed.
pub(crate) fn change(device: impl AsFd, info: &LoopInfo) -> Result<(), Errno> {
    // SAFETY: the kernel reads one `loop_info64`, which has its layout.
    unsafe { set_status(device.as_fd().as_raw_fd(), info) }.map(|_| ()).map_err(errno)
}

/// Detaches the device: at once, or when the last process that has it open closes it. The kernel does not say which.
pub(crate) fn clear(device: impl AsFd) -> Result<(), Errno> {
    // SAFETY: the ioctl takes no argument.
    unsafe { clr_fd(device.as_fd().as_raw_fd()) }.map(|_| ()).map_err(errno)
}

fn errno(errno: NixErrno) -> Errno {
    Errno::from_raw_os_error(errno as i32)
}

/// Clears the read-only flag of a block device, see BLKROSET of linux/fs.h.
pub(crate) fn make_writable(device: impl AsFd) -> Result<(), Errno> {
    let off: libc::c_int = 0;
    // SAFETY: the descriptor is borrowed for the call, which reads one int.
    let set = unsafe { set_read_only(device.as_fd().as_raw_fd(), &raw const off) };
    set.map(drop).map_err(errno)
}
