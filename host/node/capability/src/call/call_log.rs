//! The log lines, progress and messages of one call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver::{LogSeverity, LogSink, ReportMessage};
use model::Rid;
use tokio::time::Instant;

/// How many bytes of log lines a call may write unless the site sets another limit.
pub const OUTPUT_BUDGET: u64 = 1 << 20;

/// The least time between two reports of progress.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// The log of one call. Lines beyond the budget are dropped; how many is logged when the call is over.
pub(super) struct CallLog {
    log: Arc<dyn LogSink>,
    rid: Rid,
    budget: u64,
    /// In `status`, warnings and errors go into the report instead of the log.
    reports_warnings: bool,
    state: Mutex<LogState>,
}

#[derive(Default)]
struct LogState {
    bytes: u64,
    dropped: u64,
    /// When progress was last reported.
    reported: Option<Instant>,
    messages: Vec<ReportMessage>,
}

impl CallLog {
    pub(super) fn new(log: Arc<dyn LogSink>, rid: Rid, budget: u64, reports_warnings: bool) -> CallLog {
        CallLog { log, rid, budget, reports_warnings, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line of so many bytes may still be written. One that may not counts as dropped.
    pub(super) fn has_room(&self, length: usize) -> bool {
        let mut state = self.state();
        let has_room = state.bytes.saturating_add(length as u64 + 1) <= self.budget;
        state.dropped += u64::from(!has_room);
        has_room
    }

    /// Writes a line. It must hold no secret.
    pub(super) fn line(&self, level: LogSeverity, text: String) {
        let mut state = self.state();
        let bytes = state.bytes.saturating_add(text.len() as u64 + 1);
        // Only this line is dropped: a shorter one may still fit.
        if bytes > self.budget {
            state.dropped += 1;
            return;
        }
        state.bytes = bytes;
        if self.reports_warnings && level >= LogSeverity::Warn {
            state.messages.push(ReportMessage { level, text });
            return;
        }
        // Never under the lock: a log may wait for a slow terminal.
        drop(state);
        self.log.line(Some(&self.rid), level, &text);
    }

    /// Reports progress, at most ten times a second.
    pub(super) fn progress(&self, done: u64, total: Option<u64>, unit: &str) {
        let mut state = self.state();
        let now = Instant::now();
        if state.reported.is_some_and(|last| now < last + PROGRESS_PAUSE) {
            return;
        }
        state.reported = Some(now);
        drop(state);
        self.log.progress(&self.rid, done, total, unit);
    }

    /// Takes the warnings and errors that belong to the report of `status`.
    pub(super) fn take_messages(&self) -> Vec<ReportMessage> {
        std::mem::take(&mut self.state().messages)
    }
}

impl Drop for CallLog {
    fn drop(&mut self) {
        // Once per call, and not for each line, which would be output as well.
        let dropped = self.state().dropped;
        if dropped > 0 {
            let text = format!("{dropped} more lines were dropped: the call wrote too much");
            self.log.line(Some(&self.rid), LogSeverity::Warn, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl LogSink for Lines {
        fn line(&self, _: Option<&Rid>, level: LogSeverity, text: &str) {
            self.0.lock().unwrap().push(format!("{level:?} {text}"));
        }
    }

    fn logged(budget: u64, lines: &[&str]) -> Vec<String> {
        let sink = Arc::new(Lines::default());
        let log = CallLog::new(sink.clone(), "fs#1".parse().unwrap(), budget, false);
        lines.iter().for_each(|line| log.line(LogSeverity::Info, (*line).to_owned()));
        drop(log);
        sink.0.lock().unwrap().clone()
    }

    #[test]
    fn lines_beyond_the_budget_are_dropped_and_counted_once() {
        assert_eq!(logged(8, &["one", "two"]), ["Info one", "Info two"]);
        assert_eq!(
            logged(8, &["one", "longer", "more", "two"]),
            ["Info one", "Info two", "Warn 2 more lines were dropped: the call wrote too much"]
        );
    }

    #[test]
    fn warnings_of_a_status_belong_to_its_report() {
        let sink = Arc::new(Lines::default());
        let log = CallLog::new(sink.clone(), "fs#1".parse().unwrap(), OUTPUT_BUDGET, true);
        log.line(LogSeverity::Info, "looked".to_owned());
        log.line(LogSeverity::Warn, "old".to_owned());
        assert_eq!(sink.0.lock().unwrap()[..], ["Info looked"]);
        assert_eq!(log.take_messages(), [ReportMessage { level: LogSeverity::Warn, text: "old".to_owned() }]);
        assert!(log.take_messages().is_empty());
    }
}
