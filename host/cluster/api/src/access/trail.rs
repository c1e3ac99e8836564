//! The trail of who did what: one JSON document a line, appended to `access.jsonl`, which is renamed when it has grown long.
//!
//! Every change that was asked for is in it, with its outcome, and everything that was refused. What only reads is not.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::daemon::{AccessEntry, AccessQuery};
use serde_json::{Map, Value, json};

use crate::access::source::trail_file;

/// The size at which the file is renamed to `access.jsonl.1`, the one before to `access.jsonl.2`, and so on.
const ROTATE_AT: u64 = 16 << 20;

/// How many renamed files are kept.
const KEPT: u32 = 4;

/// The members of a request's body that are recorded. All others are not.
const RECORDED: [&str; 12] =
    ["verb", "supersede", "force", "time", "command", "user", "role", "duration", "drain", "words", "node", "address"];

/// The longest text of such a member.
const LONGEST: usize = 300;

/// A record.
#[derive(Debug)]
pub(crate) struct AccessRecord {
    /// Seconds since 1970.
    pub(crate) at: f64,
    /// Who: the user, if it is known, and how it was proved.
    pub(crate) user: Option<String>,
    pub(crate) auth: Option<&'static str>,
    pub(crate) credential: Option<String>,
    /// The process, or the address.
    pub(crate) from: Value,
    /// The name of the route, or what was asked where there is none.
    pub(crate) asked: String,
    pub(crate) path: Option<String>,
    pub(crate) options: Value,
    /// `done`, `failed` or `denied`.
    pub(crate) outcome: &'static str,
    pub(crate) reason: Option<String>,
}

impl AccessRecord {
    fn line(&self, lost: u64) -> String {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                members.insert(name.to_owned(), value);
            }
        };
        add("at", json!((self.at * 1000.0).round() / 1000.0));
        add("user", json!(self.user));
        add("auth", json!(self.auth));
        add("credential", json!(self.credential));
        add("from", self.from.clone());
        add("asked", json!(self.asked));
        add("path", json!(self.path));
        add("options", self.options.clone());
        add("outcome", json!(self.outcome));
        add("reason", json!(self.reason));
        if lost > 0 {
            add("lost_before", json!(lost));
        }
        format!("{}\n", Value::Object(members))
    }
}

/// Of the body of a request, what belongs in the trail.
pub(crate) fn recorded_options(body: &[u8]) -> Value {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return Value::Null };
    let kept = body.into_iter().filter(|(name, _)| RECORDED.contains(&name.as_str()));
    let kept: Map<String, Value> = kept.map(|(name, value)| (name, shortened(value))).collect();
    if kept.is_empty() { Value::Null } else { Value::Object(kept) }
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            Value::String(text.chars().take(LONGEST).chain("…".chars()).collect())
        }
        Value::String(_) | Value::Bool(_) | Value::Number(_) => value,
        // Such as the nodes of a switch: bounded as a text.
        other => match other.to_string() {
            text if text.len() > LONGEST => Value::String(text.chars().take(LONGEST).chain("…".chars()).collect()),
            _ => other,
        },
    }
}

/// The file that records are appended to.
#[derive(Debug)]
pub(crate) struct AccessTrail {
    path: PathBuf,
    rotate_at: u64,
    /// How many records could not be written since the last one that was.
    lost: Mutex<u64>,
}

impl AccessTrail {
    pub(crate) fn new(path: PathBuf) -> AccessTrail {
        AccessTrail { path, rotate_at: ROTATE_AT, lost: Mutex::new(0) }
    }

    /// Appends a record. A disk that is full refuses no request: the gap is recorded later.
    pub(crate) fn add(&self, record: &AccessRecord) {
        // Held while writing, so that lines never mix and a file is renamed once.
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match self.append(&record.line(*lost)) {
            Ok(()) => *lost = 0,
            Err(_) => *lost += 1,
        }
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut file = self.open()?;
        let size = file.metadata()?.len();
        if size > 0 && size + line.len() as u64 > self.rotate_at {
            self.rotate()?;
            file = self.open()?;
        }
        file.write_all(line.as_bytes())
    }

