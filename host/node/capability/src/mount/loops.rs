//! Loop devices outside of the namespace `root`: their names are numbers that the kernel gives out again, so a policy cannot say whose
//! a device is. The ledger can: an object may use a loop device that one of its own resources attached, and no other.

use std::path::{Path, PathBuf};

use holding::Holding;
use kernel::block::{DeviceInfo, PinnedSource, loop_number, loopdev};

use crate::holdings::Ledger;
use crate::{CallContext, CapabilityError};

/// Refuses a path that leads to a loop device which no resource of this object attached, or to a partition of one.
pub(crate) fn check_loop(context: &CallContext, path: &str) -> Result<(), CapabilityError> {
    if context.is_of_root() {
        return Ok(());
    }
    // What cannot be looked at is judged by the grants alone, and so is what is not a device.
    let found = PinnedSource::find(path).ok().flatten();
    let device = found.as_ref().and_then(PinnedSource::device);
    device.map_or(Ok(()), |device| check_own_loop(&context.ledger().ledger, device))
}

/// The same of a device that was opened. By its number: a node or a link of any name leads to it.
pub(crate) fn check_own_loop(ledger: &Ledger, device: &DeviceInfo) -> Result<(), CapabilityError> {
    let Some(number) = loop_number(device.number) else { return Ok(()) };
    let name = PathBuf::from(format!("/dev/loop{number}"));
    // A loop device without a file is nobody's.
    let backing = loopdev::backing_of(&name)?.ok_or_else(|| denied(&name))?;
    let is_own = |held: &Holding| match held {
        Holding::Loop(held) => {
            let file = (held.backing.device, held.backing.inode);
            held.device.as_deref().map(Path::new) == Some(&name) && file == (backing.device, backing.inode)
        }
        _ => false,
    };
    let own = ledger.records(|record| !record.is_undone() && is_own(&record.holding));
    if own.is_empty() { Err(denied(&name)) } else { Ok(()) }
}

fn denied(device: &Path) -> CapabilityError {
    CapabilityError::Denied(format!("{}, a loop device that no resource of this object attached", device.display()))
}
