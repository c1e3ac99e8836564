//! A watchdog, see watchdog-api of the kernel: once it is open it resets the node, unless it is petted or closed with the magic
//! letter.
#![expect(unsafe_code, reason = "ioctls pass pointers")]

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags, fstat, minor, open};
use rustix::io::{Errno, read, write};

/// `struct watchdog_info` of linux/watchdog.h.
#[repr(C)]
struct WatchdogInfo {
    options: u32,
    firmware: u32,
    identity: [u8; 32],
}

const MAGIC_CLOSE: u32 = 0x0100;

nix::ioctl_read!(get_support, b'W', 0, WatchdogInfo);
nix::ioctl_read!(keep_alive, b'W', 5, libc::c_int);
nix::ioctl_readwrite!(set_timeout, b'W', 6, libc::c_int);

/// A watchdog that is open. Dropped without [`close`](WatchdogDevice::close), it goes on, and resets the node when its time is over.
#[derive(Debug)]
pub struct WatchdogDevice {
    device: OwnedFd,
    timeout: u32,
    identity: [u8; 32],
    can_close: bool,
}

impl WatchdogDevice {
    /// Opens the device, which starts it, with a timeout in seconds. A device of another timeout than that is closed again: one
    /// that waits longer would not protect.
    pub fn open(path: &CStr, timeout: u32) -> Result<WatchdogDevice, Errno> {
        let device = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut watchdog = WatchdogDevice { device, timeout: 0, identity: [0; 32], can_close: true };
        let set = watchdog.set_up(timeout);
        match set {
            Ok(()) if watchdog.timeout <= timeout => Ok(watchdog),
            Ok(()) => watchdog.close().and(Err(Errno::RANGE)),
            Err(errno) => watchdog.close().and(Err(errno)),
        }
    }

    fn set_up(&mut self, timeout: u32) -> Result<(), Errno> {
        let mut info = WatchdogInfo { options: 0, firmware: 0, identity: [0; 32] };
        let mut seconds = libc::c_int::try_from(timeout).map_err(|_| Errno::INVAL)?;
        let fd = self.device.as_raw_fd();
        // SAFETY: the kernel writes one `watchdog_info`, which has its layout.
        unsafe { get_support(fd, &raw mut info) }.map_err(errno)?;
        // SAFETY: the kernel reads and writes one int.
        unsafe { set_timeout(fd, &raw mut seconds) }.map_err(errno)?;
        self.timeout = u32::try_from(seconds).unwrap_or(u32::MAX);
        (self.identity, self.can_close) = (info.identity, info.options & MAGIC_CLOSE != 0);
        Ok(())
    }

    /// Starts its time anew.
    pub fn pet(&self) -> Result<(), Errno> {
        let mut nothing: libc::c_int = 0;
        // SAFETY: the kernel writes one int at most.
        unsafe { keep_alive(self.device.as_raw_fd(), &raw mut nothing) }.map(drop).map_err(errno)
    }

    /// Stops it. One that cannot be stopped goes on and resets the node.
    pub fn close(self) -> Result<(), Errno> {
        match self.can_close {
            true => write(&self.device, b"V").map(drop),
            false => Err(Errno::OPNOTSUPP),
        }
    }

    /// Its timeout in seconds, as it was set.
    pub fn timeout(&self) -> u32 {
        self.timeout
    }

    /// The name that it gives itself.
    pub fn identity(&self) -> &str {
        let length = self.identity.iter().position(|byte| *byte == 0).unwrap_or(self.identity.len());
        std::str::from_utf8(&self.identity[..length]).unwrap_or_default()
    }

    /// Whether the kernel lets no process stop it, not even by the magic letter. None: it does not say.
    pub fn is_unstoppable(&self) -> Option<bool> {
        const MISCELLANEOUS: u32 = 10;
        let number = fstat(&self.device).ok()?.st_rdev;
        // /dev/watchdog is the old name of the first one.
        let first = rustix::fs::major(number) == MISCELLANEOUS || minor(number) == 0;
        let file = if first { c"/sys/class/watchdog/watchdog0/nowayout" } else { return None };
        let mut text = [0_u8; 8];
        let length = read(open(file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?, &mut text).ok()?;
        Some(text[..length].first() == Some(&b'1'))
    }
}

fn errno(errno: nix::errno::Errno) -> Errno {
    Errno::from_raw_os_error(errno as i32)
}
