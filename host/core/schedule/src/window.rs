//! A window of a schedule on the time line.

use std::hash::Hasher;
use std::time::Duration;

use fnv::FnvHasher;
use jiff::{SignedDuration, Timestamp};

/// A window of one day: the moments from `begin` until just before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DatedWindow {
    pub(crate) begin: Timestamp,
    pub(crate) end: Timestamp,
    /// Whether the window takes its moments away.
    pub(crate) exclude: bool,
    /// The time between two runs. None: one run in the window.
    pub(crate) interval: Option<Duration>,
    spread: bool,
}

impl DatedWindow {
    pub(crate) fn new(
        (begin, end): (Timestamp, Timestamp),
        exclude: bool,
        window: &model::convert::ScheduleWindow,
    ) -> DatedWindow {
        DatedWindow { begin, end, exclude, interval: window.interval, spread: window.spread }
    }

    pub(crate) fn covers(&self, moment: Timestamp) -> bool {
        self.begin <= moment && moment < self.end
    }

    pub(crate) fn length(&self) -> Duration {
        self.end.duration_since(self.begin).unsigned_abs()
    }

    /// The first moment at which something with this seed may run in the window.
    pub(crate) fn opening(&self, seed: u64) -> Timestamp {
        let room = self.interval.unwrap_or(Duration::MAX).min(self.length()).as_secs();
        if !self.spread || room == 0 {
            return self.begin;
        }
        let mut hasher = FnvHasher::default();
        hasher.write_u64(seed);
        hasher.write_i64(self.begin.as_second());
        let delay = i64::try_from(hasher.finish() % room).unwrap_or(0);
        self.begin.saturating_add(SignedDuration::from_secs(delay)).unwrap_or(self.begin)
    }
}
