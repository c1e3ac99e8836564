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
    /// The session of the action, if the line is of one. Only a file says it: sessions of one object may go on side by side.
    pub sid: Option<&'a str>,
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
        let line = self.after(&self.at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string());
        let Some(tag) = self.sid.and_then(session_tag) else { return line };
        match line.split_once('\n') {
            Some((first, rest)) => format!("{first}{tag}\n{rest}"),
            None => line + &tag,
        }
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

/// What stands before the session at the end of a line, and how much of its id.
const BEFORE_TAG: &str = "\t[";
const TAG: usize = 8;

/// At the end of the line, so that whatever reads the file finds the rest where it always was.
fn session_tag(sid: &str) -> Option<String> {
    Some(format!("{BEFORE_TAG}{}]", sid.get(..TAG)?))
}

/// A line of a file as it is shown, and the beginning of its session's id, if the line has one. Further lines of its message follow it,
/// indented.
pub(super) fn shown(entry: &str) -> (String, Option<&str>) {
    let first = entry.lines().next().unwrap_or_default();
    // What a driver prints may look like it, but ours is the last.
    let tagged = first.rsplit_once(BEFORE_TAG).and_then(|(line, sid)| Some((line, sid.strip_suffix(']')?)));
    match tagged.filter(|(_, sid)| sid.len() == TAG && sid.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        Some((line, sid)) => (format!("{line}{}", &entry[first.len()..]), Some(sid)),
        None => (entry.to_owned(), None),
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
        let line = LogLine { at: &at, level: LogSeverity::Info, object: &object, sid: None, rid: rid.as_ref(), text };
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

    #[test]
    fn a_line_of_a_file_names_its_session_and_is_shown_without_it() {
        let at = "2026-11-22T10:51:50.590+00:00[UTC]".parse().unwrap();
        let (object, rid) = ("web".parse().unwrap(), "fs#1".parse().unwrap());
        let sid = Some("ae60fdd4-5f0c-4a3e-8c2b-111111111111");
        let line =
            LogLine { at: &at, level: LogSeverity::Info, object: &object, sid, rid: Some(&rid), text: "one\n  two" };
        let written = line.for_file();
        assert!(written.starts_with("2026-11-22 10:51:50.590 INF web: fs#1: one\t[ae60fdd4]\n"), "{written}");
        let plain = LogLine { sid: None, ..line.clone() }.for_file();
        assert_eq!(shown(&written), (plain.clone(), Some("ae60fdd4")));
        assert_eq!(shown(&plain), (plain.clone(), None));
        assert_eq!(line.for_terminal().lines().next(), Some("10:51:50.590 INF web: fs#1: one"));
        let forged = LogLine { text: "x\t[00000000]", ..line }.for_file();
        assert_eq!(shown(&forged).1, Some("ae60fdd4"));
        for odd in ["", "é\t[", "\t[]", "x\t[ae60fdd]", "x\t[notahex!]"] {
            assert_eq!(shown(odd), (odd.to_owned(), None));
        }
    }
}
