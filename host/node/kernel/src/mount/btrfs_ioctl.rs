//! BTRFS_IOC_SCAN_DEV of linux/btrfs.h.
#![expect(unsafe_code, reason = "ioctls pass pointers")]

use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

const NAME: usize = 4088;

/// `struct btrfs_ioctl_vol_args`.
#[repr(C)]
struct VolumeArgs {
    fd: i64,
    name: [u8; NAME],
}

nix::ioctl_write_ptr_bad!(scan_dev, 0x5000_9404, VolumeArgs);

/// Tells the kernel that the device is one of a btrfs, so that a mount of another one of them finds it.
pub(super) fn scan(device: &Path) -> Result<(), Errno> {
    let control = rustix::fs::open("/dev/btrfs-control", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let path = device.as_os_str().as_bytes();
    let mut args = VolumeArgs { fd: 0, name: [0; NAME] };
    // The kernel wants a zero behind the name.
    args.name[..NAME - 1].get_mut(..path.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(path);
    // SAFETY: the descriptor is open for the call, which reads `args` and keeps no pointer to it.
    let scanned = unsafe { scan_dev(control.as_raw_fd(), &raw const args) };
    scanned.map(drop).map_err(|errno| Errno::from_raw_os_error(errno as i32))
}
