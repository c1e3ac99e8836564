//! The clocks of the kernel, and the id of the boot.

use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time since 1970 in UTC. It may jump, so it is for people only.
pub fn wall() -> Duration {
    read(ClockId::Realtime)
}

/// The time since boot. It never goes back, and counts while the machine is suspended.
pub fn boot() -> Duration {
    read(ClockId::Boottime)
}

/// The time for which this thread has kept a processor busy.
pub fn thread_cpu() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// The id of this boot of the machine, see random(4). None if /proc does not have it.
pub fn boot_id() -> Option<String> {
    // No process outlives its boot.
    static READ: OnceLock<String> = OnceLock::new();
    if let Some(read) = READ.get() {
        return Some(read.clone());
    }
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(READ.get_or_init(|| text.trim().to_owned()).clone())
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}
