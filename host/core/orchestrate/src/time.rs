//! Points of a node's own clock. There is no other time here: what another node did is as old as its news is on this clock.

use std::ops::Add;
use std::time::Duration;

/// A point of CLOCK_BOOTTIME of the node that decides. It starts anew with each boot, and never compares with another node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(Duration);

impl BootTime {
    /// The boot itself.
    pub const BOOT: BootTime = BootTime(Duration::ZERO);

    /// That long after the boot.
    pub fn after_boot(duration: Duration) -> BootTime {
        BootTime(duration)
    }

    /// How long after the boot it is.
    pub fn since_boot(self) -> Duration {
        self.0
    }

    /// How much later than `earlier` it is. Zero if it is not.
    pub fn since(self, earlier: BootTime) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for BootTime {
    type Output = BootTime;

    fn add(self, duration: Duration) -> BootTime {
        BootTime(self.0.saturating_add(duration))
    }
}

/// The earlier of two wake-up times, of which either may be missing.
pub(crate) fn earlier(a: Option<BootTime>, b: Option<BootTime>) -> Option<BootTime> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
