//! Devices that the kernel makes of others and gives a UUID: those of device-mapper, and arrays. A name such as /dev/dm-0 is used
//! again for others; the UUID is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::device::shown;
use super::{DeviceInfo, holders, is_claimed, stacked_ioctl};
use crate::KernelError;
use crate::files::io_error;

/// How long udev may keep a device open that is being taken down.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// What the kernel makes devices with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackedKind {
    DeviceMapper,
    Array,
}

/// A device that is made of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackedDevice {
    pub kind: StackedKind,
    pub uuid: String,
    /// `/dev/mapper/vault`, `/dev/md127`.
    pub path: PathBuf,
    /// The major and the minor number.
    pub number: (u32, u32),
}

/// All such devices that exist now.
pub fn stacked() -> Result<Vec<StackedDevice>, KernelError> {
    let listing = |source: std::io::Error| io_error("list /sys/block".to_owned(), &source);
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/block").map_err(listing)? {
        found.extend(stacked_in(&entry.map_err(listing)?.path()));
    }
    Ok(found)
}

/// What is known of the device, if it is such a one.
pub fn stacked_of(device: &DeviceInfo) -> Option<StackedDevice> {
    let (major, minor) = device.number;
    stacked_in(Path::new(&format!("/sys/dev/block/{major}:{minor}")))
}

/// Takes the device down: that of the UUID, whatever its name is by now. False if it was gone already.
pub fn take_down(device: &StackedDevice) -> Result<bool, KernelError> {
    let begun = Instant::now();
    loop {
        match ask_to_take_down(device) {
            Ok(()) => return Ok(true),
            Err(Errno::NXIO | Errno::NOENT | Errno::NODEV) => return Ok(false),
            // The kernel has no event for the last close of a device.
            Err(Errno::BUSY) if begun.elapsed() < PATIENCE && !is_claimed(device.number) => std::thread::sleep(PAUSE),
            Err(errno) => return Err(refused(device, errno)),
        }
    }
}

fn ask_to_take_down(device: &StackedDevice) -> Result<(), Errno> {
    let open = |path: &Path, flags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
    match device.kind {
        StackedKind::DeviceMapper => {
            stacked_ioctl::remove_mapped(open(Path::new("/dev/mapper/control"), OFlags::RDWR)?, &device.uuid)
        }
        StackedKind::Array => {
            // The number may belong to another array by now. One that is open keeps its number.
            let opened = open(&device.path, OFlags::RDONLY)?;
            let (major, minor) = device.number;
            let now = stacked_in(Path::new(&format!("/sys/dev/block/{major}:{minor}")));
            match now.is_some_and(|now| now.uuid == device.uuid) {
                true => stacked_ioctl::stop_array(opened),
                false => Err(Errno::NODEV),
            }
        }
    }
}

fn refused(device: &StackedDevice, errno: Errno) -> KernelError {
    let doing = format!("take down {}", device.path.display());
    match errno {
        Errno::BUSY => KernelError::Refused { doing, why: why_busy(device), errno },
        errno => KernelError::Os { doing, errno },
    }
}

/// What keeps the device in use, as far as that can be seen.
fn why_busy(device: &StackedDevice) -> String {
    let user = super::user_of(&device.path.to_string_lossy()).ok().flatten();
    user.unwrap_or_else(|| holders::of_device(&device.path, device.number))
}

/// The devices that this one is made of, as far as they are such devices themselves.
pub fn below(device: &StackedDevice) -> Vec<StackedDevice> {
    let (major, minor) = device.number;
    let listed = fs::read_dir(format!("/sys/dev/block/{major}:{minor}/slaves")).into_iter().flatten().flatten();
    listed.filter_map(|link| stacked_in(&link.path())).collect()
}

/// The device of a directory in sysfs. None also if it vanishes meanwhile.
fn stacked_in(directory: &Path) -> Option<StackedDevice> {
    let read = |name: &str| Some(fs::read_to_string(directory.join(name)).ok()?.trim_end().to_owned());
    let (kind, uuid) = match read("dm/uuid") {
        Some(uuid) => (StackedKind::DeviceMapper, uuid),
        // A stopped array may stay as an empty shell until its last opener closes it.
        None if read("md/array_state").is_some_and(|state| state == "clear") => return None,
        None => (StackedKind::Array, read("md/uuid")?),
    };
    // Device-mapper asks for no UUID, and then there is nothing to know the device by.
    let number =
        read("dev")?.split_once(':').map(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))??;
    let name = directory.canonicalize().ok()?.file_name()?.to_owned();
    (!uuid.is_empty()).then(|| StackedDevice { kind, uuid, path: shown(&Path::new("/dev").join(name)), number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn a_device_is_known_by_its_uuid() {
        let mapped = directory(&[("dev", "253:3\n"), ("dm/uuid", "LVM-ab\n"), ("dm/name", "data-web\n")]);
        let found = stacked_in(mapped.path()).unwrap();
        assert_eq!((found.kind, found.uuid.as_str(), found.number), (StackedKind::DeviceMapper, "LVM-ab", (253, 3)));
        let array = directory(&[("dev", "9:127\n"), ("md/uuid", "808a-27\n"), ("md/array_state", "clean\n")]);
        assert_eq!(stacked_in(array.path()).unwrap().kind, StackedKind::Array);
    }

    #[test]
    fn what_has_no_uuid_or_was_stopped_is_none() {
        for files in [
            &[("dev", "8:0\n")][..],
            &[("dev", "253:0\n"), ("dm/uuid", "\n")],
            &[("dev", "9:127\n"), ("md/uuid", "808a-27\n"), ("md/array_state", "clear\n")],
        ] {
            assert_eq!(stacked_in(directory(files).path()), None, "{files:?}");
        }
        assert!(stacked().unwrap().iter().all(|device| !device.uuid.is_empty()));
    }
}
