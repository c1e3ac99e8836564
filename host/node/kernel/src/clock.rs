//! Clocks.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since 1970 in UTC. It may jump: for people only.
pub fn wall() -> Duration {
    read(ClockId::Realtime)
}

/// Time since boot. It never goes back, and goes on through a suspend.
pub fn boot() -> Duration {
    read(ClockId::Boottime)
}

/// Which boot of the machine this is, see random(4). None where /proc does not say.
pub fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}
