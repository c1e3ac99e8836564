//! File systems in the directory tree. Grant: `mount`.

use std::path::Path;
use std::time::Duration;

use super::{Answer, host, milliseconds, text};
pub use crate::bindings::hostler::driver::mount::{MountEntry, Usage};

/// What is mounted at `target`, the topmost last. Empty if it is no mount point.
pub fn mounts_at(target: impl AsRef<Path>) -> Answer<Vec<MountEntry>> {
    Ok(host::mount::mounts_at(&text(&target))?)
}

/// Whether the kernel knows the file system, or can load it.
pub fn supports(fstype: &str) -> Answer<bool> {
    Ok(host::mount::supports(fstype)?)
}

/// Mounts. `source` is a device, a directory for `bind`, or any word for file systems without a source; `options` are as
/// in mount(8). The target must exist.
pub fn mount(fstype: &str, source: &str, target: impl AsRef<Path>, options: &[String]) -> Answer<()> {
    let request = host::mount::Request {
        source: source.to_owned(),
        target: text(&target),
        fstype: fstype.to_owned(),
        options: options.to_vec(),
    };
    Ok(host::mount::mount(&request)?)
}

/// Unmounts the topmost mount of `target`. A busy one is EBUSY, and the text names the processes that hold it.
pub fn unmount(target: impl AsRef<Path>) -> Answer<()> {
    Ok(host::mount::unmount(&text(&target))?)
}

/// statfs(2), given up after `timeout`: a network file system may never answer.
pub fn statfs(target: impl AsRef<Path>, timeout: Duration) -> Answer<Usage> {
    Ok(host::mount::statfs(&text(&target), milliseconds(timeout))?)
}
