//! The clocks of the daemon. Decisions rest on the time since the boot alone; the time of day is for people.

use orchestrate::BootTime;

/// The time since the boot.
pub(crate) fn now() -> BootTime {
    BootTime::after_boot(kernel::clock::boot())
}

/// Seconds since 1970.
pub(crate) fn wall() -> f64 {
    kernel::clock::wall().as_secs_f64()
}
