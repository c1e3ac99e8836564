//! Time.

use std::time::Duration;

use super::{Answer, host, milliseconds};

/// Since 1970-01-01 00:00 UTC. May jump: never decide anything by it.
pub fn wall() -> Duration {
    Duration::from_millis(host::clock::wall_ms())
}

/// Since the boot of the node. Never jumps back, and goes on through a suspend.
pub fn since_boot() -> Duration {
    Duration::from_millis(host::clock::boot_ms())
}

/// Waits. Ends early, with an error, at the action's deadline or when it is interrupted.
pub fn sleep(duration: Duration) -> Answer<()> {
    Ok(host::clock::sleep_ms(milliseconds(duration))?)
}

/// Asks every `interval` until `done` says true, at most for `timeout`. False if it never did.
pub fn wait_until(
    timeout: Duration,
    interval: Duration,
    mut done: impl FnMut() -> crate::Result<bool>,
) -> crate::Result<bool> {
    let end = since_boot().saturating_add(timeout);
    loop {
        if done()? {
            return Ok(true);
        }
        if since_boot() >= end {
            return Ok(false);
        }
        sleep(interval)?;
    }
}
