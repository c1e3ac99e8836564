//! Loop devices outside of the namespace `root`: their names are numbers that the kernel gives out again, so a policy cannot say whose
//! a device is. The ledger can: an object may use a loop device that one of its own resources attached, and no other.

use std::path::{Path, PathBuf};

use holding::Holding;
use kernel::block::{loop_number, loopdev};

use crate::CapabilityError;
use crate::holdings::Ledger;

/// Refuses the loop device of this number, or a partition of one, if no resource of the object attached it. By the number: a node or a
/// link of any name leads to it.
pub(crate) fn check_own_loop(ledger: &Ledger, device: (u32, u32)) -> Result<(), CapabilityError> {
    let Some(number) = loop_number(device) else { return Ok(()) };
    let name = PathBuf::from(format!("/dev/loop{number}"));
    // A loop device without a file is nobody's.
    let backing = loopdev::backing_of(&name)?.ok_or_else(|| denied(&name))?;
    let is_own = |held: &Holding| match held {
        Holding::Loop(held) => {
            // The file as well: the kernel gives the number out again, and the record of an
            // earlier device may still be there.
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
