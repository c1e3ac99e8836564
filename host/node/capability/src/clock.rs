//! `wit/clock.wit`: time. Always allowed.

use std::time::Duration;

use kernel::clock;
use tokio::time::{Instant, sleep_until};

use crate::{Error, Scope};

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
    let cancel = &scope.bounds().cancel;
    let end = Instant::now() + Duration::from_millis(duration).min(scope.remaining());
    let is_short = scope.remaining() < Duration::from_millis(duration);
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::Cancelled),
        () = sleep_until(end) => if is_short { Err(Error::TimedOut) } else { Ok(()) },
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
