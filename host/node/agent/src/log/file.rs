//! An object's log file: appended to by any number of processes, rotated by day and by size.
//!
//! Each line is one write under flock(2), to a file that still has the log's name. So a line is never torn, and never goes to a
//! file that another process has just rotated away.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::{Timestamp, Zoned};
use rustix::fs::{FlockOperation, flock};

use crate::file::durable::{self, FileError, absent_is_none};

/// How large a log file may grow, and how many rotated files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// A file that has so many bytes is rotated.
    pub bytes: u64,
    /// How many rotated files are kept.
    pub kept: u32,
}

impl Default for LogLimits {
    fn default() -> LogLimits {
        LogLimits { bytes: 5 << 20, kept: 7 }
    }
}

/// A log file.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    limits: LogLimits,
    /// The file that the last line went to. It is opened anew only when another one has its name: an action writes many lines.
    last: Mutex<Option<OpenFile>>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// Its file system and its number there.
    identity: (u64, u64),
}

impl LogFile {
    /// The log at that path. The file is created with its first line.
    pub fn new(path: PathBuf, limits: LogLimits) -> LogFile {
        LogFile { path, limits, last: Mutex::default() }
    }

    /// Appends a line. A file that is full or of an earlier day is rotated first.
    pub fn append(&self, line: &str, now: &Zoned) -> io::Result<()> {
        // One write of the whole line, in append mode: a reader sees all of it or nothing.
        let line = format!("{line}\n");
        // After an error the file is opened anew, and one that is closed is not locked any more.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut open, metadata) = self.lock_current(last.take())?;
        if self.is_over(&metadata, now) {
            // The lock is on the old file: the new one needs its own, and another process may take it first.
            self.rotate()?;
            (open, _) = self.lock_current(None)?;
        }
        open.file.write_all(line.as_bytes())?;
        // By name, and not by closing: a process that was forked meanwhile holds the lock until it closes the file too.
        flock(&open.file, FlockOperation::Unlock)?;
        *last = Some(open);
        Ok(())
    }

    /// The locked file that the log's name leads to. While this process waits for the lock, another may rotate the file away.
    fn lock_current(&self, mut last: Option<OpenFile>) -> io::Result<(OpenFile, Metadata)> {
        loop {
            let open = match last.take() {
                Some(open) => open,
                None => self.open()?,
            };
            flock(&open.file, FlockOperation::LockExclusive)?;
            // If the name leads to another file now, this one was rotated away between the open and the lock.
            let named = absent_is_none(fs::metadata(&self.path))?;
            if let Some(named) = named.filter(|named| identity(named) == open.identity) {
                return Ok((open, named));
            }
        }
    }

    fn open(&self) -> io::Result<OpenFile> {
        let open = || OpenOptions::new().append(true).create(true).mode(0o640).open(&self.path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
                open()
            }
            opened => opened,
        }?;
        let identity = identity(&file.metadata()?);
        Ok(OpenFile { file, identity })
    }

    fn is_over(&self, metadata: &Metadata, now: &Zoned) -> bool {
        let written = Timestamp::from_second(metadata.mtime()).map(|at| at.to_zoned(now.time_zone().clone()).date());
        // An empty file is never rotated: it would only push an older one out.
        metadata.len() > 0 && (metadata.len() >= self.limits.bytes || written.is_ok_and(|day| day < now.date()))
    }

    /// `web.log` becomes `web.log.1`, that one `web.log.2`, and so on; the oldest is overwritten.
    fn rotate(&self) -> io::Result<()> {
        // From the oldest on, so that no file is overwritten before it has moved.
        for number in (1..self.limits.kept).rev() {
            absent_is_none(fs::rename(rotated(&self.path, number), rotated(&self.path, number + 1)))?;
        }
        if self.limits.kept == 0 {
            return fs::remove_file(&self.path);
        }
        fs::rename(&self.path, rotated(&self.path, 1))
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// The name of a rotated file. Number 1 is the latest.
pub(super) fn rotated(path: &Path, number: u32) -> PathBuf {
    path.with_added_extension(number.to_string())
}

/// Removes a log and its rotated files.
pub fn remove(path: &Path) -> Result<(), FileError> {
    durable::remove(path)?;
    // Rotated files are numbered without gaps.
    for number in 1.. {
        if !durable::remove(&rotated(path, number))? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn now() -> Zoned {
        Zoned::now()
    }

    fn content(log: &LogFile, number: u32) -> Option<String> {
        let path = if number == 0 { log.path.clone() } else { rotated(&log.path, number) };
        fs::read_to_string(path).ok()
    }

    fn log(directory: &tempfile::TempDir, bytes: u64, kept: u32) -> LogFile {
        LogFile::new(directory.path().join("svc/web.log"), LogLimits { bytes, kept })
    }

    #[test]
    fn a_full_log_is_rotated_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(&directory, 10, 2);
        for line in ["first line", "second line", "third line", "fourth line"] {
            log.append(line, &now()).unwrap();
        }
        assert_eq!(content(&log, 0).as_deref(), Some("fourth line\n"));
        assert_eq!(content(&log, 1).as_deref(), Some("third line\n"));
        assert_eq!(content(&log, 2).as_deref(), Some("second line\n"));
        assert_eq!(content(&log, 3), None);
    }

    #[test]
    fn a_log_of_another_day_is_rotated() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(&directory, 1 << 20, 7);
        log.append("yesterday", &now()).unwrap();
        log.append("yesterday too", &now()).unwrap();
        let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
        File::open(&log.path).unwrap().set_modified(yesterday).unwrap();
        log.append("today", &now()).unwrap();
        assert_eq!(content(&log, 0).as_deref(), Some("today\n"));
        assert_eq!(content(&log, 1).as_deref(), Some("yesterday\nyesterday too\n"));
    }

    #[test]
    fn a_line_goes_to_the_file_that_has_the_name_now() {
        let directory = tempfile::tempdir().unwrap();
        let (mine, other) = (log(&directory, 15, 2), log(&directory, 15, 2));
        mine.append("first line", &now()).unwrap();
        other.append("second line", &now()).unwrap();
        other.append("third line", &now()).unwrap();
        mine.append("4", &now()).unwrap();
        assert_eq!(content(&mine, 1).as_deref(), Some("first line\nsecond line\n"));
        assert_eq!(content(&mine, 0).as_deref(), Some("third line\n4\n"));
        fs::remove_dir_all(mine.path.parent().unwrap()).unwrap();
        mine.append("after all was removed", &now()).unwrap();
        assert_eq!(content(&mine, 0).as_deref(), Some("after all was removed\n"));
    }

    #[test]
    fn writers_at_the_same_time_lose_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(&directory, 256, 1000);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                // Each with a file of its own, as two processes have.
                let log = LogFile::new(log.path.clone(), log.limits);
                scope.spawn(move || (0..50).for_each(|n| log.append(&format!("{writer}:{n}"), &now()).unwrap()));
            }
        });
        let all: String = (0..1000).filter_map(|number| content(&log, number)).collect();
        let mut lines: Vec<&str> = all.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 200);
        assert!(content(&log, 1).is_some(), "nothing was rotated meanwhile");
    }

    #[test]
    fn a_removed_log_takes_the_rotated_ones_along() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(&directory, 1, 3);
        (0..4).for_each(|_| log.append("line", &now()).unwrap());
        remove(&log.path).unwrap();
        assert_eq!(fs::read_dir(log.path.parent().unwrap()).unwrap().count(), 0);
    }
}
