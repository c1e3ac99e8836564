//! Whether a mounted file system is as it should be.

use hostler_sdk::mount::{self, Usage};
use hostler_sdk::{CapabilityError, Status, files};

use crate::MountPoint;
use crate::point::{attributes, is_read_only};

/// The options by which the kernel says that a file system gave up after an error.
const FAULTS: [(&str, &str); 2] = [
    ("emergency_ro", "it turned read-only after an error (emergency_ro): see dmesg(1), then stop and start it"),
    ("shutdown", "it was shut down after an error: see dmesg(1), then stop and start it"),
];

/// The status of a file system that is mounted and topmost, with these options. `asked` are those of the keywords.
pub(crate) fn health(at: &MountPoint, options: &[&str], asked: &[String]) -> Status {
    let mut status = Status::up();
    let faults: Vec<&str> =
        FAULTS.into_iter().filter(|(name, _)| options.contains(name)).map(|(_, text)| text).collect();
    // The kernel remounts a file system read-only after errors of the disk.
    if faults.is_empty() && options.contains(&"ro") && !is_read_only(asked) {
        status = status
            .degraded("mounted read-only, although ro is not among the options: see dmesg(1) for errors of the disk");
    }
    status = faults.into_iter().fold(status, Status::degraded);
    let missing: Vec<&str> = attributes(asked).into_iter().filter(|name| !options.contains(name)).collect();
    if !missing.is_empty() {
        status = status.degraded(format!("mounted without {}, although mnt_opt asks for it", missing.join(",")));
    }
    match answer(at) {
        // Any answer shows that the file system works; the numbers do not matter.
        Ok(_) if at.check_read => match files::list_directory(&at.mnt) {
            Ok(_) => status,
            Err(error) => status.degraded(format!("cannot be read: {error}")),
        },
        Ok(_) => status,
        Err(CapabilityError::TimedOut) => status.degraded(format!("no answer within {:?}", at.stat_timeout)),
        Err(error) => status.degraded(format!("does not answer: {error}")),
    }
}

/// Asks the file system for its size.
pub(crate) fn answer(at: &MountPoint) -> Result<Usage, CapabilityError> {
    mount::statfs(&at.mnt, at.stat_timeout)
}
