//! Devices that the kernel makes of others and gives a UUID: those of device-mapper, and arrays. A name such as /dev/dm-0 is used
//! again for others; the UUID is not.

use std::fs;
use std::path::{Path, PathBuf};

use super::device::shown;
use super::find as find_device;
use crate::KernelError;
use crate::files::io_error;

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

/// The device at this path, if it is such a one.
pub fn stacked_at(path: &str) -> Result<Option<StackedDevice>, KernelError> {
    let Some(device) = find_device(path)? else { return Ok(None) };
    let (major, minor) = device.number;
    Ok(stacked_in(Path::new(&format!("/sys/dev/block/{major}:{minor}"))))
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
        assert_eq!(stacked_at("/dev/no/such").unwrap(), None);
    }
}
