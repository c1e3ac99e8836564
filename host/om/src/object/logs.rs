//! `logs`: what was done with objects, as their log files keep it.

use std::process::ExitCode;
use std::time::Duration;

use agent::log::{LogFollower, last_lines};
use anyhow::Context;
use model::ObjectPath;

use crate::command::LogsArgs;
use crate::exit::Outcome;
use crate::session::{Session, is_closed, print};
use crate::words::Target;

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn run(session: &Session, target: &Target, args: &LogsArgs) -> Outcome {
    let paths = session.select_some(target)?;
    // Where the following begins is taken before the reading, so that no line is lost in between.
    let mut followed = Vec::new();
    let mut entries = Vec::new();
    for path in &paths {
        let file = session.agent.home().object_log(path);
        if args.follow {
            let follow = LogFollower::from_end(&file).context("cannot follow the log")?;
            followed.push((follow, Filter::new(path, args)));
        }
        let lines = last_lines(&file, usize::MAX).context("cannot read the log")?;
        let mut filter = Filter::new(path, args);
        entries.extend(split(lines).into_iter().filter(|entry| filter.accepts(entry)));
    }
    // Lines begin with their time. Those of one object stay in their order.
    entries.sort_by(|a, b| time(a).cmp(time(b)));
    print(&last(&entries, args.lines).concat());
    while !followed.is_empty() {
        std::thread::sleep(LOOK);
        for (follow, filter) in &mut followed {
            let lines = follow.new_lines().context("cannot follow the log")?;
            for entry in split(lines).into_iter().filter(|entry| filter.accepts(entry)) {
                print(&entry);
            }
            if is_closed() {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The day and the hour, to the millisecond.
fn time(entry: &str) -> &str {
    entry.get(.."2026-01-01 00:00:00.000".len()).unwrap_or(entry)
}

/// The entries at the end that have that many lines together. Zero: all.
fn last(entries: &[String], lines: usize) -> &[String] {
    let mut rest = lines;
    let mut from = entries.len();
    while from > 0 && (lines == 0 || rest > 0) {
        from -= 1;
        rest = rest.saturating_sub(entries[from].lines().count());
    }
    &entries[from..]
}

/// Lines, with the indented ones behind each that belong to it.
fn split(lines: Vec<String>) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in lines {
        match entries.last_mut() {
            Some(entry) if line.starts_with(' ') => *entry += &format!("{line}\n"),
            _ => entries.push(line + "\n"),
        }
    }
    entries
}

/// Which entries of a log are shown. Reads them in their order, for a session begins with a line that names it.
struct Filter {
    sid: Option<String>,
    /// Whether the lines at hand are of that session.
    inside: bool,
    /// What stands before the text of the object's lines.
    object: String,
    rid: Option<String>,
}

impl Filter {
    fn new(path: &ObjectPath, args: &LogsArgs) -> Filter {
        let rid = args.rid.as_ref().map(|rid| format!("{rid}: "));
        Filter { sid: args.sid.clone(), inside: false, object: format!(" {path}: "), rid }
    }

    fn accepts(&mut self, entry: &str) -> bool {
        let text = entry.split_once(self.object.as_str()).map_or(entry, |(_, text)| text);
        if text.starts_with(">>> ") {
            let sid = text.rsplit_once("sid ").map_or("", |(_, sid)| sid);
            self.inside = self.sid.as_ref().is_some_and(|wanted| sid.starts_with(wanted.as_str()));
        }
        let in_session = self.sid.is_none() || self.inside;
        if text.starts_with("<<< ") {
            self.inside = false;
        }
        in_session && self.rid.as_ref().is_none_or(|rid| text.starts_with(rid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: [&str; 6] = [
        "2026-01-01 10:00:00.000 INF web: >>> do start [om web start] (origin user, sid ae60fdd4)",
        "2026-01-01 10:00:00.001 INF web: fs#1: run: mount",
        "                                 | two lines",
        "2026-01-01 10:00:00.002 INF web: <<< done start",
        "2026-01-01 10:00:00.003 INF web: >>> do stop [om web stop] (origin user, sid be60fdd4)",
        "2026-01-01 10:00:00.004 INF web: fs#10: unmounted",
    ];

    fn shown(sid: Option<&str>, rid: Option<&str>) -> Vec<usize> {
        let args = LogsArgs { sid: sid.map(str::to_owned), rid: rid.map(str::to_owned), ..LogsArgs::default() };
        let mut filter = Filter::new(&"web".parse().unwrap(), &args);
        let entries = split(LOG.iter().map(|line| (*line).to_owned()).collect());
        (0..entries.len()).filter(|at| filter.accepts(&entries[*at])).collect()
    }

    #[test]
    fn entries_are_those_of_the_session_and_of_the_resource() {
        assert_eq!(shown(None, None), [0, 1, 2, 3, 4]);
        assert_eq!(shown(Some("ae60fdd4"), None), [0, 1, 2]);
        assert_eq!(shown(Some("be60"), None), [3, 4]);
        assert_eq!(shown(None, Some("fs#1")), [1]);
        assert_eq!(shown(Some("ae60fdd4"), Some("fs#10")), [0; 0]);
    }

    #[test]
    fn an_entry_of_several_lines_is_never_torn() {
        let entries = split(LOG[..3].iter().map(|line| (*line).to_owned()).collect());
        let check = |lines, expected: usize| assert_eq!(last(&entries, lines).len(), expected, "{lines} lines");
        check(1, 1);
        check(2, 1);
        check(3, 2);
        check(0, 2);
    }
}
