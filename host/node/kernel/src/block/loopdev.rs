//! Loop devices: which one a file backs, attach, detach. See loop(4).
//!
//! A backing file is recognised by device and inode, as the kernel's driver stores them. Its name would be wrong after a
//! rename.

use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, major, makedev, minor};
use rustix::io::Errno;

use super::loop_ioctl::{self, AUTOCLEAR, READ_ONLY};
use super::{DeviceInfo, describe, device_number, find as find_device, holders};
use crate::KernelError;
use crate::files::{FileKind, io_error, stat_of};
use crate::path::{LastLink, PinnedPath, resolve};

/// How often another process may take the free device first before this one gives up.
const ATTEMPTS: usize = 32;

/// How long udev may keep a device open that is being detached.
const PATIENCE: Duration = Duration::from_secs(2);

/// A loop device and the file behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopAttachment {
    /// The device number of the file's file system, and the file's inode.
    pub device: (u32, u32),
    pub inode: u64,
    /// The path that the kernel shows for the file now: it follows a rename.
    pub file: PathBuf,
    /// The number of this attachment, which no other one ever has. None before Linux 5.15.
    pub sequence: Option<u64>,
}

/// The file behind a loop device. None if the device is not attached, or does not exist.
pub fn backing_of(device: &Path) -> Result<Option<LoopAttachment>, KernelError> {
    let Some(number) = number_of(device) else { return Ok(None) };
    let Some(name) = backing_file(number) else { return Ok(None) };
    match open(device, OFlags::RDONLY).and_then(|fd| loop_ioctl::status(&fd)) {
        Ok(info) => Ok(Some(LoopAttachment {
            device: (major(info.device), minor(info.device)),
            inode: info.inode,
            file: PathBuf::from(OsString::from_vec(name)),
            sequence: sequence_of(number),
        })),
        Err(Errno::NXIO | Errno::NOENT) => Ok(None),
        Err(errno) => Err(KernelError::Os { doing: format!("look at {}", device.display()), errno }),
    }
}

fn sequence_of(number: u32) -> Option<u64> {
    std::fs::read_to_string(format!("/sys/block/loop{number}/diskseq")).ok()?.trim().parse().ok()
}

/// A file: the numbers of its device, and its inode.
pub type BackingIdentity = ((u32, u32), u64);

/// The device number of a file's file system, and the file's inode, as a loop device on it will show them.
pub fn identity_of(file: &Path) -> Result<Option<BackingIdentity>, KernelError> {
    Ok(BackingFile::of(file)?.inode.map(|(device, inode)| ((major(device), minor(device)), inode)))
}

