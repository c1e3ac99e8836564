//! Loop devices outside of the namespace `root`: their names are numbers that the kernel gives out again, so a policy cannot say whose
//! a device is. The ledger can: an object may use a loop device that one of its own resources attached, and no other.

use std::path::Path;

use holding::{Holding, HoldingStage};
use kernel::block::{self, loopdev};

use crate::{CallContext, CapabilityError};

/// Refuses a path that leads to a loop device which no resource of this object attached. Anything else is not its business.
pub(crate) fn check_loop(context: &CallContext, path: &str) -> Result<(), CapabilityError> {
    if context.is_of_root() {
        return Ok(());
    }
    let real = block::canonical_source(path);
    let Some(backing) = loopdev::backing_of(Path::new(&real))? else {
        // A loop device without a file is nobody's. What is none is judged by the grants alone.
        return match loopdev::is_loop(Path::new(&real)) {
            true => Err(denied(&real)),
            false => Ok(()),
        };
    };
    let is_own = |held: &Holding| match held {
        Holding::Loop(held) => {
            let file = (held.backing.device, held.backing.inode);
            held.device.as_deref() == Some(&*real) && file == (backing.device, backing.inode)
        }
        _ => false,
    };
    let ledger = context.ledger().ledger;
    let own = ledger.records(|record| record.stage != HoldingStage::Undone && is_own(&record.holding));
    if own.is_empty() { Err(denied(&real)) } else { Ok(()) }
}

fn denied(device: &str) -> CapabilityError {
    CapabilityError::Denied(format!("{device}, a loop device that no resource of this object attached"))
}
