//! Finding a block device by path, by label or by UUID, and the one name under which it is shown.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, major, minor};
use rustix::io::Errno;

use super::PinnedSource;
use super::content::{self, ContentName, DeviceFilter, any_device};
use crate::KernelError;
use crate::path::{LastLink, PinnedPath, resolve};

/// A block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The name in the kernel and in the mount table: `/dev/loop0`, `/dev/mapper/vg-lv`.
    pub path: PathBuf,
    /// The major and the minor number.
    pub number: (u32, u32),
    /// In bytes.
    pub size: u64,
    /// Whether the kernel refuses writes to it.
    pub read_only: bool,
}

/// The ways to name a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceSpec<'a> {
    /// By a path, which may be a link.
    Path(&'a Path),
    /// By the label of the file system or volume on it.
    Label(&'a str),
    /// By the UUID of the file system or volume on it.
    Uuid(&'a str),
}

impl<'a> DeviceSpec<'a> {
    /// Parses a path, `LABEL=x` or `UUID=x`. Anything that is neither a label nor a UUID is a path.
    pub fn parse(text: &'a str) -> DeviceSpec<'a> {
        match text.split_once('=') {
            Some(("LABEL", label)) => DeviceSpec::Label(label.trim_matches('"')),
            Some(("UUID", uuid)) => DeviceSpec::Uuid(uuid.trim_matches('"')),
            _ => DeviceSpec::Path(Path::new(text)),
        }
    }
}

/// Finds a device. None if nothing is there; [`KernelError::Invalid`] if it is not a block device.
pub fn find(asked: &str) -> Result<Option<DeviceInfo>, KernelError> {
    find_among(asked, &any_device)
}

/// The same, if a label or a UUID may mean these devices only.
pub fn find_among(asked: &str, may_find: DeviceFilter<'_>) -> Result<Option<DeviceInfo>, KernelError> {
    Ok(pin(asked, may_find)?.map(|(_, device)| device))
}

/// Describes what keeps the device busy. None if nothing does, or if there is no such device.
pub fn user_of(asked: &str) -> Result<Option<String>, KernelError> {
    pin(asked, &any_device)?.map_or(Ok(None), |(place, device)| PinnedSource::of(place, device).user())
}

/// Whether the kernel itself uses the device of that number: it is mounted in any namespace, or another device is on top of it.
/// False if the device is gone, or may not be opened.
pub fn is_claimed(number: (u32, u32)) -> bool {
    let path = format!("/dev/block/{}:{}", number.0, number.1);
    // Without udev there are no such links, and then the kernel's name of the device does.
    let named = || fs::read_link(format!("/sys/dev/block/{}:{}", number.0, number.1)).ok();
    let path = match Path::new(&path).exists() {
        true => PathBuf::from(path),
        false => match named().as_deref().and_then(Path::file_name) {
            Some(name) => Path::new("/dev").join(name),
            None => return false,
        },
    };
    // O_EXCL on a block device fails with EBUSY if the system uses it, see open(2).
    let opened = rustix::fs::open(&path, OFlags::RDONLY | OFlags::EXCL | OFlags::CLOEXEC, Mode::empty());
    match opened {
        Err(errno) => errno == Errno::BUSY && device_of(&path) == Some(number),
        Ok(_) => false,
    }
}

/// The number of the block device that the source of a mount names, if it names one.
pub fn number_of(source: &str) -> Option<(u32, u32)> {
    let stat = rustix::fs::stat(source).ok()?;
    let is_block = FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice;
    is_block.then(|| (major(stat.st_rdev), minor(stat.st_rdev)))
}

fn device_of(path: &Path) -> Option<(u32, u32)> {
    let stat = rustix::fs::stat(path).ok()?;
    Some((major(stat.st_rdev), minor(stat.st_rdev)))
}

/// Finds a device and pins it, so that it stays the same whatever happens to its path.
pub(crate) fn pin(asked: &str, may_find: DeviceFilter<'_>) -> Result<Option<(PinnedPath, DeviceInfo)>, KernelError> {
    match DeviceSpec::parse(asked) {
        DeviceSpec::Path(path) => {
            let is_meant = |device: &DeviceInfo| !leads_by_content(path) || may_find(device.number);
            Ok(pin_path(path)?.filter(|(_, device)| is_meant(device)))
        }
        DeviceSpec::Label(label) => pin_holding(ContentName::Label(label), may_find),
        DeviceSpec::Uuid(uuid) => pin_holding(ContentName::Uuid(uuid), may_find),
    }
}

/// Whether udev makes the link after what is on the device, so that a user who can write on one decides where it leads.
pub(super) fn leads_by_content(path: &Path) -> bool {
    const LINKS: [&str; 4] = ["by-label", "by-uuid", "by-partlabel", "by-partuuid"];
    LINKS.iter().any(|links| path.starts_with(Path::new("/dev/disk").join(links)))
}

fn pin_path(path: &Path) -> Result<Option<(PinnedPath, DeviceInfo)>, KernelError> {
    let place = match resolve(path, LastLink::Follow) {
        Ok(place) => place,
        Err(KernelError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(node) = place.node() else { return Ok(None) };
    let Some(number) = device_number(node).map_err(KernelError::os(format!("look at {}", path.display())))? else {
        let is_file =
            rustix::fs::fstat(node).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
        let hint = if is_file {
            ": the resource that attaches the file has its device, as {disk#1.exposed_devs[0]}"
        } else {
            ""
        };
        return Err(KernelError::Invalid(format!("{} is not a block device{hint}", path.display())));
    };
    let device = describe(number, place.path())?;
    Ok(Some((place, device)))
}

/// Finds a device by what is on it, and pins it.
fn pin_holding(
    content: ContentName<'_>,
    may_find: DeviceFilter<'_>,
) -> Result<Option<(PinnedPath, DeviceInfo)>, KernelError> {
    match content::find(content, may_find)? {
        Some(path) => pin_path(&path),
        None => Ok(None),
    }
}

/// The number of a block device. None for any other file.
pub(crate) fn device_number(fd: impl AsFd) -> Result<Option<(u32, u32)>, Errno> {
    let stat = rustix::fs::fstat(fd)?;
    // A character device such as /dev/null has a number too, of another table.
    let block = FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice;
    Ok(block.then(|| (major(stat.st_rdev), minor(stat.st_rdev))))
}

/// Reads the attributes of the device with this number from sysfs.
pub(crate) fn describe(number: (u32, u32), path: &Path) -> Result<DeviceInfo, KernelError> {
    let attribute = |name: &str| {
        let file = format!("/sys/dev/block/{}:{}/{name}", number.0, number.1);
        let text =
            fs::read_to_string(&file).map_err(|source| crate::files::io_error(format!("read {file}"), &source))?;
        text.trim().parse::<u64>().map_err(|_| KernelError::Invalid(format!("{file} does not hold a number")))
    };
    // sysfs counts in sectors of 512 bytes, whatever the size of the device's own sectors.
    Ok(DeviceInfo { path: shown(path), number, size: attribute("size")? * 512, read_only: attribute("ro")? != 0 })
}

/// The one name to show. `/dev/dm-0` means nothing to people, so, like mount(8), this writes `/dev/mapper/vg-lv` instead.
pub(super) fn shown(path: &Path) -> PathBuf {
    let mapped = path.strip_prefix("/dev").ok().filter(|name| name.to_string_lossy().starts_with("dm-"));
    let name = mapped.and_then(|dm| fs::read_to_string(Path::new("/sys/block").join(dm).join("dm/name")).ok());
    match name {
        Some(name) => Path::new("/dev/mapper").join(name.trim_end()),
        None => path.to_owned(),
    }
}

/// The one name of a device in the mount table, whatever link was mounted. Any other source stays as it is.
pub fn canonical_source(source: &str) -> String {
    if !source.starts_with("/dev/") {
        return source.to_owned();
    }
    match find(source) {
        Ok(Some(device)) => device.path.to_string_lossy().into_owned(),
        _ => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_path_label_or_uuid() {
        assert_eq!(DeviceSpec::parse("/dev/vg/a=b"), DeviceSpec::Path(Path::new("/dev/vg/a=b")));
        assert_eq!(DeviceSpec::parse("LABEL=data 1"), DeviceSpec::Label("data 1"));
        assert_eq!(DeviceSpec::parse("UUID=\"ab-12\""), DeviceSpec::Uuid("ab-12"));
    }

    #[test]
    fn a_file_that_is_not_a_device_is_an_error_and_a_missing_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(find(dir.path().join("x").to_str().unwrap()).unwrap(), None);
        assert_eq!(find("/dev/no/such").unwrap(), None);
        assert!(matches!(find("/dev/null"), Err(KernelError::Invalid(_))));
        assert!(matches!(find("relative"), Err(KernelError::Invalid(_))));
        assert!(matches!(find("LABEL="), Err(KernelError::Invalid(_))));
    }
}
