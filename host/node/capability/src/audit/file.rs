//! The audit trail in files, each of which is renamed when it has grown long: one for the changes of each driver, and one for what
//! the driver was refused. So no driver can fill the files of another, and none its own changes by what it is refused. Of one action a
//! driver has so many bytes of records in each file and no more, so that no action pushes out what was recorded of those before.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{AuditRecord, AuditSink, AuditVerdict};

/// The size at which a trail is renamed to `<path>.1`, the one before to `<path>.2`, and so on.
const ROTATE_AT: u64 = 4 << 20;

/// The longest record, in bytes. What is longer is cut where it is longest.
const LONGEST: usize = 4 << 10;

/// How many renamed trails are kept.
const AUDIT_FILES: u32 = 4;

/// The longest records of one action in a trail, in bytes altogether: a fifth of a file, and there are five.
const ACTION_LIMIT: u64 = ROTATE_AT / 5;

/// So many actions go on at once, or have just ended.
const ACTIONS: usize = 64;

/// Appends the records to files in a directory that only its owner can read, one JSON document per line.
#[derive(Debug)]
pub struct FileAudit {
    directory: PathBuf,
    rotate_at: u64,
    action_limit: u64,
    trails: Mutex<BTreeMap<PathBuf, TrailState>>,
}

#[derive(Debug, Default)]
struct TrailState {
    /// The file that the last record went to.
    last: Option<OpenTrail>,
    /// How many records could not be written since the last one that was.
    lost: u64,
    /// How many bytes the actions of these sessions have written, the latest at the end.
    actions: VecDeque<(String, u64)>,
}

/// Whether an action may write one more record.
#[derive(Debug, PartialEq, Eq)]
enum ActionRoom {
    Enough,
    /// No more from here on, which the trail says in its place.
    UsedUp,
    None,
}

impl TrailState {
    fn room(&mut self, sid: &str, length: usize, limit: u64) -> ActionRoom {
        let known = self.actions.iter().position(|(known, _)| known == sid);
        let known = known.unwrap_or_else(|| {
            if self.actions.len() == ACTIONS {
                self.actions.pop_front();
            }
            self.actions.push_back((sid.to_owned(), 0));
            self.actions.len() - 1
        });
        let written = &mut self.actions[known].1;
        let was_within = *written <= limit;
        *written = written.saturating_add(length as u64);
        match (was_within, *written <= limit) {
            (_, true) => ActionRoom::Enough,
            (true, false) => ActionRoom::UsedUp,
            (false, false) => ActionRoom::None,
        }
    }
}

#[derive(Debug)]
struct OpenTrail {
    file: File,
    /// Its file system and its number there.
    identity: (u64, u64),
}

impl FileAudit {
    /// Appends to files in this directory. Each is created with its first record.
    pub fn new(directory: PathBuf) -> FileAudit {
        FileAudit { directory, rotate_at: ROTATE_AT, action_limit: ACTION_LIMIT, trails: Mutex::default() }
    }

    /// The file of a record.
    fn trail_of(&self, record: &AuditRecord) -> PathBuf {
        let refused = matches!(record.verdict, AuditVerdict::Denied(_));
        self.directory.join(format!("{}.{}jsonl", record.driver, if refused { "refused." } else { "" }))
    }

    fn append(&self, path: &Path, last: &mut Option<OpenTrail>, line: &str) -> io::Result<()> {
        let (mut trail, size) = current(path, last.take())?;
        // A trail without a record is never renamed: it would only push out one that has some.
        if size > 0 && size + line.len() as u64 > self.rotate_at {
            rotate(path)?;
            (trail, _) = open(path)?;
        }
        // One write(2), so that the lines of two processes never mix.
        trail.file.write_all(line.as_bytes())?;
        *last = Some(trail);
        Ok(())
    }
}

/// The trail and its size. Opened anew if another process has renamed it since the last record.
fn current(path: &Path, last: Option<OpenTrail>) -> io::Result<(OpenTrail, u64)> {
    if let Some(trail) = last
        && let Ok(named) = std::fs::metadata(path)
        && (named.dev(), named.ino()) == trail.identity
    {
        return Ok((trail, named.len()));
    }
    open(path)
}

fn open(path: &Path) -> io::Result<(OpenTrail, u64)> {
    // For its owner only: the trail tells which services there are and how they are built.
    let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let file = match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), make_directory)?;
            open()
        }
        opened => opened,
    }?;
    let found = file.metadata()?;
    Ok((OpenTrail { file, identity: (found.dev(), found.ino()) }, found.len()))
}

