//! The log of one action: the lines of drivers and of the executor go to the terminal and to the object's file.

use std::sync::Arc;

use driver::{LogSeverity, LogSink};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{ObjectPath, Rid};

use super::{LogFile, LogLine, LogSinks, SecretValues, SinkMessage, zone};

/// The terminal of the command line. It gets whole lines, and may colour them.
pub trait LogConsole: Send + Sync {
    /// Shows a line.
    fn line(&self, level: LogSeverity, line: &str);

    /// Shows how far a long operation is. A console need not.
    fn progress(&self, rid: &Rid, done: u64, total: Option<u64>, unit: &str) {
        let _ = (rid, done, total, unit);
    }
}

/// The log of an action on an object.
pub struct ActionLog {
    object: ObjectPath,
    file: LogFile,
    console: Option<Arc<dyn LogConsole>>,
    secrets: Arc<SecretValues>,
    sinks: Option<LogSinks>,
    sid: Option<String>,
    zone: TimeZone,
}

impl ActionLog {
    /// A log that writes to a file, and to a console if there is one.
    pub fn new(
        object: ObjectPath,
        file: LogFile,
        console: Option<Arc<dyn LogConsole>>,
        secrets: Arc<SecretValues>,
    ) -> ActionLog {
        ActionLog { object, file, console, secrets, sinks: None, sid: None, zone: zone::local() }
    }

    /// The same, that goes where the node's configuration says too.
    pub(crate) fn with_sinks(self, sinks: LogSinks) -> ActionLog {
        ActionLog { sinks: Some(sinks), ..self }
    }

    /// The same, whose lines are of this session.
    pub(crate) fn of_session(self, sid: &str) -> ActionLog {
        ActionLog { sid: Some(sid.to_owned()), ..self }
    }
}

impl LogSink for ActionLog {
    fn line(&self, rid: Option<&Rid>, level: LogSeverity, text: &str) {
        let now = Timestamp::now().to_zoned(self.zone.clone());
        let text = capability::hide_secret_values(&self.secrets.redact(text));
        let sid = self.sid.as_deref();
        let line = LogLine { at: &now, level, object: &self.object, sid, rid, text: &text };
        if let Some(console) = &self.console {
            console.line(level, &line.for_terminal());
        }
        if level > LogSeverity::Trace {
            // Written at once, not by a thread that lags behind: after a crash the last lines are the ones that matter.
            // A full disk must not fail an action.
            let _ = self.file.append(&line.for_file(), &now);
            if let Some(sinks) = &self.sinks {
                let (at, object) = (now.timestamp(), Some(&self.object));
                sinks.send(&SinkMessage { at, level, object, rid, text: &text });
            }
        }
    }

    fn progress(&self, rid: &Rid, done: u64, total: Option<u64>, unit: &str) {
        if let Some(console) = &self.console {
            console.progress(rid, done, total, unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LogLimits, last_lines};
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Terminal(Mutex<Vec<String>>);

    impl LogConsole for Terminal {
        fn line(&self, _: LogSeverity, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    fn without_time(line: &str) -> &str {
        line.split_once(" INF ").map_or(line, |(_, rest)| rest)
    }

    #[test]
    fn terminal_and_file_get_every_line_and_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.log");
        let terminal = Arc::new(Terminal::default());
        let secrets = Arc::new(SecretValues::default());
        let file = LogFile::new(path.clone(), LogLimits::default());
        let log = ActionLog::new("web".parse().unwrap(), file, Some(terminal.clone()), secrets.clone());
        secrets.add("hunter2");
        log.line(Some(&"app#1".parse().unwrap()), LogSeverity::Info, "run: login hunter2");
        log.line(None, LogSeverity::Trace, "only for the terminal");
        let shown = terminal.0.lock().unwrap().clone();
        assert_eq!(shown.len(), 2);
        assert_eq!(without_time(&shown[0]), "web: app#1: run: login ***");
        let kept = last_lines(&path, 10).unwrap();
        assert_eq!(kept.iter().map(|line| without_time(line)).collect::<Vec<_>>(), ["web: app#1: run: login ***"]);
    }

    #[test]
    fn a_log_that_cannot_be_written_fails_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("a file");
        std::fs::write(&taken, b"").unwrap();
        let terminal = Arc::new(Terminal::default());
        let file = LogFile::new(taken.join("web.log"), LogLimits::default());
        let log = ActionLog::new("web".parse().unwrap(), file, Some(terminal.clone()), Arc::default());
        log.line(None, LogSeverity::Info, "done");
        assert_eq!(terminal.0.lock().unwrap().len(), 1);
    }
}
