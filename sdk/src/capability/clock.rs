//! Clocks and waiting.

use std::time::Duration;

use super::{CapabilityResult, host, milliseconds};

/// The time since 1970-01-01 00:00 UTC. This clock may jump: do not base decisions on it.
pub fn wall() -> Duration {
    Duration::from_millis(host::clock::wall_ms())
}

/// The time since the node booted. This clock never goes back, and continues during a suspend.
pub fn since_boot() -> Duration {
    Duration::from_millis(host::clock::boot_ms())
}

/// Waits. It returns early, with an error, at the action's deadline or when the action is interrupted.
pub fn sleep(duration: Duration) -> CapabilityResult<()> {
    Ok(host::clock::sleep_ms(milliseconds(duration))?)
}

/// Calls `done` every `interval` until it returns true, for `timeout` at most. Returns false if it never did.
pub fn wait_until(
    timeout: Duration,
    interval: Duration,
    mut done: impl FnMut() -> crate::Result<bool>,
) -> crate::Result<bool> {
    // Saturating, so that `Duration::MAX` means to wait without a limit of its own.
    let end = since_boot().saturating_add(timeout);
    loop {
        // Checked before the time limit, so that a condition that became true during the last sleep counts.
        if done()? {
            return Ok(true);
        }
        if since_boot() >= end {
            return Ok(false);
        }
        sleep(interval)?;
    }
}
