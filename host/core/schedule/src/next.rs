//! The earliest moment that a schedule and the last run both allow.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::convert::Schedule;

use crate::calendar::Calendar;
use crate::window::DatedWindow;

const DAY: u64 = 24 * 3600;

/// How many beginnings and ends of windows are looked at. Rare dates have few of them in many years; a schedule whose exclusions cover
/// all of its windows has some every day, for ever.
const MOST_BOUNDARIES: usize = 4000;

/// The question: when does this run next?
#[derive(Debug, Clone, Copy)]
pub struct ScheduleQuery<'a> {
    pub schedule: &'a Schedule,
    /// The time zone of the schedule's days and times.
    pub zone: &'a TimeZone,
    pub now: Timestamp,
    /// When it ran last. None: never.
    pub last: Option<Timestamp>,
    /// Chooses the moments of `~`. It must stay the same from one question to the next.
    pub seed: u64,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRun {
    /// The moment, `now` if it is due. None: never again.
    pub at: Option<Timestamp>,
    /// Why it does not run now.
    pub wait: WaitReason,
}

/// Why something does not run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// It does: it is due.
    Due,
    /// No window of the schedule is open.
    Closed,
    /// An exclusion covers this moment.
    Excluded,
    /// It has run in this window, which ends then.
    HasRun { window_end: Timestamp },
    /// Its last run was less than the interval ago.
    Interval(Duration),
    /// The window is open, and `~` has chosen a later moment of it.
    Spread,
}

/// When the next run is due.
pub fn next_run(query: &ScheduleQuery<'_>) -> NextRun {
    // Without this, a schedule that only excludes would be searched to the end of the calendar.
    if query.schedule.elements.iter().all(|element| element.exclude) {
        return NextRun { at: None, wait: WaitReason::Closed };
    }
    let calendar = Calendar::new(query.schedule, query.zone);
    let mut wait = None;
    let mut moment = query.now;
    for _ in 0..MOST_BOUNDARIES {
        let attempt = Attempt::at(&calendar, query, moment);
        let wait = *wait.get_or_insert(attempt.wait);
        let boundary = calendar.boundary_after(moment);
        match attempt.ready {
            // A later element may lose its moment to an earlier one that begins in between: that is a boundary.
            Some(ready) if boundary.is_none_or(|boundary| ready < boundary) => {
                return NextRun { at: Some(ready), wait };
            }
            _ => {}
        }
        match boundary {
            Some(boundary) => moment = boundary,
            None => break,
        }
    }
    NextRun { at: None, wait: wait.unwrap_or(WaitReason::Closed) }
}

/// The moment at which a run was due since the last one, in a window that is over: what a catch-up makes good. None if
/// nothing was missed, or if it never ran, so that nobody can tell since when it should have.
pub fn missed_run(query: &ScheduleQuery<'_>) -> Option<Timestamp> {
    let last = query.last.filter(|last| *last < query.now)?;
    let due = next_run(&ScheduleQuery { now: last, ..*query }).at?;
    let is_over = due < query.now && next_run(query).wait != WaitReason::Due;
    is_over.then_some(due)
}

/// What one moment allows.
struct Attempt {
    /// From when on the window of the moment allows a run.
    ready: Option<Timestamp>,
    wait: WaitReason,
}

impl Attempt {
    fn at(calendar: &Calendar<'_>, query: &ScheduleQuery<'_>, moment: Timestamp) -> Attempt {
        let Some(window) = calendar.window_at(moment) else { return Attempt::never(WaitReason::Closed) };
        if window.exclude {
            return Attempt::never(WaitReason::Excluded);
        }
        // A clock that was set back leaves a last run in the future. It must not keep the next one waiting for longer than the
        // interval.
        let last = query.last.map(|last| last.min(query.now));
        let has_run = last.is_some_and(|last| window.covers(last));
        let rested = match (window.interval, last) {
            (None, _) if has_run => return Attempt::never(WaitReason::HasRun { window_end: window.end }),
            (Some(interval), Some(last)) => match after_interval(calendar, last, interval) {
                Some(rested) if rested > moment => return Attempt::later(rested, WaitReason::Interval(interval)),
                Some(_) => Some(moment),
                None => return Attempt::never(WaitReason::Interval(interval)),
            },
            _ => None,
        };
        let opening = window.opening(query.seed);
        match rested {
            Some(now) if has_run => Attempt::later(now, WaitReason::Due),
            _ if opening <= moment => Attempt::later(moment, WaitReason::Due),
            _ => Attempt::later(opening, WaitReason::Spread),
        }
    }

    fn never(wait: WaitReason) -> Attempt {
        Attempt { ready: None, wait }
    }

    fn later(ready: Timestamp, wait: WaitReason) -> Attempt {
        Attempt { ready: Some(ready), wait }
    }
}

/// When the interval after the last run is over. None if that is beyond all times.
fn after_interval(calendar: &Calendar<'_>, last: Timestamp, interval: Duration) -> Option<Timestamp> {
    let longer_than = |window: &DatedWindow| !window.exclude && interval > window.length();
    let from = calendar.window_at(last).filter(longer_than).map_or(last, |window| window.begin);
    if interval.subsec_nanos() == 0 && interval.as_secs().is_multiple_of(DAY) {
        return calendar.days_later(from, i32::try_from(interval.as_secs() / DAY).ok()?);
    }
    from.checked_add(SignedDuration::try_from(interval).ok()?).ok()
}