/// The device that shows this file from its first byte, whatever the file's name is by now. If there are several, the first one.
pub fn device_of(backing: ((u32, u32), u64)) -> Result<Option<PathBuf>, KernelError> {
    for number in numbers()? {
        let path = device_path(number);
        if backing_of(&path)?.is_some_and(|found| (found.device, found.inode) == backing) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether the path is that of a loop device, with a file behind it or without.
pub fn is_loop(device: &Path) -> bool {
    number_of(device).is_some()
}

fn number_of(device: &Path) -> Option<u32> {
    device.to_str()?.strip_prefix("/dev/loop")?.parse().ok()
}

/// Finds the loop device that `file` backs from its first byte. If there are several, the first one.
pub fn loop_of(file: &Path) -> Result<Option<DeviceInfo>, KernelError> {
    Ok(find(file)?.map(|attached| attached.device))
}

struct AttachedLoop {
    number: u32,
    device: DeviceInfo,
}

fn find(file: &Path) -> Result<Option<AttachedLoop>, KernelError> {
    let backing = BackingFile::of(file)?;
    for number in numbers()? {
        if backing.is_behind(number)? {
            let path = device_path(number);
            let Some(device) = find_device(&path.to_string_lossy())? else { continue };
            return Ok(Some(AttachedLoop { number, device }));
        }
    }
    Ok(None)
}

/// The identity of a backing file.
struct BackingFile {
    /// Device and inode. None if the file does not exist any more.
    inode: Option<(u64, u64)>,
    /// The real path, for devices that the agent may not open and for files that were removed.
    path: PathBuf,
}

impl BackingFile {
    fn of(file: &Path) -> Result<BackingFile, KernelError> {
        match resolve(file, LastLink::Follow) {
            Ok(place) => BackingFile::at(&place),
            Err(KernelError::NotFound(_)) => Ok(BackingFile { inode: None, path: file.to_owned() }),
            Err(error) => Err(error),
        }
    }

    fn at(place: &PinnedPath) -> Result<BackingFile, KernelError> {
        let doing = || format!("look at {}", place.path().display());
        let stat = place.node().map(rustix::fs::fstat).transpose().map_err(KernelError::os(doing()))?;
        Ok(BackingFile { inode: stat.map(|stat| (stat.st_dev, stat.st_ino)), path: place.path().to_owned() })
    }

    fn is_behind(&self, number: u32) -> Result<bool, KernelError> {
        let Some(name) = backing_file(number) else { return Ok(false) };
        let Some((device, inode)) = self.inode else {
            // sysfs shows a removed file under its old name with this suffix.
            let gone = [self.path.as_os_str().as_bytes(), b" (deleted)"].concat();
            return Ok(name == gone);
        };
        // sysfs knows the name only. Device and inode come from the device itself.
        match open(&device_path(number), OFlags::RDONLY).and_then(|fd| loop_ioctl::status(&fd)) {
            // A device that starts at an offset shows a partition of the file, and belongs to another user of it.
            Ok(info) => Ok(info.offset == 0
                && info.inode == inode
                && (major(info.device), minor(info.device)) == (major(device), minor(device))),
            // Detached since it was listed.
            Err(Errno::NXIO | Errno::NOENT) => Ok(false),
            Err(Errno::ACCESS | Errno::PERM) => Ok(name == self.path.as_os_str().as_bytes()),
            Err(errno) => Err(KernelError::Os { doing: format!("look at {}", device_path(number).display()), errno }),
        }
    }
}

/// The numbers of all loop devices, in order.
fn numbers() -> Result<Vec<u32>, KernelError> {
    let listing = |source: std::io::Error| io_error("list /sys/block".to_owned(), &source);
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/sys/block").map_err(listing)? {
        let name = entry.map_err(listing)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_prefix("loop")?.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The path of the backing file in sysfs. None if the device is not attached.
fn backing_file(number: u32) -> Option<Vec<u8>> {
    let mut name = fs::read(format!("/sys/block/loop{number}/loop/backing_file")).ok()?;
    if name.last() == Some(&b'\n') {
        name.pop();
    }
    Some(name)
}

fn device_path(number: u32) -> PathBuf {
    PathBuf::from(format!("/dev/loop{number}"))
}

fn open(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
}

/// Attaches a free loop device to `file`. It stays attached until [`detach`], also when its last user closes it.
pub fn attach(file: &Path, read_only: bool) -> Result<DeviceInfo, KernelError> {
    let place = resolve(file, LastLink::Follow)?;
    let found = stat_of(place.existing()?, file)?;
    if found.kind != FileKind::File {
        return Err(KernelError::Invalid(format!(
            "{} is not a regular file but a {}",
            file.display(),
            found.kind.as_str()
        )));
    }
    // The kernel would make a device of no sectors.
    if found.size < 512 {
        return Err(KernelError::Invalid(format!(
            "{} is too small for a device: {} bytes",
            file.display(),
            found.size
        )));
    }
    let backing = place.open(if read_only { OFlags::RDONLY } else { OFlags::RDWR })?;
    let doing = || format!("attach a loop device to {}", file.display());
    let control =
        open(Path::new("/dev/loop-control"), OFlags::RDWR).map_err(KernelError::os("open /dev/loop-control"))?;
    let flags = if read_only { READ_ONLY } else { 0 };
    // The number and the device are asked for by two ioctls, and another process may come in between.
    for _ in 0..ATTEMPTS {
        let number = loop_ioctl::free_number(&control).map_err(KernelError::os(doing()))?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = open(&path, OFlags::RDWR).map_err(KernelError::os(format!("open {}", path.display())))?;
        match loop_ioctl::configure(&device, &backing, flags, shown_name(place.path())) {
            Ok(()) => {
                // Who made the device read-only for its last file, with blockdev(8), made the number so for all files to come.
                let writable = if read_only { Ok(()) } else { loop_ioctl::make_writable(&device) };
                let ready = writable.map_err(KernelError::os(doing()));
                return ready.and_then(|()| described(&device, &path)).inspect_err(|_| {
                    // An error says that nothing is attached, and nothing else would detach it.
                    let _ = loop_ioctl::clear(&device);
                });
            }
            // Another process took it between the two ioctls.
            Err(Errno::BUSY) => {}
            Err(errno) => return Err(KernelError::Os { doing: doing(), errno }),
        }
    }
    Err(KernelError::Refused {
        doing: doing(),
        why: "others take every free device first".to_owned(),
        errno: Errno::BUSY,
    })
}

fn described(device: &OwnedFd, path: &Path) -> Result<DeviceInfo, KernelError> {
    let number = device_number(device).map_err(KernelError::os(format!("look at {}", path.display())))?;
    describe(number.ok_or_else(|| KernelError::NotFound(path.to_owned()))?, path)
}

/// The name that older versions of losetup(8) show, cut to fit with a zero at its end.
fn shown_name(path: &Path) -> [u8; 64] {
    let mut name = [0; 64];
    for (to, from) in name.iter_mut().take(63).zip(path.as_os_str().as_bytes()) {
        *to = *from;
    }
    name
}

/// Detaches the loop device that `file` backs, and returns it. None if there is none. A device in use is EBUSY and stays
/// attached: the kernel itself would report success and detach it whenever its last user closes it.
pub fn detach(file: &Path) -> Result<Option<DeviceInfo>, KernelError> {
    let Some(attached) = find(file)? else { return Ok(None) };
    clear(attached, &BackingFile::of(file)?)
}

/// Detaches this device if it still shows this file, whatever the file's name is by now. False if it does not.
pub fn detach_this(device: &Path, backing: ((u32, u32), u64)) -> Result<bool, KernelError> {
    let Some(found) = backing_of(device)?.filter(|found| (found.device, found.inode) == backing) else {
        return Ok(false);
    };
    let (Some(number), Some(info)) = (number_of(device), find_device(&device.to_string_lossy())?) else {
        return Ok(false);
    };
    let ((major, minor), inode) = backing;
    let file = BackingFile { inode: Some((makedev(major, minor), inode)), path: found.file };
    Ok(clear(AttachedLoop { number, device: info }, &file)?.is_some())
}

fn clear(attached: AttachedLoop, backing: &BackingFile) -> Result<Option<DeviceInfo>, KernelError> {
    let AttachedLoop { number, device } = attached;
    let doing = || format!("detach {}", device.path.display());
    let busy = |why: String| KernelError::Refused { doing: doing(), why, errno: Errno::BUSY };
    if let Some(user) = holders::above(&device)? {
        return Err(busy(user));
    }
    // Opened before the last look at its file: while it is open, a detach by another process is deferred, so the device
    // cannot be attached to another file in between.
    let fd = open(&device_path(number), OFlags::RDONLY).map_err(KernelError::os(doing()))?;
    if !backing.is_behind(number)? {
        return Ok(None);
    }
    loop_ioctl::clear(&fd).map_err(KernelError::os(doing()))?;
    drop(fd);
    if wait_until_free(number, backing)? {
        return Ok(Some(device));
    }
    // In use after all: take the pending detach back, so that the answer EBUSY is true.
    stay(number).map_err(KernelError::os(doing()))?;
    Err(busy(holders::of_device(&device.path, device.number)))
}

/// Waits until the device is detached, which happens at the last close: udev may still have it open.
fn wait_until_free(number: u32, backing: &BackingFile) -> Result<bool, KernelError> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if !backing.is_behind(number)? {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}

/// Cancels a pending detach, by clearing the flag AUTOCLEAR that LOOP_CLR_FD sets on a device in use.
fn stay(number: u32) -> Result<(), Errno> {
    let fd = open(&device_path(number), OFlags::RDONLY)?;
    let mut info = loop_ioctl::status(fd.as_fd())?;
    info.flags &= !AUTOCLEAR;
    loop_ioctl::change(fd.as_fd(), &info)
}
