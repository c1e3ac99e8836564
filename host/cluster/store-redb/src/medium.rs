//! Where the bytes of the store are: a file, or in tests a disk that fails.

use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::PathBuf;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{BackendError, StorageBackend};

use crate::StoreFileError;
use crate::directory::DirectoryLock;

/// Gives the bytes of a store, again and again: the writer closes and opens them after a failure.
pub(crate) trait StoreMedium: Send + 'static {
    fn open(&self) -> Result<StoreBytes, StoreFileError>;
}

/// The file of a store, which must exist.
#[derive(Debug)]
pub(crate) struct FileMedium {
    pub(crate) path: PathBuf,
    /// Keeps others out as long as this is used.
    #[expect(dead_code, reason = "it is held, not read")]
    pub(crate) lock: Option<DirectoryLock>,
}

impl StoreMedium for FileMedium {
    fn open(&self) -> Result<StoreBytes, StoreFileError> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path).map_err(StoreFileError::Io)?;
        Ok(StoreBytes(Box::new(FileBackend::new(file)?)))
    }
}

/// The bytes of a store, wherever they are.
#[derive(Debug)]
pub(crate) struct StoreBytes(pub(crate) Box<dyn StorageBackend>);

impl StoreBytes {
    /// The same bytes in memory.
    pub(crate) fn copy(&self) -> io::Result<Self> {
        let mut content = vec![0; usize::try_from(self.len()?).map_err(io::Error::other)?];
        self.read(0, &mut content)?;
        let copy = InMemoryBackend::new();
        copy.set_len(content.len() as u64)?;
        copy.write(0, &content)?;
        Ok(Self(Box::new(copy)))
    }
}

impl StorageBackend for StoreBytes {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}
