//! What the caller must do.

use std::time::Duration;

use orchestrate::{BootTime, FencingToken};

use crate::SlotName;

/// Something that the caller must do, in the order in which they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnershipEffect {
    /// The memory has changed: keep it, durably, before anything more is sent or answered.
    Keep,
    /// What runs in the slot may run until `sent` + `validity`: the keeper, and each address's lifetime in the kernel.
    Extend { slot: SlotName, token: FencingToken, sent: BootTime, validity: Duration },
    /// The slot is not this node's: cut what runs in it, and prove it.
    Cut { slot: SlotName },
    /// A pinned beat was acknowledged: addresses may get an unlimited lifetime, and then the daemon may go.
    PinHolds,
    /// All that runs here has a living deadline again: make the addresses finite, and say so, before the pin goes.
    EndPin,
}