/// Makes the directory of the trails. Not the one above, without which there is no place for logs.
fn make_directory(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn rotate(path: &Path) -> io::Result<()> {
    let aside = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..AUDIT_FILES).rev() {
        match std::fs::rename(aside(number), aside(number + 1)) {
            // Until the trail was renamed often enough, not all of these files exist.
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, aside(1))
}

/// The files of all trails in a directory, a file before the one that is older. None if there is no such directory.
pub fn audit_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().contains(".jsonl")));
    files.sort();
    Ok(files)
}

impl AuditSink for FileAudit {
    fn record(&self, record: &AuditRecord) {
        // Held while writing: two threads must not rename the file at once.
        let mut trails = self.trails.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.trail_of(record);
        let state = trails.entry(path.clone()).or_default();
        let mut line = line(record, state.lost);
        match state.room(&record.sid, line.len(), self.action_limit) {
            ActionRoom::Enough => {}
            ActionRoom::UsedUp => line = last_line(record, state.lost),
            ActionRoom::None => return,
        }
        match self.append(&path, &mut state.last, &line) {
            Ok(()) => state.lost = 0,
            // A full disk must not stop a service from being stopped: the action goes on, and the gap is recorded later.
            Err(_) => state.lost += 1,
        }
    }
}

/// The line in place of the first record for which an action has no room left.
fn last_line(record: &AuditRecord, lost: u64) -> String {
    let reason = "the driver makes too many records in this action: no further ones are written".to_owned();
    let verdict = match &record.verdict {
        AuditVerdict::Denied(_) => AuditVerdict::Denied(reason),
        AuditVerdict::Done(_) | AuditVerdict::Failed(_) => AuditVerdict::Failed(reason),
    };
    let record = AuditRecord { call: "…".to_owned(), judged: None, details: Vec::new(), verdict, ..record.clone() };
    line(&record, lost)
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
    members.extend(record.details.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into())));
    if let Value::Object(by) = by {
        members.extend(by);
    }
    if lost > 0 {
        members.insert("lost_before".to_owned(), lost.into());
    }
    bounded(Value::Object(members))
}

/// The line of a document that is not too long. The longest text in it is cut in half until the whole fits.
fn bounded(mut document: Value) -> String {
    loop {
        let line = format!("{document}\n");
        if line.len() <= LONGEST {
            return line;
        }
        // Each round makes the document shorter, so that the loop ends: half of more than 8 bytes and the three of the
        // sign are less than the whole.
        let longest = longest_text(&mut document).filter(|text| text.len() > 8);
        let Some(text) = longest else { return "{\"verdict\":\"a record that was too long\"}\n".to_owned() };
        text.truncate(text.floor_char_boundary(text.len() / 2));
        text.push('…');
    }
}

