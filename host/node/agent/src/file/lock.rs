//! Locks between processes: one action on an instance at a time, one change of a configuration at a time.
//!
//! A lock is flock(2) on a file that only its holder removes: the kernel gives it back when its holder is gone, however it went.
//! Who holds it stands in the file, for whoever is refused; that note is for people, nothing depends on it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock, fstat};
use serde::{Deserialize, Serialize};

use super::blocking::blocking;
use super::durable::FileError;

/// How often a waiting caller tries again. flock(2) itself cannot wait for a limited time.
const RETRY: Duration = Duration::from_millis(50);

/// How often the note of a holder is looked for: there is a moment between taking the lock and signing it.
const NOTE_ATTEMPTS: u32 = 10;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Its process.
    pub pid: u32,
    /// What it does.
    pub action: String,
    /// Since when.
    pub since: Timestamp,
}

/// A lock that is held until this value is dropped or the process ends.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it.
    #[error("busy: {}", holder(.0))]
    Busy(Option<LockHolder>),
    /// The file of the lock cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

fn holder(holder: &Option<LockHolder>) -> String {
    match holder {
        Some(LockHolder { pid, action, since }) => format!("process {pid} is at {action} since {since:.0}"),
        None => "another process is at work".to_owned(),
    }
}

impl FileLock {
    /// Takes the lock for an action, and waits for it at most that long. No thread sleeps meanwhile.
    pub async fn take(path: &Path, action: &str, wait: Duration) -> Result<FileLock, LockError> {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let (place, purpose) = (path.to_owned(), action.to_owned());
            if let Some(lock) = blocking(move || FileLock::attempt(&place, &purpose)).await? {
                return Ok(lock);
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(LockError::Busy(signed_holder(path).await));
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// The same for callers that may block their thread.
    pub fn take_blocking(path: &Path, action: &str, wait: Duration) -> Result<FileLock, LockError> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(lock) = FileLock::attempt(path, action)? {
                return Ok(lock);
            }
            if Instant::now() >= deadline {
                return Err(LockError::Busy(signed_holder_blocking(path)));
            }
            std::thread::sleep(RETRY);
        }
    }

    /// Takes the lock if it is free. None while another process, or another request of this one, holds it.
    fn attempt(path: &Path, action: &str) -> Result<Option<FileLock>, LockError> {
        loop {
            let file = open(path).map_err(FileError::new("open the lock", path))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // Its holder removed the file while we opened it: the next caller would lock another file.
                Ok(()) if is_removed(&file) => {}
                Ok(()) => {
                    let lock = FileLock { file };
                    lock.sign(action);
                    return Ok(Some(lock));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(FileError::new("lock", path)(errno.into()).into()),
            }
        }
    }

    /// Gives the lock back for good, with its file, as there is nothing left to lock.
    pub fn remove(self, path: &Path) {
        // Only what was locked may go: a folder may stand for it.
        let _ = fs::remove_file(path);
    }

