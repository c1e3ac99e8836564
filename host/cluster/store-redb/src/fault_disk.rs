//! A disk for tests: it dies at a chosen operation, tears what was not synchronised, fills up, or fails once.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;
use store::conformance::RandomWords;

use crate::StoreFileError;
use crate::medium::{StoreBytes, StoreMedium};

const SECTOR: usize = 512;
const BLOCK: u64 = 4096;

/// A disk that holds one file. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultDisk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
pub(crate) struct DiskState {
    /// What a read sees.
    current: Vec<u8>,
    /// What is there after a power loss, without the operations since the last synchronisation.
    durable: Vec<u8>,
    unsynced: Vec<DiskWrite>,
    allocated: BTreeSet<u64>,
    operations: u64,
    /// The operation after which nothing works any more.
    pub(crate) dies_at: Option<u64>,
    /// The operations that fail, and with what.
    pub(crate) fails_at: Option<(Range<u64>, io::ErrorKind)>,
    /// Whether it panics when it is opened.
    pub(crate) panics: bool,
    /// The blocks that there are.
    pub(crate) capacity: Option<usize>,
}

#[derive(Debug, Clone)]
enum DiskWrite {
    Bytes { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl FaultDisk {
    /// A disk with a file of this content.
    pub(crate) fn holding(content: Vec<u8>) -> Self {
        let allocated = (0..(content.len() as u64).div_ceil(BLOCK)).collect();
        let state = DiskState { current: content.clone(), durable: content, allocated, ..DiskState::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, DiskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file as a program sees it.
    pub(crate) fn content(&self) -> Vec<u8> {
        self.state().current.clone()
    }

    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    pub(crate) fn blocks(&self) -> usize {
        self.state().allocated.len()
    }

    /// The file after a power loss: of what was not synchronised, any sectors may be there or not.
    pub(crate) fn after_power_loss(&self, words: &mut RandomWords) -> Vec<u8> {
        let state = self.state();
        let mut content = state.durable.clone();
        for write in &state.unsynced {
            match write {
                // The length is of the inode, which a file system may write before or after the data.
                DiskWrite::Length(length) if words.below(2) == 0 => content.resize(*length, 0),
                DiskWrite::Length(_) => {}
                DiskWrite::Bytes { offset, bytes } => tear(&mut content, *offset, bytes, words),
            }
        }
        content
    }
}

/// Writes some of the sectors.
fn tear(content: &mut Vec<u8>, offset: usize, bytes: &[u8], words: &mut RandomWords) {
    let all = words.below(3) == 0;
    for (index, sector) in bytes.chunks(SECTOR).enumerate() {
        if all || words.below(2) == 0 {
            put(content, offset + index * SECTOR, sector);
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl DiskState {
    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dies_at.is_some_and(|at| self.operations >= at)
    }

    /// Begins an operation: whether the disk dies at it, which may have happened all the same.
    fn begin(&mut self) -> io::Result<bool> {
        if self.is_dead() {
            return Err(io::Error::other("the disk is dead"));
        }
        self.operations += 1;
        match &self.fails_at {
            Some((range, kind)) if range.contains(&self.operations) => Err((*kind).into()),
            _ => Ok(self.is_dead()),
        }
    }

    /// Takes the blocks that a write needs, if there are enough.
    fn allocate(&mut self, offset: usize, length: usize) -> io::Result<()> {
        let last = (offset + length.max(1) - 1) as u64 / BLOCK;
        // On a copy: a write that finds no room takes none.
        let mut allocated = self.allocated.clone();
        allocated.extend(offset as u64 / BLOCK..=last);
        if self.capacity.is_some_and(|capacity| allocated.len() > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.allocated = allocated;
        Ok(())
    }

    fn change(&mut self, write: DiskWrite) -> io::Result<()> {
        let dies = self.begin()?;
        if let DiskWrite::Bytes { offset, bytes } = &write {
            self.allocate(*offset, bytes.len())?;
        }
        if !dies {
            match &write {
                DiskWrite::Bytes { offset, bytes } => put(&mut self.current, *offset, bytes),
                DiskWrite::Length(length) => self.current.resize(*length, 0),
            }
        }
        // Also of an operation at which the disk dies: some of its sectors may have been written.
        self.unsynced.push(write);
        if dies { Err(io::Error::other("the disk dies")) } else { Ok(()) }
    }
}

impl StoreMedium for FaultDisk {
    fn open(&self) -> Result<StoreBytes, StoreFileError> {
        assert!(!self.state().panics, "the disk panics, as a test wants it");
        if self.state().is_dead() {
            return Err(StoreFileError::Io(io::Error::other("the disk is dead")));
        }
        Ok(StoreBytes(Box::new(self.clone())))
    }
}

impl StorageBackend for FaultDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let offset = offset as usize;
        let bytes = state.current.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.state().change(DiskWrite::Length(length as usize))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.state().change(DiskWrite::Bytes { offset: offset as usize, bytes: bytes.to_vec() })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.begin()? {
            return Err(io::Error::other("the disk dies"));
        }
        state.durable = state.current.clone();
        state.unsynced.clear();
        Ok(())
    }
}
