//! Block devices. Grants: `block.read`, `block.loop`.

use std::path::Path;
use std::time::Duration;

use super::{Answer, host, milliseconds, text};
pub use crate::bindings::hostler::driver::block::{Device, Signature};

/// The device, or none if nothing is there. `LABEL=x` and `UUID=x` are looked up.
pub fn find(path: impl AsRef<Path>) -> Answer<Option<Device>> {
    Ok(host::block::find(&text(&path))?)
}

/// Waits until udev has made the device.
pub fn wait_for(path: impl AsRef<Path>, timeout: Duration) -> Answer<Device> {
    Ok(host::block::wait_for(&text(&path), milliseconds(timeout))?)
}

/// What keeps the device from going, in words. None: nobody uses it, or it is not there.
pub fn user_of(path: impl AsRef<Path>) -> Answer<Option<String>> {
    Ok(host::block::user_of(&text(&path))?)
}

/// What the device, or the image file, holds. None if its first blocks are empty.
pub fn probe(path: impl AsRef<Path>) -> Answer<Option<Signature>> {
    Ok(host::block::probe(&text(&path))?)
}

/// The loop device that is backed by `file`.
pub fn loop_of(file: impl AsRef<Path>) -> Answer<Option<Device>> {
    Ok(host::block::loop_of(&text(&file))?)
}

/// Attaches a free loop device to `file`. It becomes this resource's own and may be exposed.
pub fn attach_loop(file: impl AsRef<Path>, read_only: bool) -> Answer<Device> {
    Ok(host::block::attach_loop(&text(&file), read_only)?)
}

/// Detaches the loop device that is backed by `file`. False if there is none. A busy one is EBUSY.
pub fn detach_loop(file: impl AsRef<Path>) -> Answer<bool> {
    Ok(host::block::detach_loop(&text(&file))?)
}