    /// Leaves a note of who holds the lock. A full disk must not keep anybody from stopping a service, so it may fail.
    fn sign(&self, action: &str) {
        let holder = LockHolder { pid: std::process::id(), action: action.to_owned(), since: Timestamp::now() };
        let _ = serde_json::to_vec(&holder).map(|note| {
            let _ = self.file.set_len(0);
            self.file.write_all_at(&note, 0)
        });
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// Who holds the lock now. None where nobody does.
pub fn holder_of(path: &Path) -> Option<LockHolder> {
    let file = File::open(path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => read_holder(&file),
        _ => None,
    }
}

/// Where nothing can be written, what can be read is locked: the file, or the nearest folder above it, which stands for all
/// files that cannot be made in it. A stop works on a broken disk, and still only one of two.
fn open(path: &Path) -> io::Result<File> {
    let cause = match open_or_make(path) {
        Err(error) if is_unwritable(&error) => error,
        opened => return opened,
    };
    path.ancestors().find_map(|place| File::open(place).ok()).ok_or(cause)
}

fn open_or_make(path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn is_removed(file: &File) -> bool {
    fstat(file).is_ok_and(|stat| stat.st_nlink == 0)
}

fn is_unwritable(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// The holder, once it has signed.
async fn signed_holder(path: &Path) -> Option<LockHolder> {
    for attempt in 0..NOTE_ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(RETRY).await;
        }
        let place = path.to_owned();
        if let Some(holder) = blocking(move || note_at(&place)).await {
            return Some(holder);
        }
    }
    None
}

fn signed_holder_blocking(path: &Path) -> Option<LockHolder> {
    (0..NOTE_ATTEMPTS).find_map(|attempt| {
        if attempt > 0 {
            std::thread::sleep(RETRY);
        }
        note_at(path)
    })
}

fn note_at(path: &Path) -> Option<LockHolder> {
    read_holder(&open(path).ok()?)
}

fn read_holder(file: &File) -> Option<LockHolder> {
    let mut note = [0; 1024];
    let length = file.read_at(&mut note, 0).ok()?;
    serde_json::from_slice(&note[..length]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Child, ChildStdout, Command, Stdio};

    const PATH: &str = "HOSTLER_TEST_LOCK";

    /// Not a test by itself: what the child of the tests below runs. Holds the lock until its standard input ends.
    #[test]
    fn child_holds_the_lock() {
        let Some(path) = std::env::var_os(PATH) else { return };
        let _lock = FileLock::take_blocking(Path::new(&path), "start", Duration::ZERO).unwrap();
        writeln!(std::io::stdout(), "\nheld").unwrap();
        std::io::stdin().lines().for_each(drop);
    }

    /// A process that holds the lock, and what it goes on to print.
    struct Holding {
        child: Child,
        _output: BufReader<ChildStdout>,
    }

    impl Holding {
        fn kill(mut self) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }

    /// A process that holds the lock by the time this returns.
    fn holding_child(path: &Path) -> Holding {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "file::lock::tests::child_holds_the_lock", "--nocapture"])
            .env(PATH, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        assert!(output.by_ref().lines().any(|line| line.unwrap() == "held"), "the child did not take the lock");
        Holding { child, _output: output }
    }

    #[test]
    fn whoever_is_refused_learns_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock/svc/web.action");
        assert_eq!(holder_of(&path), None);
        let holding = holding_child(&path);
        let Err(LockError::Busy(Some(holder))) = FileLock::take_blocking(&path, "stop", Duration::ZERO) else {
            panic!("the lock was taken twice, or nobody knows by whom");
        };
        assert_eq!((holder.pid, &*holder.action), (holding.child.id(), "start"));
        assert_eq!(holder_of(&path), Some(holder));
        holding.kill();
    }

    #[test]
    fn a_killed_holder_gives_the_lock_back_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.action");
        let holding = holding_child(&path);
        holding.kill();
        FileLock::take_blocking(&path, "stop", Duration::ZERO).unwrap();
    }

    #[test]
    fn who_waits_gets_the_lock_when_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.action");
        let mut holding = holding_child(&path);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| FileLock::take_blocking(&path, "stop", Duration::from_secs(60)));
            drop(holding.child.stdin.take());
            waiting.join().unwrap().unwrap();
        });
        holding.child.wait().unwrap();
    }

    #[test]
    fn a_lock_that_was_removed_is_another_one_for_those_who_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.action");
        let lock = FileLock::take_blocking(&path, "delete", Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| FileLock::take_blocking(&path, "start", Duration::from_secs(60)));
            lock.remove(&path);
            let taken = waiting.join().unwrap().unwrap();
            assert!(
                matches!(FileLock::take_blocking(&path, "stop", Duration::ZERO), Err(LockError::Busy(_))),
                "taken twice"
            );
            drop(taken);
        });
        FileLock::take_blocking(&path, "stop", Duration::ZERO).unwrap().remove(&path);
        assert!(!path.exists());
    }

    #[test]
    fn waiting_comes_to_an_end_and_a_free_lock_has_no_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.action");
        let lock = FileLock::take_blocking(&path, "start", Duration::ZERO).unwrap();
        let error = FileLock::take_blocking(&path, "stop", Duration::from_millis(60)).unwrap_err();
        assert!(error.to_string().starts_with(&format!("busy: process {} is at start since ", std::process::id())));
        drop(lock);
        assert_eq!(holder_of(&path), None);
        FileLock::take_blocking(&path, "stop", Duration::ZERO).unwrap();
    }

    #[tokio::test]
    async fn one_request_waits_for_the_lock_while_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.action");
        let held = FileLock::take(&path, "start", Duration::ZERO).await.unwrap();
        let place = path.clone();
        let waiting = tokio::spawn(async move { FileLock::take(&place, "stop", Duration::from_secs(60)).await });
        let busy = FileLock::take(&path, "sync", Duration::ZERO).await.unwrap_err();
        assert!(matches!(busy, LockError::Busy(Some(holder)) if holder.action == "start"));
        drop(held);
        let taken = waiting.await.unwrap().unwrap();
        assert_eq!(holder_of(&path).map(|holder| holder.action).as_deref(), Some("stop"));
        drop(taken);
    }
}
