//! Reading and following the logs of objects: `om … logs`.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use driver::{LogSeverity, LogSink};
use jiff::Timestamp;
use model::ObjectPath;
use protocol::LogQuery;

use super::line::shown;
use super::{ActionLog, LogFile, LogFollower, LogSinks, SinkMessage, last_lines};
use crate::Agent;
use crate::file::durable::FileError;
use crate::node::log_limits;
use exec::blocking;

/// How often a log that is followed is read again.
const INTERVAL: Duration = Duration::from_millis(200);

/// Why a log cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum LogReadError {
    /// It cannot be read.
    #[error("cannot read the log")]
    Read(#[source] FileError),
    /// It cannot be followed.
    #[error("cannot follow the log")]
    Follow(#[source] FileError),
}

impl Agent {
    /// Adds a line to the log of an object. Blocks.
    pub fn log_line(&self, path: &ObjectPath, level: LogSeverity, text: &str) {
        let node = self.node();
        let file = LogFile::new(self.home().object_log(path), log_limits(&node));
        let log = ActionLog::new(path.clone(), file, None, Arc::default()).with_sinks(LogSinks::of(&node));
        log.line(None, level, text);
    }

    /// Sends a line to the journal and to syslog, if node.conf says so. Blocks.
    pub fn report(&self, path: Option<&ObjectPath>, level: LogSeverity, text: &str) {
        let message = SinkMessage { at: Timestamp::now(), level, object: path, rid: None, text };
        LogSinks::of(&self.node()).send(&message);
    }

    /// Hands the entries that are asked for to `entry`, in the order of their times. If they are followed, it goes on with
    /// new entries until `entry` breaks.
    ///
    /// An entry is a line and the indented lines that belong to it.
    pub async fn logs(
        &self,
        query: &LogQuery,
        entry: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), LogReadError> {
        // Following begins before the logs are read, so that no line is lost in between.
        let mut followed = Vec::new();
        let mut entries = Vec::new();
        for path in &query.objects {
            let file = self.home().object_log(path);
            let follow = query.follow;
            let (follower, lines) = blocking(move || {
                let follower =
                    follow.then(|| LogFollower::from_end(&file)).transpose().map_err(LogReadError::Follow)?;
                Ok((follower, last_lines(&file, usize::MAX).map_err(LogReadError::Read)?))
            })
            .await?;
            followed.extend(follower.map(|follower| (follower, EntryFilter::new(path, query))));
            let mut filter = EntryFilter::new(path, query);
            entries.extend(split(lines).iter().filter_map(|entry| filter.accepted(entry)));
        }
        // A line begins with its time. The sort is stable, so that the lines of one object keep their order.
        entries.sort_by(|a, b| time(a).cmp(time(b)));
        for text in last(&entries, query.lines) {
            if entry(text).is_break() {
                return Ok(());
            }
        }
        while !followed.is_empty() {
            tokio::time::sleep(INTERVAL).await;
            for (mut follower, mut filter) in std::mem::take(&mut followed) {
                let (follower, lines) = blocking(move || {
                    let lines = follower.new_lines();
                    (follower, lines)
                })
                .await;
                let lines = lines.map_err(LogReadError::Follow)?;
                for text in split(lines).iter().filter_map(|entry| filter.accepted(entry)) {
                    if entry(&text).is_break() {
                        return Ok(());
                    }
                }
                followed.push((follower, filter));
            }
            // A reader that went away is noticed even while nothing is written.
            if entry("").is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
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

/// Lines, each with the indented ones behind it that belong to it.
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

/// Which entries of a log are shown. It must read all of them in their order: an earlier version wrote the id of a session on its first
/// line only.
struct EntryFilter {
    sid: Option<String>,
    /// Whether the present lines without an id are of that session.
    inside: bool,
    /// What stands before the text of the object's lines.
    object: String,
    rid: Option<String>,
}

impl EntryFilter {
    fn new(path: &ObjectPath, query: &LogQuery) -> EntryFilter {
        let rid = query.rid.as_ref().map(|rid| format!("{rid}: "));
        EntryFilter { sid: query.sid.clone(), inside: false, object: format!(" {path}: "), rid }
    }

    /// The entry as it is shown, if it is wanted.
    fn accepted(&mut self, entry: &str) -> Option<String> {
        let (entry, sid) = shown(entry);
        self.accepts(&entry, sid).then_some(entry)
    }

    fn accepts(&mut self, entry: &str, sid: Option<&str>) -> bool {
        let text = entry.split_once(self.object.as_str()).map_or(entry, |(_, text)| text);
        let in_session = match (&self.sid, sid) {
            (None, _) => true,
            // A line has the beginning of the id only, and so may the one that is asked for.
            (Some(wanted), Some(sid)) => wanted.starts_with(sid) || sid.starts_with(wanted.as_str()),
            (Some(_), None) => self.is_inside(text),
        };
        in_session && self.rid.as_ref().is_none_or(|rid| text.starts_with(rid))
    }

    /// Whether a line without an id is of the session that is asked for.
    fn is_inside(&mut self, text: &str) -> bool {
        if text.starts_with(">>> ") {
            let sid = text.rsplit_once("sid ").map_or("", |(_, sid)| sid);
            self.inside = self.sid.as_ref().is_some_and(|wanted| sid.starts_with(wanted.as_str()));
        }
        // The line that closes a session still belongs to it.
        let inside = self.inside;
        self.inside &= !text.starts_with("<<< ");
        inside
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

    /// The numbers of the entries that are shown.
    fn numbers(log: &[&str], sid: Option<&str>, rid: Option<&str>) -> Vec<usize> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let query = LogQuery { objects: Vec::new(), sid: owned(sid), rid: owned(rid), lines: 0, follow: false };
        let mut filter = EntryFilter::new(&"web".parse().unwrap(), &query);
        let entries = split(log.iter().map(|line| (*line).to_owned()).collect());
        (0..entries.len()).filter(|at| filter.accepted(&entries[*at]).is_some()).collect()
    }

    #[test]
    fn sessions_side_by_side_are_not_mixed() {
        const LOG: [&str; 7] = [
            "2026-01-01 10:00:00.000 INF web: >>> do run [om web run] (origin scheduler, sid ae60fdd4-1)\t[ae60fdd4]",
            "2026-01-01 10:00:00.001 INF web: >>> do stop [om web stop] (origin user, sid be60fdd4-2)\t[be60fdd4]",
            "2026-01-01 10:00:00.002 INF web: task#1: a line of the run\t[ae60fdd4]",
            "2026-01-01 10:00:00.003 INF web: a line of no session",
            "2026-01-01 10:00:00.004 INF web: <<< done stop\t[be60fdd4]",
            "2026-01-01 10:00:00.005 INF web: <<< done run\t[ae60fdd4]",
            "2026-01-01 10:00:00.006 INF web: >>> do start [om web start] (origin user, sid be60fdd4-3)",
        ];
        let check = |sid, expected: &[usize]| assert_eq!(numbers(&LOG, sid, None), expected, "{sid:?}");
        check(None, &[0, 1, 2, 3, 4, 5, 6]);
        check(Some("ae60fdd4-1"), &[0, 2, 5]);
        check(Some("be60"), &[1, 4, 6]);
    }

    #[test]
    fn entries_are_those_of_the_session_and_of_the_resource() {
        assert_eq!(numbers(&LOG, None, None), [0, 1, 2, 3, 4]);
        assert_eq!(numbers(&LOG, Some("ae60fdd4"), None), [0, 1, 2]);
        assert_eq!(numbers(&LOG, Some("be60"), None), [3, 4]);
        assert_eq!(numbers(&LOG, None, Some("fs#1")), [1]);
        assert_eq!(numbers(&LOG, Some("ae60fdd4"), Some("fs#10")), [0; 0]);
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
