//! When a schedule lets something run next, and why not now. Pure: the moment, the last run and the time zone come in as values.
//!
//! ```text
//!  model::convert::Schedule ──▶ Calendar        which windows begin on a day, as moments in a time zone
//!    (elements, windows)            │
//!  now, last run ──────────────────▶ next_run   the earliest moment that a window and the last run both allow
//! ```
//!
//! The rules, where the text of a schedule leaves them open:
//! - The first element that covers a moment decides about it, so an exclusion stands before what it takes away from.
//! - A window belongs to the day on which it begins, also when it crosses midnight: `22:00-02:00 sat` ends on Sunday.
//! - Without an interval, something runs once in each window. With one, it waits that long after the last run. An interval that is
//!   longer than the window is counted from where the windows begin: otherwise a run that starts a second later each day would
//!   some day fall out of its window.
//! - An interval of whole days is counted by the calendar, whatever the clocks do in between.
//! - A local time that does not exist, because the clocks go forward, is the time that much later; one that exists twice is the
//!   first of the two.
//! - `~` chooses a moment from the seed and the window. The same seed always chooses the same moment, so a restart in between
//!   neither loses a run nor repeats it.

mod calendar;
mod next;
mod window;

pub use next::{NextRun, ScheduleQuery, WaitReason, missed_run, next_run};
