//! Mounts of file systems. Grant: `mount`.

use std::path::Path;
use std::time::Duration;

use super::{CapabilityResult, host, milliseconds, text};
pub use crate::bindings::hostler::driver::mount::{MountEntry, Usage};

/// The mounts at `target`, the topmost last. Empty if it is not a mount point.
pub fn mounts_at(target: impl AsRef<Path>) -> CapabilityResult<Vec<MountEntry>> {
    Ok(host::mount::mounts_at(&text(&target))?)
}

/// Whether the kernel supports the file system, or can load a module for it.
pub fn supports(fstype: &str) -> CapabilityResult<bool> {
    Ok(host::mount::supports(fstype)?)
}

/// Mounts a file system. `source` is a device, a directory for `bind`, or any word for file systems without a source;
/// `options` are those of mount(8). The target must exist.
pub fn mount(fstype: &str, source: &str, target: impl AsRef<Path>, options: &[String]) -> CapabilityResult<()> {
    let request = host::mount::Request {
        source: source.to_owned(),
        target: text(&target),
        fstype: fstype.to_owned(),
        options: options.to_vec(),
    };
    Ok(host::mount::mount(&request)?)
}

/// Unmounts the topmost mount of `target`. EBUSY if it is in use; the text names the processes that use it.
pub fn unmount(target: impl AsRef<Path>) -> CapabilityResult<()> {
    Ok(host::mount::unmount(&text(&target))?)
}

/// How many errors of the disk the file system on `target` has counted. None if it counts none.
pub fn errors_of(target: impl AsRef<Path>) -> CapabilityResult<Option<u64>> {
    Ok(host::mount::errors_of(&text(&target))?)
}

/// The size and free space, from statfs(2). It gives up after `timeout`, because a network file system may never answer.
pub fn statfs(target: impl AsRef<Path>, timeout: Duration) -> CapabilityResult<Usage> {
    Ok(host::mount::statfs(&text(&target), milliseconds(timeout))?)
}
