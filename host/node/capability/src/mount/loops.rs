//! Loop devices outside of the namespace `root`: their names are numbers that the kernel gives out again, so a policy cannot say whose
//! a device is. The ledger can: an object may use a loop device that one of its own resources attached, and no other.

use std::path::{Path, PathBuf};

use holding::{Holding, HoldingRecord};
use kernel::block::loop_number;
use kernel::block::loopdev::{self, LoopAttachment};
use model::ObjectPath;

use crate::CapabilityError;
use crate::call::ROOT;
use crate::holdings::{Ledger, NodeRecord, records_of_node};

/// Refuses the loop device of this number, or a partition of one, if no resource of the object attached it. By the number: a node or a
/// link of any name leads to it.
pub(crate) fn check_own_loop(ledger: &Ledger, device: (u32, u32)) -> Result<(), CapabilityError> {
    let Some(number) = loop_number(device) else { return Ok(()) };
    let name = PathBuf::from(format!("/dev/loop{number}"));
    // A loop device without a file is nobody's.
    let backing = loopdev::backing_of(&name)?.ok_or_else(|| denied(&name))?;
    let own = ledger.records(|record| is_attachment(record, &name, &backing));
    if own.is_empty() { Err(denied(&name)) } else { Ok(()) }
}

/// Whether the device of this number is a loop device, or a partition of one, that an object of another namespace than `root` attached.
/// `all` is the directory of all ledgers.
pub(crate) fn is_foreign_loop(all: &Path, device: (u32, u32)) -> bool {
    let Some(number) = loop_number(device) else { return false };
    let name = PathBuf::from(format!("/dev/loop{number}"));
    let Ok(Some(backing)) = loopdev::backing_of(&name) else { return false };
    let is_foreign = |object: &str| object.parse().is_ok_and(|object: ObjectPath| object.namespace() != ROOT);
    let held = |known: &NodeRecord| is_attachment(&known.record, &name, &backing) && is_foreign(&known.object);
    records_of_node(all).iter().any(held)
}

/// Whether the record is of this very loop device. The file as well: the kernel gives the number out again, and the record of an
/// earlier device may still be there.
fn is_attachment(record: &HoldingRecord, name: &Path, backing: &LoopAttachment) -> bool {
    let Holding::Loop(held) = &record.holding else { return false };
    let file = (held.backing.device, held.backing.inode);
    let is_it = held.device.as_deref().map(Path::new) == Some(name) && file == (backing.device, backing.inode);
    is_it && !record.is_undone()
}

fn denied(device: &Path) -> CapabilityError {
    CapabilityError::Denied(format!("{}, a loop device that no resource of this object attached", device.display()))
}
