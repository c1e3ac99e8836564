//! The journal's file: locked, preallocated, appended to, synced.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock};

use super::frame::{ChecksumChain, encode};
use super::record::{JournalHeader, JournalRecord};
use super::story::{JournalContent, JournalledAction, tell};

/// The least room that is reserved, in bytes: enough for some hundred steps.
const SMALLEST: u64 = 64 << 10;

/// What a status reads of the file at first. The records of most actions are shorter, and what is behind them is reserved room.
const BEGINNING: usize = 4 << 10;

/// So much empty room behind the records shows that they end there.
const GAP: usize = 1 << 10;

/// How often a lock is tried again that is held elsewhere, and the pause before each try. A reader holds it for less than a
/// millisecond; so does a child of a process that used the journal, from its fork until its exec closes the descriptor.
const LOCK_RETRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another action uses the journal.
    #[error("another action holds {0}")]
    Held(PathBuf),
    /// An earlier action was not finished.
    #[error("{path} holds an unfinished {action} (sid {sid})")]
    Unfinished {
        /// The journal.
        path: PathBuf,
        /// The action.
        action: String,
        /// Its session.
        sid: String,
    },
    /// The beginning of the file is damaged.
    #[error("{0} is damaged")]
    Unreadable(PathBuf),
    /// There is no room for the records that the action may have to write.
    #[error("cannot reserve {room} bytes for {path}")]
    Room {
        /// The journal.
        path: PathBuf,
        /// How many bytes are needed.
        room: u64,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// An operation on the file failed.
    #[error("cannot {what} {path}")]
    Io {
        /// The operation.
        what: &'static str,
        /// The journal.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

/// A journal that is being written. The lock on the file lasts as long as this value.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Arc<File>,
    end: Mutex<AppendPosition>,
    synced: tokio::sync::Mutex<u64>,
}

#[derive(Debug, Clone, Copy)]
struct AppendPosition {
    offset: u64,
    chain: ChecksumChain,
}

impl Journal {
    /// The action that was interrupted, if there is one. Returns None while an action still uses the journal. Changes nothing.
    pub fn pending(path: &Path) -> Result<Option<JournalledAction>, JournalError> {
        // For a status, which does not wait: it is asked again soon.
        match read_locked(path, 0, read_records) {
            Err(JournalError::Held(_)) => Ok(None),
            found => found,
        }
    }

    /// The action that was interrupted, for its recovery. A journal that is held does not prove that an action runs, so this waits
    /// for the lock, and blocks meanwhile. Returns [`JournalError::Held`] if the lock does not become free. Changes nothing.
    pub(crate) fn interrupted(path: &Path) -> Result<Option<JournalledAction>, JournalError> {
        read_locked(path, LOCK_RETRIES, read)
    }

    /// Begins the journal of an action: locks the file, reserves room for every record, and writes what is going to be done. When
    /// this returns, that is on disk, unless a power loss would undo the action anyway.
    pub(crate) fn begin(path: &Path, header: JournalHeader, volatile: bool) -> Result<Journal, JournalError> {
        let file = open_locked(path)?;
        let old = read(&file, path)?;
        // Read before anything is overwritten: the old records may be all that says what an interrupted action has touched.
        if let Some(story) = unfinished(path, &old)? {
            let (action, sid) = (story.action, story.sid);
            return Err(JournalError::Unfinished { path: path.to_owned(), action, sid });
        }
        let room = SMALLEST.max(header.room());
        // Before the first effect: later, a full disk would stop the records of what is already done.
        set_aside(&file, old.len() as u64, room).map_err(|cause| JournalError::Room {
            path: path.to_owned(),
            room,
            cause,
        })?;
        // Old bytes behind the new records would not fit the chain of checksums, and look like damage.
        let used = old.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        file.write_all_at(&vec![0; used], 0).map_err(failed("clear", path))?;
        let journal = Journal::at(path, file, 0, ChecksumChain::default());
        journal.append(&JournalRecord::Plan(header))?;
        // A power loss takes the effects of such an action away, so the records need not survive one.
        if volatile {
            return Ok(journal);
        }
        // `sync_data` also writes the size that `set_aside` may have changed, which is all that reading needs.
        journal.file.sync_data().map_err(failed("sync", path))?;
        // A new file: its name is in the directory, which has a sync of its own.
        if old.is_empty() {
            sync_directory(path)?;
        }
        Ok(journal)
    }

    /// Takes over the journal of an interrupted action, to record its recovery.
    pub(crate) fn resume(path: &Path) -> Result<Option<(Journal, JournalledAction)>, JournalError> {
        // `open_locked` would create the file.
        if !path.exists() {
            return Ok(None);
        }
        let file = open_locked(path)?;
        let bytes = read(&file, path)?;
        let Some(story) = unfinished(path, &bytes)? else { return Ok(None) };
        let (offset, chain) = super::frame::end(&bytes);
        // The rest of a torn record would be read as a part of the next one.
        file.write_all_at(&vec![0; bytes.len() - offset], offset as u64).map_err(failed("clear", path))?;
        Ok(Some((Journal::at(path, file, offset as u64, chain), story)))
    }

    fn at(path: &Path, file: File, offset: u64, chain: ChecksumChain) -> Journal {
        let end = Mutex::new(AppendPosition { offset, chain });
        Journal { path: path.to_owned(), file: Arc::new(file), end, synced: tokio::sync::Mutex::new(0) }
    }

    /// Appends a record. It is not lost if the process is killed right after this.
    pub(crate) fn append(&self, record: &JournalRecord) -> Result<(), JournalError> {
        let payload = serde_json::to_vec(record).map_err(|error| failed("write", &self.path)(error.into()))?;
        // Held until the record is written: each checksum continues the one before it, so two records may not mix.
        let mut end = self.end();
        let (frame, chain) = encode(end.chain, &payload);
        self.file.write_all_at(&frame, end.offset).map_err(failed("write", &self.path))?;
        // Only after a whole write: the next record overwrites one that failed halfway.
        *end = AppendPosition { offset: end.offset + frame.len() as u64, chain };
        Ok(())
    }

    /// Returns once all that was appended before is on disk. Concurrent callers share a sync.
    pub(crate) async fn sync(&self) -> Result<(), JournalError> {
        let wanted = self.end().offset;
        let mut synced = self.synced.lock().await;
        if *synced >= wanted {
            return Ok(());
        }
        // Read again: what others appended while this call waited for the lock is covered by the same sync.
        let reached = self.end().offset;
        // If this future is dropped, the thread goes on and keeps the file, and so the lock on it, until the disk has answered.
        let file = Arc::clone(&self.file);
        let done = tokio::task::spawn_blocking(move || file.sync_data()).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(failed("sync", &self.path))?;
        // Not after an error: the next caller then tries for itself instead of believing this call.
        *synced = reached;
        Ok(())
    }

    /// Nothing panics while the lock is held, so a poisoned lock means nothing.
    fn end(&self) -> MutexGuard<'_, AppendPosition> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renames a journal that cannot be read, so that it can be examined. Returns the new name.
pub(crate) fn set_apart(path: &Path) -> Result<PathBuf, JournalError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    let apart = PathBuf::from(name);
    std::fs::rename(path, &apart).map_err(failed("rename", path))?;
    Ok(apart)
}

fn unfinished(path: &Path, bytes: &[u8]) -> Result<Option<JournalledAction>, JournalError> {
    match tell(bytes) {
        JournalContent::Nothing => Ok(None),
        JournalContent::Unfinished(story) => Ok(Some(story)),
        JournalContent::Unreadable => Err(JournalError::Unreadable(path.to_owned())),
    }
}

/// The unfinished action of the file, read under a shared lock.
fn read_locked(
    path: &Path,
    retries: u32,
    read: fn(&File, &Path) -> Result<Vec<u8>, JournalError>,
) -> Result<Option<JournalledAction>, JournalError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed("open", path))?,
    };
    lock(&file, path, FlockOperation::NonBlockingLockShared, retries)?;
    unfinished(path, &read(&file, path)?)
}

