//! The audit trail: who asked the kernel for what, for which resource, and what came of it.
//!
//! A record never holds a secret, and a trail that cannot be written never fails an action: it is told on the next record
//! that can be written how many are missing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It succeeded, allowed by this grant line.
    Done(String),
    /// It was allowed, and failed for this reason.
    Failed(String),
    /// It was refused, for this reason.
    Denied(String),
}

/// One call of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The object's path.
    pub object: String,
    /// The resource.
    pub rid: String,
    /// The driver.
    pub driver: String,
    /// The digest of its component.
    pub digest: String,
    /// The session of the action.
    pub sid: String,
    /// The action.
    pub action: &'static str,
    /// What was asked, as a grant line, without secrets.
    pub call: String,
    /// What a guard that read the call found it to be.
    pub judged: Option<String>,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub duration: Duration,
}

/// Takes the records.
pub trait Audit: Send + Sync {
    /// One call.
    fn record(&self, record: &Record);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAudit;

impl Audit for NoAudit {
    fn record(&self, _: &Record) {}
}

/// Keeps the records in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryAudit(Mutex<Vec<Record>>);

impl MemoryAudit {
    /// The records so far.
    pub fn records(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Audit for MemoryAudit {
    fn record(&self, record: &Record) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}

/// How long a trail grows before it is set aside as `<path>.1`, the one before as `<path>.2`…
const ROTATE_AT: u64 = 16 << 20;

/// How many of them are kept.
pub const KEEP: u32 = 4;

/// Appends the records to a file, one JSON document a line, readable by its owner alone.
#[derive(Debug)]
pub struct FileAudit {
    path: PathBuf,
    rotate_at: u64,
    /// How many records could not be written since the last that could.
    lost: Mutex<u64>,
}

impl FileAudit {
    /// Appends to `path`, which is made with its first record.
    pub fn new(path: PathBuf) -> FileAudit {
        FileAudit { path, rotate_at: ROTATE_AT, lost: Mutex::new(0) }
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut file = self.open()?;
        let size = file.metadata()?.len();
        if size > 0 && size + line.len() as u64 > self.rotate_at {
            self.rotate()?;
            file = self.open()?;
        }
        // One write(2), so that the lines of two processes never mix.
        file.write_all(line.as_bytes())
    }

    /// Opened for each record: another process may have set the file aside.
    fn open(&self) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)
    }

    fn rotate(&self) -> io::Result<()> {
        let aside = |number: u32| PathBuf::from(format!("{}.{number}", self.path.display()));
        for number in (1..KEEP).rev() {
            match std::fs::rename(aside(number), aside(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, aside(1))
    }
}

impl Audit for FileAudit {
    fn record(&self, record: &Record) {
        // Held while writing: two threads must not set the file aside at once.
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(record, *lost);
        match self.append(&line) {
            Ok(()) => *lost = 0,
            Err(_) => *lost += 1,
        }
    }
}

/// A record as it stands in the file.
fn line(record: &Record, lost: u64) -> String {
    let (verdict, by) = match &record.verdict {
        Verdict::Done(grant) => ("done", json!({ "grant": grant })),
        Verdict::Failed(reason) => ("failed", json!({ "reason": reason })),
        Verdict::Denied(reason) => ("denied", json!({ "reason": reason })),
    };
    let document = json!({
        "time": Timestamp::now().to_string(),
        "object": record.object,
        "rid": record.rid,
        "driver": record.driver,
        "digest": record.digest,
        "sid": record.sid,
        "action": record.action,
        "call": record.call,
        "verdict": verdict,
        "ms": record.duration.as_secs_f64() * 1000.0,
    });
    let mut members = match document {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    if let Some(judged) = &record.judged {
        members.insert("judged".to_owned(), judged.clone().into());
    }
    if let Value::Object(by) = by {
        members.extend(by);
    }
    if lost > 0 {
        members.insert("lost_before".to_owned(), lost.into());
    }
    format!("{}\n", Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(call: &str, verdict: Verdict) -> Record {
        Record {
            object: "web".to_owned(),
            rid: "fs#1".to_owned(),
            driver: "fs.ext4".to_owned(),
            digest: "sha256:00".to_owned(),
            sid: "s1".to_owned(),
            action: "start",
            call: call.to_owned(),
            judged: None,
            verdict,
            duration: Duration::from_micros(1500),
        }
    }

    fn documents(path: &std::path::Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn records_are_one_document_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let audit = FileAudit::new(path.clone());
        audit.record(&record("files.write = \"/a\nb\"", Verdict::Done("files.write = /**".to_owned())));
        audit.record(&record("exec = /x", Verdict::Denied("no".to_owned())));
        let documents = documents(&path);
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0]["call"], "files.write = \"/a\nb\"");
        assert_eq!(documents[0]["grant"], "files.write = /**");
        assert_eq!(documents[0]["ms"], 1.5);
        assert_eq!((&documents[1]["verdict"], &documents[1]["reason"]), (&json!("denied"), &json!("no")));
    }

    #[test]
    fn a_long_trail_is_set_aside_and_the_oldest_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let audit = FileAudit { rotate_at: 1, ..FileAudit::new(path.clone()) };
        for number in 0..7 {
            audit.record(&record(&number.to_string(), Verdict::Done(String::new())));
        }
        let call = |suffix: &str| documents(&dir.path().join(format!("audit.log{suffix}")))[0]["call"].clone();
        assert_eq!([call(""), call(".1"), call(".4")], [json!("6"), json!("5"), json!("2")]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5);
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_fails_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("late/audit.log");
        let audit = FileAudit::new(path.clone());
        audit.record(&record("1", Verdict::Done(String::new())));
        audit.record(&record("2", Verdict::Done(String::new())));
        std::fs::create_dir(dir.path().join("late")).unwrap();
        audit.record(&record("3", Verdict::Done(String::new())));
        audit.record(&record("4", Verdict::Done(String::new())));
        let documents = documents(&path);
        assert_eq!(documents[0]["lost_before"], 2);
        assert_eq!(documents[1].get("lost_before"), None);
    }
}
