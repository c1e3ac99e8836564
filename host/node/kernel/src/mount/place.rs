//! The places that a mount uses: each is shown to a judge when it has been opened, and before anything is mounted. What the judge
//! sees is what the kernel gets.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::attach::MountCall;
use crate::KernelError;
use crate::block::{self, DeviceInfo};
use crate::path::{LastLink, descriptor_path, resolve};

/// A place that a mount uses, with all links in its path followed.
#[derive(Debug, Clone, Copy)]
pub enum MountPlace<'a> {
    /// What it is mounted on.
    Target(&'a Path),
    /// The directory or the file that a bind mount shows.
    Shown(&'a Path),
    /// The device that holds the file system.
    Device(&'a DeviceInfo),
    /// What an option names: a layer of an overlay, or the device of a journal.
    Option {
        /// `lowerdir`, `logdev`.
        name: &'a str,
        /// As the option spells it.
        asked: &'a Path,
        /// Where that leads.
        real: &'a Path,
        /// The device there, if it is one.
        device: Option<&'a DeviceInfo>,
    },
}

/// Accepts a place, or says why nothing may be mounted with it.
pub type MountJudge<'a> = dyn Fn(MountPlace<'_>) -> Result<(), KernelError> + 'a;

/// Whether the value of an option is the path of another device or file, which the kernel opens by itself.
pub(super) fn takes_device(fstype: &str, name: &str) -> bool {
    matches!(
        (fstype, name),
        ("xfs", "logdev" | "rtdev")
            | ("ext3" | "ext4", "journal_path")
            | ("btrfs" | "erofs" | "bcachefs", "device")
            | ("reiserfs", "jdev")
    )
}

/// Opens what such an option names. The name that comes back leads there and nowhere else as long as the descriptor is open.
pub(super) fn pin_option(request: MountCall<'_>, name: &str, value: &str) -> Result<(PathBuf, OwnedFd), KernelError> {
    let asked = Path::new(value);
    let place = resolve(asked, LastLink::Follow)?;
    let doing = || format!("look at {value}");
    let number = block::device_number(place.existing()?).map_err(KernelError::os(doing()))?;
    let device = number.map(|number| block::describe(number, place.path())).transpose()?;
    (request.judge)(MountPlace::Option { name, asked, real: place.path(), device: device.as_ref() })?;
    let pin = place.open(OFlags::PATH)?;
    // Its own name where no other user can change that: mount(8) shows it.
    let path = if place.trusted() { place.path().to_owned() } else { descriptor_path(&pin) };
    Ok((path, pin))
}
