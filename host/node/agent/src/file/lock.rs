//! Locks between processes: one action on an instance at a time, one change of a configuration at a time.
//!
//! A lock is flock(2) on a file that only its holder removes. The kernel releases it when the holder exits or is killed. The
//! holder writes a note into the file, to be shown to callers that are refused; nothing else depends on the note.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock, fstat};
use serde::{Deserialize, Serialize};

use super::durable::FileError;
use exec::blocking;

/// How long a waiting caller waits between two attempts. flock(2) itself cannot wait for a limited time.
const RETRY: Duration = Duration::from_millis(50);

/// How many times the note of a holder is looked for: a holder takes the lock a moment before it writes the note.
const NOTE_ATTEMPTS: u32 = 10;

/// The note of the process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    pub pid: u32,
    pub action: String,
    pub since: Timestamp,
}

/// A lock that is held until this value is dropped or the process exits.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another request of this process, holds it.
    #[error("busy: {}", holder(.0))]
    Busy(Option<LockHolder>),
    /// The file of the lock cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

fn holder(holder: &Option<LockHolder>) -> String {
    match holder {
        Some(LockHolder { pid, action, since }) => format!("process {pid} has been running {action} since {since:.0}"),
        None => "another process is running an action".to_owned(),
    }
}

impl FileLock {
    /// Takes the lock for an action, and waits for it at most that long, without blocking a thread.
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
                // A signal arrived: try again.
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(FileError::new("lock", path)(errno.into()).into()),
            }
        }
    }

    /// Releases the lock and removes its file, as nothing is left to lock.
    pub fn remove(self, path: &Path) {
        // Never a directory: on a disk that cannot be written to, a directory is locked instead of the file.
        let _ = fs::remove_file(path);
    }

    /// Writes the note. It may fail, as an operator must be able to stop a service on a full disk.
    fn sign(&self, action: &str) {
        let holder = LockHolder { pid: std::process::id(), action: action.to_owned(), since: Timestamp::now() };
        let _ = serde_json::to_vec(&holder).map(|note| {
            // A longer note of the last holder would leave its end behind.
            let _ = self.file.set_len(0);
            self.file.write_all_at(&note, 0)
        });
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A note that stays would name a holder that is gone. It goes before the lock does: afterwards it might be the next
        // holder's.
        let _ = self.file.set_len(0);
        // Not left to the close: a child that another thread has just forked holds the file open until it becomes another program.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// The holder of the lock, if it is held.
pub fn holder_of(path: &Path) -> Option<LockHolder> {
    let file = File::open(path).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        // A shared lock is refused only while another process holds the exclusive one.
        Err(rustix::io::Errno::WOULDBLOCK) => read_holder(&file),
        // Not left to the close, for the reason above: a caller that wants the lock would be refused for a look.
        _ => {
            let _ = flock(&file, FlockOperation::Unlock);
            None
        }
    }
}

/// Opens the file to lock. On a disk that cannot be written to, the file is opened read-only, or else the nearest directory
/// above it, which stands for all files that cannot be created below it. So on a broken disk a stop works, and only one of
/// two at a time.
fn open(path: &Path) -> io::Result<File> {
    let cause = match open_or_make(path) {
        Err(error) if is_unwritable(&error) => error,
        opened => return opened,
    };
    path.ancestors().find_map(|place| File::open(place).ok()).ok_or(cause)
}

fn open_or_make(path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), |directory| DirBuilder::new().recursive(true).mode(0o755).create(directory))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(PRIVATE);
    let file = options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(path)?;
    let found = file.metadata()?;
    // To lock a file it is enough to read it: one that another user may open is a lock that the user may hold.
    if found.mode() & 0o777 & !PRIVATE != 0 {
        file.set_permissions(fs::Permissions::from_mode(PRIVATE))?;
    }
    Ok(file)
}

/// The mode of the files of locks.
const PRIVATE: u32 = 0o600;

fn is_removed(file: &File) -> bool {
    fstat(file).is_ok_and(|stat| stat.st_nlink == 0)
}

fn is_unwritable(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// The holder, once it has written its note.
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

    #[test]
    fn a_lock_ends_with_its_holder_although_a_child_still_has_the_file_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
        let lock = FileLock::take_blocking(&path, "start", Duration::ZERO).unwrap();
        // As a fork does: the same open file under another descriptor.
        let inherited = lock.file.try_clone().unwrap();
        drop(lock);
        FileLock::take_blocking(&path, "stop", Duration::ZERO).unwrap();
        drop(inherited);
    }
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Child, ChildStdout, Command, Stdio};

    const PATH: &str = "HOSTLER_TEST_LOCK";

    /// Not a test by itself: the child of the tests below runs it. It holds the lock until its standard input is closed.
    #[test]
    fn child_holds_the_lock() {
        let Some(path) = std::env::var_os(PATH) else { return };
        let _lock = FileLock::take_blocking(Path::new(&path), "start", Duration::ZERO).unwrap();
        writeln!(std::io::stdout(), "\nheld").unwrap();
        std::io::stdin().lines().for_each(drop);
    }

    /// A process that holds the lock.
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
    fn a_refused_caller_learns_who_holds_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock/svc/web.action");
        assert_eq!(holder_of(&path), None);
        let holding = holding_child(&path);
        let Err(LockError::Busy(Some(holder))) = FileLock::take_blocking(&path, "stop", Duration::ZERO) else {
            panic!("the lock was taken twice, or its holder is unknown");
        };
        assert_eq!((holder.pid, &*holder.action), (holding.child.id(), "start"));
        assert_eq!(holder_of(&path), Some(holder));
        holding.kill();
    }

    #[test]
    fn the_lock_of_a_killed_holder_is_free_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
        let holding = holding_child(&path);
        holding.kill();
        FileLock::take_blocking(&path, "stop", Duration::ZERO).unwrap();
    }

    #[test]
    fn no_other_user_may_open_a_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        drop(FileLock::take_blocking(&path, "start", Duration::ZERO).unwrap());
        assert_eq!(mode(), 0o600);
        // Of an earlier version.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        drop(FileLock::take_blocking(&path, "start", Duration::ZERO).unwrap());
        assert_eq!(mode(), 0o600);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
        assert!(FileLock::take_blocking(&path, "start", Duration::ZERO).is_err());
        assert!(!directory.path().join("elsewhere").exists());
    }

    #[test]
    fn a_waiting_caller_gets_the_lock_when_it_is_released() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
        let mut holding = holding_child(&path);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| FileLock::take_blocking(&path, "stop", Duration::from_secs(60)));
            drop(holding.child.stdin.take());
            waiting.join().unwrap().unwrap();
        });
        holding.child.wait().unwrap();
    }

    #[test]
    fn a_waiting_caller_does_not_lock_a_file_that_was_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
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
    fn waiting_is_limited_and_a_free_lock_has_no_holder() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
        let lock = FileLock::take_blocking(&path, "start", Duration::ZERO).unwrap();
        let error = FileLock::take_blocking(&path, "stop", Duration::from_millis(60)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("busy: process {} has been running start since ", std::process::id()))
        );
        drop(lock);
        assert_eq!(holder_of(&path), None);
        FileLock::take_blocking(&path, "stop", Duration::ZERO).unwrap();
    }

    #[tokio::test]
    async fn one_request_waits_for_the_lock_while_others_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.action");
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
