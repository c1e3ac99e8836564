//! How a line of the log looks: `HH:MM:SS.mmm INF <path>: <rid>: message`, in a file with the day before it.

use driver::Level;
use jiff::Zoned;
use model::{ObjectPath, Rid};

/// A line, before it is text.
#[derive(Debug, Clone)]
pub struct LogLine<'a> {
    /// When.
    pub at: &'a Zoned,
    /// How much it matters.
    pub level: Level,
    /// The object whose action it is.
    pub object: &'a ObjectPath,
    /// The resource, unless it is about the action itself.
    pub rid: Option<&'a Rid>,
    /// What is to be said. May have several lines itself.
    pub text: &'a str,
}

impl LogLine<'_> {
    /// As a terminal shows it.
    pub fn for_terminal(&self) -> String {
        self.after(&self.at.strftime("%H:%M:%S%.3f").to_string())
    }

    /// As a file keeps it.
    pub fn for_file(&self) -> String {
        self.after(&self.at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string())
    }

    /// Lines after the first are indented to where the first one's text begins.
    fn after(&self, time: &str) -> String {
        let rid = self.rid.map(|rid| format!("{rid}: ")).unwrap_or_default();
        let prefix = format!("{time} {} {}: {rid}", word(self.level), self.object);
        let indent = format!("\n{:width$}", "", width = prefix.chars().count());
        let text = self.text.trim_end().split('\n').map(harmless).collect::<Vec<_>>().join(&indent);
        prefix + &text
    }
}

/// What a driver or a program says must not steer the terminal that shows it.
fn harmless(text: &str) -> String {
    let escape = |c: char| match c {
        '\t' => vec!['\t'],
        c if c.is_control() => c.escape_default().collect(),
        c => vec![c],
    };
    text.trim_end_matches('\r').chars().flat_map(escape).collect()
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRC",
        Level::Debug => "DBG",
        Level::Info => "INF",
        Level::Warn => "WRN",
        Level::Error => "ERR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rid: Option<&str>, text: &str, expected: &str) {
        let at = "2026-11-22T10:51:50.590+00:00[UTC]".parse().unwrap();
        let object = "web".parse().unwrap();
        let rid = rid.map(|rid| rid.parse().unwrap());
        let line = LogLine { at: &at, level: Level::Info, object: &object, rid: rid.as_ref(), text };
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
