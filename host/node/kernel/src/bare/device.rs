//! Block devices: whether the system uses one, and loop devices.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, Mode, OFlags, major, minor, open, readlinkat_raw, stat};
use rustix::io::Errno;

use super::text::StackText;
use crate::block::loop_ioctl;

/// Whether the system uses the device: it is mounted in any mount namespace, or another device stands on it.
pub fn is_in_use((number, sub): (u32, u32)) -> Result<bool, Errno> {
    let mut target = [MaybeUninit::uninit(); 256];
    let link = StackText::of(format_args!("/sys/dev/block/{number}:{sub}"))?;
    let (target, _) = match readlinkat_raw(CWD, link.as_c_str()?, &mut target) {
        // There is no such device any more.
        Err(Errno::NOENT) => return Ok(false),
        read => read?,
    };
    let name = target.rsplit(|byte| *byte == b'/').next().and_then(|name| std::str::from_utf8(name).ok());
    let path = StackText::of(format_args!("/dev/{}", name.ok_or(Errno::ILSEQ)?))?;
    let path = path.as_c_str()?;
    // O_EXCL on a block device fails with EBUSY if the system uses it, see open(2).
    match open(path, OFlags::RDONLY | OFlags::EXCL | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::BUSY) => {
            let seen = stat(path)?.st_rdev;
            Ok((major(seen), minor(seen)) == (number, sub))
        }
        Err(Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::NOMEDIUM) => Ok(false),
        opened => opened.map(|_| false),
    }
}

/// Whether the device is attached to the file of this device and inode.
pub fn is_loop_attached(device: &CStr, backing: ((u32, u32), u64)) -> Result<bool, Errno> {
    match open_loop(device)? {
        Some(device) => is_of(&device, backing),
        None => Ok(false),
    }
}

/// Detaches the device, if it is attached to that file. If it is open, the kernel does so when the last process has closed it.
pub fn release_loop(device: &CStr, backing: ((u32, u32), u64)) -> Result<(), Errno> {
    match open_loop(device)? {
        Some(device) if is_of(&device, backing)? => loop_ioctl::clear(&device),
        _ => Ok(()),
    }
}

fn open_loop(device: &CStr) -> Result<Option<OwnedFd>, Errno> {
    match open(device, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT | Errno::NXIO) => Ok(None),
        opened => opened.map(Some),
    }
}

fn is_of(device: &OwnedFd, backing: ((u32, u32), u64)) -> Result<bool, Errno> {
    match loop_ioctl::status(device) {
        Ok(info) => Ok(((major(info.device), minor(info.device)), info.inode) == backing),
        Err(Errno::NXIO) => Ok(false),
        Err(errno) => Err(errno),
    }
}
