//! The lines of an action's log.

use std::sync::Mutex;

use driver::{LogSeverity, LogSink};
use model::Rid;

/// The lines of an action, as `INF fs#1: text`.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn has(&self, line: &str) {
        assert!(self.all().iter().any(|other| other == line), "no line {line:?} in {:#?}", self.all());
    }
}

impl LogSink for Lines {
    fn line(&self, rid: Option<&Rid>, level: LogSeverity, text: &str) {
        let level = match level {
            LogSeverity::Trace | LogSeverity::Debug => "DBG",
            LogSeverity::Info => "INF",
            LogSeverity::Warn => "WRN",
            LogSeverity::Error => "ERR",
        };
        let rid = rid.map(|rid| format!("{rid}: ")).unwrap_or_default();
        self.0.lock().unwrap().push(format!("{level} {rid}{text}"));
    }
}