fn longest_text(value: &mut Value) -> Option<&mut String> {
    let texts: Vec<&mut String> = match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter_mut().filter_map(longest_text).collect(),
        Value::Object(members) => members.values_mut().filter_map(longest_text).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().max_by_key(|text| text.len())
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
            details: vec![("cwd", "/srv".to_owned())],
            verdict,
            duration: Duration::from_micros(1500),
        }
    }

    fn documents(path: &std::path::Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn trail(directory: &tempfile::TempDir, name: &str) -> PathBuf {
        directory.path().join("audit").join(name)
    }

    fn audit(directory: &tempfile::TempDir) -> FileAudit {
        FileAudit::new(directory.path().join("audit"))
    }

    #[test]
    fn records_are_one_document_a_line_and_refusals_have_a_file_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let audit = audit(&dir);
        audit.record(&record("files.write = \"/a\nb\"", AuditVerdict::Done("files.write = /**".to_owned())));
        audit.record(&record("exec = /x", AuditVerdict::Denied("no".to_owned())));
        let done = documents(&trail(&dir, "fs.ext4.jsonl"));
        assert_eq!(done.len(), 1);
        assert_eq!(done[0]["call"], "files.write = \"/a\nb\"");
        assert_eq!(done[0]["grant"], "files.write = /**");
        assert_eq!((&done[0]["ms"], &done[0]["cwd"]), (&json!(1.5), &json!("/srv")));
        let refused = documents(&trail(&dir, "fs.ext4.refused.jsonl"));
        assert_eq!((&refused[0]["verdict"], &refused[0]["reason"]), (&json!("denied"), &json!("no")));
        assert_eq!(audit_files(&dir.path().join("audit")).unwrap().len(), 2);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&dir.path().join("audit")), mode(&trail(&dir, "fs.ext4.jsonl"))), (0o700, 0o600));
    }

    #[test]
    fn a_long_trail_is_renamed_and_the_oldest_removed() {
        let dir = tempfile::tempdir().unwrap();
        let audit = FileAudit { rotate_at: 1, ..audit(&dir) };
        for number in 0..7 {
            audit.record(&record(&number.to_string(), AuditVerdict::Done(String::new())));
        }
        let call = |suffix: &str| documents(&trail(&dir, &format!("fs.ext4.jsonl{suffix}")))[0]["call"].clone();
        assert_eq!([call(""), call(".1"), call(".4")], [json!("6"), json!("5"), json!("2")]);
        assert_eq!(audit_files(&dir.path().join("audit")).unwrap().len(), 5);
    }

    #[test]
    fn no_driver_washes_away_the_changes_of_another_or_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let audit = FileAudit { rotate_at: 1, ..audit(&dir) };
        audit.record(&record("of another", AuditVerdict::Done(String::new())));
        let evil = AuditRecord { driver: "app.evil".to_owned(), ..record("evil", AuditVerdict::Done(String::new())) };
        audit.record(&evil);
        for number in 0..50 {
            let refused = AuditVerdict::Denied("no".to_owned());
            audit.record(&AuditRecord { driver: "app.evil".to_owned(), ..record(&number.to_string(), refused) });
        }
        assert_eq!(documents(&trail(&dir, "fs.ext4.jsonl"))[0]["call"], "of another");
        assert_eq!(documents(&trail(&dir, "app.evil.jsonl"))[0]["call"], "evil");
    }

    #[test]
    fn one_action_pushes_out_nothing_of_those_before() {
        let dir = tempfile::tempdir().unwrap();
        let audit = FileAudit { rotate_at: 8 << 10, action_limit: (8 << 10) / 5, ..audit(&dir) };
        audit.record(&record("before", AuditVerdict::Done(String::new())));
        for number in 0..1000 {
            let failed = AuditVerdict::Failed("no room".to_owned());
            let record = record(&number.to_string(), failed);
            audit.record(&AuditRecord { sid: "s2".to_owned(), ..record });
        }
        audit.record(&AuditRecord { sid: "s3".to_owned(), ..record("after", AuditVerdict::Done(String::new())) });
        let found = documents(&trail(&dir, "fs.ext4.jsonl"));
        assert_eq!(found[0]["call"], "before");
        assert_eq!(found[found.len() - 1]["call"], "after");
        assert!(found[found.len() - 2]["reason"].as_str().unwrap().contains("too many records"), "{found:?}");
        assert!(found.len() < 12, "{}", found.len());
    }

    #[test]
    fn many_actions_at_once_have_room_each() {
        let mut state = TrailState::default();
        for sid in 0..2 * ACTIONS {
            assert_eq!(state.room(&sid.to_string(), 5, 9), ActionRoom::Enough);
        }
        let last = (2 * ACTIONS - 1).to_string();
        assert_eq!(state.room(&last, 5, 9), ActionRoom::UsedUp);
        assert_eq!(state.room(&last, 5, 9), ActionRoom::None);
        assert_eq!(state.actions.len(), ACTIONS);
    }

    #[test]
    fn a_record_has_at_most_four_kibibytes() {
        let dir = tempfile::tempdir().unwrap();
        let audit = audit(&dir);
        // Six bytes each in the file.
        let long = "\u{1}".repeat(1 << 20);
        audit.record(&record(&long, AuditVerdict::Failed(long.clone())));
        audit.record(&record("short", AuditVerdict::Done("grant".to_owned())));
        let text = std::fs::read_to_string(trail(&dir, "fs.ext4.jsonl")).unwrap();
        assert!(text.lines().all(|line| line.len() < LONGEST), "{}", text.len());
        let documents = documents(&trail(&dir, "fs.ext4.jsonl"));
        assert!(documents[0]["call"].as_str().unwrap().ends_with('…'));
        assert_eq!((&documents[0]["object"], &documents[1]["call"]), (&json!("web"), &json!("short")));
    }

    #[test]
    fn a_record_goes_to_the_file_that_has_the_name_now() {
        let dir = tempfile::tempdir().unwrap();
        let (audit, path) = (audit(&dir), trail(&dir, "fs.ext4.jsonl"));
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
        let audit = FileAudit::new(dir.path().join("late/audit"));
        audit.record(&record("1", AuditVerdict::Done(String::new())));
        audit.record(&record("2", AuditVerdict::Done(String::new())));
        std::fs::create_dir(dir.path().join("late")).unwrap();
        audit.record(&record("3", AuditVerdict::Done(String::new())));
        audit.record(&record("4", AuditVerdict::Done(String::new())));
        let documents = documents(&dir.path().join("late/audit/fs.ext4.jsonl"));
        assert_eq!(documents[0]["lost_before"], 2);
        assert_eq!(documents[1].get("lost_before"), None);
    }
}
