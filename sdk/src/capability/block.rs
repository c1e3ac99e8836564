//! Block devices. Grants: `block.read`, `block.loop`.

use std::path::Path;
use std::time::Duration;

use super::{CapabilityResult, host, milliseconds, text};
pub use crate::bindings::hostler::driver::block::{Device, Signature};

/// The device at this path, or None if there is no device. `LABEL=x` and `UUID=x` are looked up.
pub fn find(path: impl AsRef<Path>) -> CapabilityResult<Option<Device>> {
    Ok(host::block::find(&text(&path))?)
}

/// Waits until udev has created the device.
pub fn wait_for(path: impl AsRef<Path>, timeout: Duration) -> CapabilityResult<Device> {
    Ok(host::block::wait_for(&text(&path), milliseconds(timeout))?)
}

/// A description of what keeps the device in use. None if it is not in use, or does not exist.
pub fn user_of(path: impl AsRef<Path>) -> CapabilityResult<Option<String>> {
    Ok(host::block::user_of(&text(&path))?)
}

/// The signature of what the device or the image file contains. None if its first blocks are empty.
pub fn probe(path: impl AsRef<Path>) -> CapabilityResult<Option<Signature>> {
    Ok(host::block::probe(&text(&path))?)
}

/// The id with which the device can be [declared](super::holdings::declare) as a holding of the kind
/// [`DEVICE`](super::holdings::DEVICE). None if it is neither of device-mapper nor an array, or does not exist.
pub fn identity_of(path: impl AsRef<Path>) -> CapabilityResult<Option<String>> {
    Ok(host::block::identity_of(&text(&path))?)
}

/// The loop device that is backed by `file`, if there is one.
pub fn loop_of(file: impl AsRef<Path>) -> CapabilityResult<Option<Device>> {
    Ok(host::block::loop_of(&text(&file))?)
}

/// Attaches a free loop device to `file`. The device becomes this resource's own, which may expose it.
pub fn attach_loop(file: impl AsRef<Path>, read_only: bool) -> CapabilityResult<Device> {
    Ok(host::block::attach_loop(&text(&file), read_only)?)
}

/// Detaches the loop device that is backed by `file`. False if there is none; EBUSY if it is in use.
pub fn detach_loop(file: impl AsRef<Path>) -> CapabilityResult<bool> {
    Ok(host::block::detach_loop(&text(&file))?)
}
