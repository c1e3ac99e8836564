//! What a name of a device or of an image file leads to, pinned: it is judged and then used, and stays the same in between.

use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::content::DeviceFilter;
use super::device::{device_number, leads_by_content, pin};
use super::signature::{self, DeviceSignature};
use super::{DeviceInfo, DeviceSpec, describe, holders};
use crate::KernelError;
use crate::path::{LastLink, PinnedPath, resolve};

/// A block device, or another file that is looked at as one.
#[derive(Debug)]
pub struct PinnedSource {
    place: PinnedPath,
    device: Option<DeviceInfo>,
}

impl PinnedSource {
    /// Finds what a path leads to, or which of the devices that may be found has the label or the UUID. None if nothing is there.
    pub fn find(asked: &str, may_find: DeviceFilter<'_>) -> Result<Option<PinnedSource>, KernelError> {
        let DeviceSpec::Path(path) = DeviceSpec::parse(asked) else {
            return Ok(pin(asked, may_find)?.map(|(place, device)| PinnedSource::of(place, device)));
        };
        let place = match resolve(path, LastLink::Follow) {
            Ok(place) => place,
            Err(KernelError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(node) = place.node() else { return Ok(None) };
        let number = device_number(node).map_err(KernelError::os(format!("look at {asked}")))?;
        if number.is_some_and(|number| leads_by_content(path) && !may_find(number)) {
            return Ok(None);
        }
        let device = number.map(|number| describe(number, place.path())).transpose()?;
        Ok(Some(PinnedSource { place, device }))
    }

    pub(super) fn of(place: PinnedPath, device: DeviceInfo) -> PinnedSource {
        PinnedSource { place, device: Some(device) }
    }

    /// The real path, with all links followed.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// The device. None if it is another kind of file.
    pub fn device(&self) -> Option<&DeviceInfo> {
        self.device.as_ref()
    }

    /// Identifies the content. None if the first blocks are empty.
    pub fn probe(&self) -> Result<Option<DeviceSignature>, KernelError> {
        signature::probe_pinned(&self.place)
    }

    /// Describes what keeps the device busy. None if nothing does, or if it is not a device.
    pub fn user(self) -> Result<Option<String>, KernelError> {
        let Some(device) = &self.device else { return Ok(None) };
        if let Some(user) = holders::above(device)? {
            return Ok(Some(user));
        }
        // A mount in another namespace, such as a container's, shows nowhere here. The kernel knows it all the same: O_EXCL on a
        // block device fails with EBUSY if the system uses it, see open(2). Any other error, such as EACCES, says nothing about a user.
        let opened = self.place.open(OFlags::RDONLY | OFlags::EXCL);
        let claimed = matches!(opened, Err(KernelError::Os { errno: Errno::BUSY, .. }));
        // This process is not a user of the device.
        drop((opened, self.place));
        Ok(match claimed {
            true => Some(holders::of_device(&device.path, device.number)),
            false => holders::open_in(&device.path),
        })
    }
}
