//! The audit trail in a file, which is renamed when it has grown long.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{AuditRecord, AuditSink, AuditVerdict};

/// The size at which a trail is renamed to `<path>.1`, the one before to `<path>.2`, and so on.
const ROTATE_AT: u64 = 16 << 20;

/// How many renamed trails are kept.
pub const AUDIT_FILES: u32 = 4;

/// Appends the records to a file that only its owner can read, one JSON document per line.
#[derive(Debug)]
pub struct FileAudit {
    path: PathBuf,
    rotate_at: u64,
    state: Mutex<TrailState>,
}

#[derive(Debug, Default)]
struct TrailState {
    /// The file that the last record went to.
    last: Option<OpenTrail>,
    /// How many records could not be written since the last one that was.
    lost: u64,
}

#[derive(Debug)]
struct OpenTrail {
    file: File,
    /// Its file system and its number there.
    identity: (u64, u64),
}

impl FileAudit {
    /// Appends to `path`. The file is created with its first record.
    pub fn new(path: PathBuf) -> FileAudit {
        FileAudit { path, rotate_at: ROTATE_AT, state: Mutex::default() }
    }

    fn append(&self, last: &mut Option<OpenTrail>, line: &str) -> io::Result<()> {
        let (mut trail, size) = self.current(last.take())?;
        if size > 0 && size + line.len() as u64 > self.rotate_at {
            self.rotate()?;
            (trail, _) = self.open()?;
        }
        // One write(2), so that the lines of two processes never mix.
        trail.file.write_all(line.as_bytes())?;
        *last = Some(trail);
        Ok(())
    }

    /// The trail and its size. Opened anew if another process has renamed it since the last record.
    fn current(&self, last: Option<OpenTrail>) -> io::Result<(OpenTrail, u64)> {
        if let Some(trail) = last
            && let Ok(named) = std::fs::metadata(&self.path)
            && (named.dev(), named.ino()) == trail.identity
        {
            return Ok((trail, named.len()));
        }
        self.open()
    }

    fn open(&self) -> io::Result<(OpenTrail, u64)> {
        // For its owner only: the trail tells which services there are and how they are built.
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let found = file.metadata()?;
        Ok((OpenTrail { file, identity: (found.dev(), found.ino()) }, found.len()))
    }

    fn rotate(&self) -> io::Result<()> {
        let aside = |number: u32| PathBuf::from(format!("{}.{number}", self.path.display()));
        for number in (1..AUDIT_FILES).rev() {
            match std::fs::rename(aside(number), aside(number + 1)) {
                // Until the trail was renamed often enough, not all of these files exist.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, aside(1))
    }
}

impl AuditSink for FileAudit {
    fn record(&self, record: &AuditRecord) {
        // Held while writing: two threads must not rename the file at once.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(record, state.lost);
        match self.append(&mut state.last, &line) {
            Ok(()) => state.lost = 0,
            // A full disk must not stop a service from being stopped: the action goes on, and the gap is recorded later.
            Err(_) => state.lost += 1,
        }
    }
}

/// The line of a record in the file.
fn line(record: &AuditRecord, lost: u64) -> String {
    let (verdict, by) = match &record.verdict {
        AuditVerdict::Done(grant) => ("done", json!({ "grant": grant })),
        AuditVerdict::Failed(reason) => ("failed", json!({ "reason": reason })),
        AuditVerdict::Denied(reason) => ("denied", json!({ "reason": reason })),
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
    use std::time::Duration;

    use super::*;

    fn record(call: &str, verdict: AuditVerdict) -> AuditRecord {
        AuditRecord {
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
        audit.record(&record("files.write = \"/a\nb\"", AuditVerdict::Done("files.write = /**".to_owned())));
        audit.record(&record("exec = /x", AuditVerdict::Denied("no".to_owned())));
        let documents = documents(&path);
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0]["call"], "files.write = \"/a\nb\"");
        assert_eq!(documents[0]["grant"], "files.write = /**");
        assert_eq!(documents[0]["ms"], 1.5);
        assert_eq!((&documents[1]["verdict"], &documents[1]["reason"]), (&json!("denied"), &json!("no")));
    }

    #[test]
    fn a_long_trail_is_renamed_and_the_oldest_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let audit = FileAudit { rotate_at: 1, ..FileAudit::new(path.clone()) };
        for number in 0..7 {
            audit.record(&record(&number.to_string(), AuditVerdict::Done(String::new())));
        }
        let call = |suffix: &str| documents(&dir.path().join(format!("audit.log{suffix}")))[0]["call"].clone();
        assert_eq!([call(""), call(".1"), call(".4")], [json!("6"), json!("5"), json!("2")]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_record_goes_to_the_file_that_has_the_name_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let audit = FileAudit::new(path.clone());
        audit.record(&record("1", AuditVerdict::Done(String::new())));
        std::fs::rename(&path, dir.path().join("aside")).unwrap();
        audit.record(&record("2", AuditVerdict::Done(String::new())));
        audit.record(&record("3", AuditVerdict::Done(String::new())));
        assert_eq!(documents(&dir.path().join("aside")).len(), 1);
        assert_eq!(documents(&path).len(), 2);
    }

    #[test]
    fn lost_records_are_counted_and_fail_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("late/audit.log");
        let audit = FileAudit::new(path.clone());
        audit.record(&record("1", AuditVerdict::Done(String::new())));
        audit.record(&record("2", AuditVerdict::Done(String::new())));
        std::fs::create_dir(dir.path().join("late")).unwrap();
        audit.record(&record("3", AuditVerdict::Done(String::new())));
        audit.record(&record("4", AuditVerdict::Done(String::new())));
        let documents = documents(&path);
        assert_eq!(documents[0]["lost_before"], 2);
        assert_eq!(documents[1].get("lost_before"), None);
    }
}
