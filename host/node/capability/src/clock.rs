//! `wit/clock.wit`: time. Always allowed.

use std::time::Duration;

use kernel::clock;
use tokio::time::{Instant, sleep_until};

use crate::{Error, Scope};

/// How often a wait looks whether the action was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// Milliseconds since 1970 in UTC. May jump.
pub fn wall_ms() -> u64 {
    milliseconds(clock::wall())
}

/// Milliseconds since boot. Never jumps.
pub fn boot_ms() -> u64 {
    milliseconds(clock::boot())
}

/// Waits, unless the deadline comes first or the action is cancelled.
pub async fn sleep_ms(scope: &Scope, duration: u64) -> Result<(), Error> {
    let end = Instant::now() + Duration::from_millis(duration).min(scope.remaining());
    let is_short = scope.remaining() < Duration::from_millis(duration);
    loop {
        if scope.call().cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if Instant::now() >= end {
            return if is_short { Err(Error::TimedOut) } else { Ok(()) };
        }
        sleep_until(end.min(Instant::now() + LOOK)).await;
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