    fn open(&self) -> io::Result<File> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)
    }

    fn rotate(&self) -> io::Result<()> {
        // The oldest first, so that no rename replaces a file that is still to be moved.
        for number in (0..KEPT).rev() {
            match std::fs::rename(numbered(&self.path, number), numbered(&self.path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 { path.to_owned() } else { path.with_added_extension(number.to_string()) }
}

/// The records of a directory of logs that are asked for, the oldest first. Blocks.
pub fn read_trail(log: &Path, query: &AccessQuery) -> io::Result<Vec<AccessEntry>> {
    let path = trail_file(log);
    let mut found: Vec<AccessEntry> = Vec::new();
    for number in (0..=KEPT).rev() {
        let text = match std::fs::read(numbered(&path, number)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        // A line that a crash has torn is left out.
        let records = text.lines().filter_map(|line| serde_json::from_str(line).ok()).map(AccessEntry);
        found.extend(records.filter(|record| query.accepts(record)));
    }
    let surplus = if query.lines == 0 { 0 } else { found.len().saturating_sub(query.lines) };
    Ok(found.split_off(surplus))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(asked: &str, outcome: &'static str) -> AccessRecord {
        AccessRecord {
            at: 1.5,
            user: Some("alice".to_owned()),
            auth: Some("token"),
            credential: Some("t1".to_owned()),
            from: json!({"address": "10.0.0.9"}),
            asked: asked.to_owned(),
            path: Some("ns1/svc/web".to_owned()),
            options: Value::Null,
            outcome,
            reason: None,
        }
    }

    fn read(directory: &Path, query: AccessQuery) -> Vec<String> {
        let records = read_trail(directory, &query).unwrap();
        records.iter().map(|record| record.text("asked").to_owned()).collect()
    }

    #[test]
    fn records_are_found_by_user_object_and_outcome() {
        let log = tempfile::tempdir().unwrap();
        assert_eq!(read(log.path(), AccessQuery::default()), Vec::<String>::new());
        let trail = AccessTrail::new(trail_file(log.path()));
        trail.add(&record("order", "done"));
        trail.add(&record("explain", "denied"));
        trail.add(&AccessRecord { user: Some("bob".to_owned()), path: None, ..record("freezeNode", "denied") });
        let all = AccessQuery::default();
        assert_eq!(read(log.path(), all.clone()), ["order", "explain", "freezeNode"]);
        assert_eq!(read(log.path(), AccessQuery { lines: 1, ..all.clone() }), ["freezeNode"]);
        assert_eq!(read(log.path(), AccessQuery { denied: true, ..all.clone() }), ["explain", "freezeNode"]);
        let alice = AccessQuery { user: Some("alice".to_owned()), denied: true, ..all.clone() };
        assert_eq!(read(log.path(), alice), ["explain"]);
        assert_eq!(read(log.path(), AccessQuery { path: Some("ns1/svc/web".to_owned()), ..all }).len(), 2);
    }

    #[test]
    fn a_long_trail_is_renamed_and_the_oldest_file_removed() {
        let log = tempfile::tempdir().unwrap();
        let trail = AccessTrail { rotate_at: 1, ..AccessTrail::new(trail_file(log.path())) };
        (0..7).for_each(|number| trail.add(&record(&number.to_string(), "done")));
        assert_eq!(read(log.path(), AccessQuery::default()), ["2", "3", "4", "5", "6"]);
        assert_eq!(std::fs::read_dir(log.path()).unwrap().count(), 5);
    }

    #[test]
    fn what_is_lost_on_a_full_disk_is_counted() {
        let log = tempfile::tempdir().unwrap();
        std::fs::write(log.path().join("late"), "").unwrap();
        let trail = AccessTrail::new(log.path().join("late/access.jsonl"));
        trail.add(&record("1", "done"));
        std::fs::remove_file(log.path().join("late")).unwrap();
        trail.add(&record("2", "done"));
        let text = std::fs::read_to_string(log.path().join("late/access.jsonl")).unwrap();
        assert!(text.contains("\"lost_before\":1"), "{text}");
    }

    #[test]
    fn only_known_members_of_a_body_are_recorded_and_none_at_length() {
        let long = "x".repeat(10_000);
        let body = json!({"verb": {"switch": {"to": ["n2"]}}, "command": long, "request": "secret", "token": "secret"});
        let options = recorded_options(body.to_string().as_bytes());
        assert_eq!(options["verb"], json!({"switch": {"to": ["n2"]}}));
        assert!(options["command"].as_str().unwrap().len() < 400 && options.as_object().unwrap().len() == 2);
        assert_eq!(recorded_options(b"nonsense"), Value::Null);
    }
}
