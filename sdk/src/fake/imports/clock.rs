//! The imports of `wit/clock.wit`. Time passes only while a driver sleeps or waits.

use super::{CapabilityError, ImportResult};
use crate::fake::Host;

/// The time of the boot: 2026-01-01 00:00 UTC.
const BOOTED: u64 = 1_767_225_600_000;

pub(crate) fn wall_ms() -> u64 {
    BOOTED + boot_ms()
}

pub(crate) fn boot_ms() -> u64 {
    // Not recorded as a call: a driver that waits asks at every step, which would fill the list of calls.
    Host::current("clock.boot-ms").change(|world| world.boot_ms)
}

pub(crate) fn sleep_ms(duration: u64) -> ImportResult<()> {
    Host::read("clock.sleep-ms", &duration.to_string(), |world| {
        if world.cancelled {
            return Err(CapabilityError::Cancelled);
        }
        // The time advances at once, so that tests with long waits run in milliseconds.
        world.boot_ms += duration;
        Ok(())
    })
}
