//! `wit/clock.wit`: time. Always allowed.

use std::time::Duration;

use kernel::clock;
use tokio::time::{Instant, sleep_until};

use crate::{CallContext, CapabilityError};

/// Milliseconds since 1970 in UTC. This clock may jump.
pub fn wall_ms() -> u64 {
    milliseconds(clock::wall())
}

/// Milliseconds since boot. This clock never jumps.
pub fn boot_ms() -> u64 {
    milliseconds(clock::boot())
}

/// Waits. Fails if the deadline comes first or the action is given up.
pub async fn sleep_ms(context: &CallContext, duration: u64) -> Result<(), CapabilityError> {
    let cancel = &context.bounds().cancel;
    let end = Instant::now() + Duration::from_millis(duration).min(context.remaining());
    // Asked before the wait: after it, both moments may have passed.
    let is_short = context.remaining() < Duration::from_millis(duration);
    tokio::select! {
        // The cancellation first: a driver that sleeps in a loop must notice it even if it sleeps for 0 ms.
        biased;
        () = cancel.cancelled() => Err(CapabilityError::Cancelled),
        () = sleep_until(end) => if is_short { Err(CapabilityError::TimedOut) } else { Ok(()) },
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
