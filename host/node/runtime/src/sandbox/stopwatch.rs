//! Measures how long guests were running, all together. The rest of an action's time is the agent's own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Runs while at least one guest is running.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch(Mutex<WorkTime>);

#[derive(Debug, Default)]
struct WorkTime {
    at_work: usize,
    /// When the first of the running guests began.
    since: Option<Instant>,
    before: Duration,
}

/// Keeps the stopwatch running until it is dropped.
pub(crate) struct StopwatchGuard<'a>(&'a Stopwatch);

impl Stopwatch {
    pub(crate) fn begin(&self) -> StopwatchGuard<'_> {
        let mut time = self.time();
        time.at_work += 1;
        // Guests that run at the same time count once.
        time.since.get_or_insert_with(Instant::now);
        StopwatchGuard(self)
    }

    /// The time measured until now.
    pub(crate) fn elapsed(&self) -> Duration {
        let time = self.time();
        time.before + time.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn time(&self) -> MutexGuard<'_, WorkTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StopwatchGuard<'_> {
    fn drop(&mut self) {
        let mut time = self.0.time();
        time.at_work -= 1;
        if time.at_work == 0
            && let Some(since) = time.since.take()
        {
            time.before += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_once_for_all_that_are_at_work() {
        let stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.elapsed(), Duration::ZERO);
        let (began, first) = (Instant::now(), stopwatch.begin());
        let second = stopwatch.begin();
        std::thread::sleep(Duration::from_millis(2));
        drop(first);
        assert!(stopwatch.elapsed() >= Duration::from_millis(2), "one is at work still");
        drop(second);
        let elapsed = stopwatch.elapsed();
        assert!(elapsed <= began.elapsed(), "counted twice");
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(stopwatch.elapsed(), elapsed, "no driver is at work");
    }
}
