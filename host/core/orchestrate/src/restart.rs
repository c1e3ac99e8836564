//! How often, and how soon, something is tried again: a budget within a window, and delays that double.
//!
//! A counter that starts anew at the first success restarts a flapping resource for ever. A window does not.

use std::time::Duration;

use crate::BootTime;

/// How long an attempt counts.
pub const RESTART_WINDOW: Duration = Duration::from_secs(600);

/// No delay between two attempts grows beyond this.
const LONGEST_DELAY: Duration = Duration::from_secs(120);

/// How often something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RestartRules {
    /// So many attempts within the window.
    pub budget: u32,
    /// The wait before the first attempt. It doubles with each attempt in the window.
    pub delay: Duration,
    /// How long an attempt counts.
    pub window: Duration,
}

impl RestartRules {
    /// The rules of a resource with these keywords.
    pub fn new(budget: u32, delay: Duration) -> RestartRules {
        RestartRules { budget, delay, window: RESTART_WINDOW }
    }

    /// When the next attempt is due, after `attempts` and for something that is down since `since`.
    pub fn next(&self, attempts: &AttemptLog, since: BootTime, now: BootTime) -> NextAttempt {
        let recent = attempts.within(self.window, now);
        let (made, latest) = (recent.clone().count() as u32, recent.clone().next_back());
        if made >= self.limit() {
            // With a budget of zero there is no attempt to wait for.
            return NextAttempt::Exhausted { until: recent.clone().next().map(|first| first + self.window) };
        }
        // A delay that the author has made longer than LONGEST_DELAY is never cut.
        // 20 doublings make any millisecond longer than LONGEST_DELAY; 32 would not fit the shift.
        let delay = self.delay.saturating_mul(1 << made.min(20)).min(LONGEST_DELAY.max(self.delay));
        // From whichever came last: something that was up in between for a while waits in full again.
        let due = latest.map_or(since, |latest| latest.max(since)) + delay;
        if due > now { NextAttempt::Waits { until: due } } else { NextAttempt::Due }
    }

    /// How many attempts there are within the window: no budget is beyond what is remembered.
    pub fn limit(&self) -> u32 {
        self.budget.min(KEPT as u32)
    }

    /// How many attempts are left.
    pub fn left(&self, attempts: &AttemptLog, now: BootTime) -> u32 {
        self.limit().saturating_sub(attempts.within(self.window, now).count() as u32)
    }
}

/// When something may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAttempt {
    /// Now.
    Due,
    /// Not before that time.
    Waits { until: BootTime },
    /// Not before an attempt has left the window; never, if there is none.
    Exhausted { until: Option<BootTime> },
}

/// When something was tried, the earliest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AttemptLog(Vec<BootTime>);

/// So many attempts are remembered, and no budget has more: the log of a resource that is never up does not grow for ever, and without a
/// delay one that forgets them would try for ever.
const KEPT: usize = 100;

impl AttemptLog {
    /// Nothing was tried.
    pub const fn new() -> AttemptLog {
        AttemptLog(Vec::new())
    }

    /// Adds an attempt.
    pub fn add(&mut self, at: BootTime) {
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push(at);
    }

    /// The attempts that are kept, the earliest first.
    pub fn times(&self) -> impl Iterator<Item = BootTime> {
        self.0.iter().copied()
    }

    fn within(&self, window: Duration, now: BootTime) -> impl DoubleEndedIterator<Item = BootTime> + Clone {
        self.0.iter().copied().filter(move |attempt| now.since(*attempt) < window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> BootTime {
        BootTime::after_boot(Duration::from_secs(seconds))
    }

    /// Two attempts within ten minutes, the first after a second.
    fn check(attempts: &[u64], since: u64, now: u64, expected: NextAttempt) {
        let rules = RestartRules::new(2, Duration::from_secs(1));
        let log = AttemptLog(attempts.iter().copied().map(at).collect());
        assert_eq!(rules.next(&log, at(since), at(now)), expected, "{attempts:?} since {since} at {now}");
    }

    #[test]
    fn a_budget_beyond_what_is_remembered_ends_all_the_same() {
        let rules = RestartRules::new(1000, Duration::ZERO);
        let mut log = AttemptLog::new();
        let attempts = (0..2000).take_while(|_| {
            let due = rules.next(&log, at(1), at(2)) == NextAttempt::Due;
            log.add(at(2));
            due
        });
        assert_eq!(attempts.count(), KEPT);
        assert_eq!(rules.left(&log, at(3)), 0);
    }

    #[test]
    fn delays_double_and_attempts_leave_the_window() {
        check(&[], 100, 100, NextAttempt::Waits { until: at(101) });
        check(&[], 100, 101, NextAttempt::Due);
        check(&[101], 100, 102, NextAttempt::Waits { until: at(103) });
        check(&[101], 100, 103, NextAttempt::Due);
        check(&[101, 103], 100, 104, NextAttempt::Exhausted { until: Some(at(701)) });
        // One attempt has left the window, the other has not.
        check(&[101, 103], 100, 701, NextAttempt::Due);
        check(&[101, 103], 700, 702, NextAttempt::Due);
    }

    #[test]
    fn without_a_budget_nothing_is_tried() {
        let rules = RestartRules::new(0, Duration::ZERO);
        let next = rules.next(&AttemptLog::new(), at(1), at(1));
        assert_eq!(next, NextAttempt::Exhausted { until: None });
    }

    #[test]
    fn a_delay_cannot_overflow() {
        let rules = RestartRules::new(u32::MAX, Duration::MAX);
        let mut log = AttemptLog::new();
        (1..KEPT as u64).for_each(|second| log.add(at(second)));
        assert!(matches!(rules.next(&log, at(0), at(200)), NextAttempt::Waits { .. }));
    }
}
