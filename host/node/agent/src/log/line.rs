//! The format of a log line: `HH:MM:SS.mmm INF <path>: <rid>: message`. In a file the date precedes it.

use std::borrow::Cow;

use driver::LogSeverity;
use jiff::Zoned;
use model::{ObjectPath, Rid};

/// A line of the log, before it is formatted.
#[derive(Debug, Clone)]
pub struct LogLine<'a> {
    pub at: &'a Zoned,
    pub level: LogSeverity,
    pub object: &'a ObjectPath,
    /// The resource that the line is about. None: the action itself.
    pub rid: Option<&'a Rid>,
    /// The message. It may have several lines.
    pub text: &'a str,
}

impl LogLine<'_> {
    /// The line for a terminal.
    pub fn for_terminal(&self) -> String {
        self.after(&self.at.strftime("%H:%M:%S%.3f").to_string())
    }

    /// The line for a file.
    pub fn for_file(&self) -> String {
        self.after(&self.at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
    }

    /// Further lines of a message are indented to where its first line begins.
    fn after(&self, time: &str) -> String {
        let rid = self.rid.map(|rid| format!("{rid}: ")).unwrap_or_default();
        // Everything that is searched for stands on each line: the time, the level, the object, the resource.
        let prefix = format!("{time} {} {}: {rid}", word(self.level), self.object);
        let indent = format!("\n{:width$}", "", width = prefix.chars().count());
        let text = self.text.trim_end().split('\n').map(harmless).collect::<Vec<_>>().join(&indent);
        prefix + &text
    }
}

/// The output of a driver or a program, which must not steer the terminal.
fn harmless(text: &str) -> Cow<'_, str> {
    model::text::harmless(text.trim_end_matches('\r'))
}

fn word(level: LogSeverity) -> &'static str {
    match level {
        LogSeverity::Trace => "TRC",
        LogSeverity::Debug => "DBG",
        LogSeverity::Info => "INF",
        LogSeverity::Warn => "WRN",
        LogSeverity::Error => "ERR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rid: Option<&str>, text: &str, expected: &str) {
        let at = "2026-11-22T10:51:50.590+00:00[UTC]".parse().unwrap();
        let object = "web".parse().unwrap();
        let rid = rid.map(|rid| rid.parse().unwrap());
        let line = LogLine { at: &at, level: LogSeverity::Info, object: &object, rid: rid.as_ref(), text };
        assert_eq!(line.for_terminal(), expected);
        assert_eq!(line.for_file().lines().next(), Some(&*format!("2026-11-22 {}", expected.lines().next().unwrap())));
    }

    #[test]
    fn a_line_names_object_and_resource() {
        check(Some("fs#1"), "mounted", "10:51:50.590 INF web: fs#1: mounted");
        check(None, ">>> do start", "10:51:50.590 INF web: >>> do start");
    }

    #[test]
    fn further_lines_stand_below_the_first() {
        check(Some("fs#1"), "one\r\ntwo\n", "10:51:50.590 INF web: fs#1: one\n                            two");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        check(None, "a\u{1b}[2Jb\tc", "10:51:50.590 INF web: a\\u{1b}[2Jb\tc");
    }
}