fn lock(file: &File, path: &Path, operation: FlockOperation, retries: u32) -> Result<(), JournalError> {
    for attempt in 0.. {
        match flock(file, operation) {
            Ok(()) => break,
            Err(rustix::io::Errno::WOULDBLOCK) if attempt < retries => std::thread::sleep(LOCK_PAUSE),
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(JournalError::Held(path.to_owned())),
            Err(errno) => return Err(failed("lock", path)(errno.into())),
        }
    }
    Ok(())
}

/// Opens and locks the file for writing.
fn open_locked(path: &Path) -> Result<File, JournalError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = match options.open(path) {
        // Report why the directory could not be created, not that it is missing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().unwrap_or(path);
            std::fs::create_dir_all(directory).map_err(failed("create the directory of", path))?;
            options.open(path)
        }
        opened => opened,
    };
    let file = file.map_err(failed("open", path))?;
    lock(&file, path, FlockOperation::NonBlockingLockExclusive, LOCK_RETRIES)?;
    Ok(file)
}

fn read(file: &File, path: &Path) -> Result<Vec<u8>, JournalError> {
    let length = file.metadata().map_err(failed("read", path))?.len();
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, 0).map_err(failed("read", path))?;
    Ok(bytes)
}

/// The file without most of the reserved room. Damage behind that is not seen: a recovery reads the whole file.
fn read_records(file: &File, path: &Path) -> Result<Vec<u8>, JournalError> {
    let mut bytes = vec![0; BEGINNING];
    let length = file.read_at(&mut bytes, 0).map_err(failed("read", path))?;
    let (end, _) = super::frame::end(&bytes);
    let is_all = length == BEGINNING && end + GAP <= BEGINNING && bytes[end..].iter().all(|byte| *byte == 0);
    if is_all { Ok(bytes) } else { read(file, path) }
}

/// Makes sure that `room` bytes can be written even when the disk is full. Where the file system cannot reserve them, zeros are
/// written.
fn set_aside(file: &File, has: u64, room: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, room) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) if has < room => {
            file.write_all_at(&vec![0; (room - has) as usize], has)
        }
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

fn sync_directory(path: &Path) -> Result<(), JournalError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(failed("sync the directory of", path))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |cause| JournalError::Io { what, path, cause }
}
