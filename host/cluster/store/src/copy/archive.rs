//! A store in a file:
//!
//! ```text
//!   "hostler-archive 1\n"  revision u64
//!   { 1  key length u32  value length u32  key  value } …
//!   0  entries u64  digest of the entries  SHA-256 of all before it
//! ```
//!
//! Numbers are big-endian. A reader checks the whole file before it gives out the first entry.

use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::pin::Pin;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::digest::DigestState;
use super::source::PAGE_ENTRIES;
use super::{CopyError, CopyProgress, CopyReport, EntrySource};
use crate::MAX_REQUEST_BYTES;

const MAGIC: &[u8; 18] = b"hostler-archive 1\n";
const ENTRY: u8 = 1;
const END: u8 = 0;
const SEAL_BYTES: u64 = 32;

/// Why an archive cannot be written or read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("the file cannot be read or written")]
    Io(#[from] io::Error),
    #[error("the file is not an archive of a store")]
    Foreign,
    #[error("the archive is damaged: {0}")]
    Damaged(&'static str),
}

/// Writes an archive. Without [`ArchiveWriter::finish`] the file is not an archive.
#[derive(Debug)]
pub struct ArchiveWriter<W: Write> {
    file: BufWriter<W>,
    seal: Sha256,
    digest: DigestState,
    written: CopyProgress,
    revision: u64,
}

impl<W: Write> ArchiveWriter<W> {
    pub fn begin(file: W, revision: u64) -> Result<Self, ArchiveError> {
        let file = BufWriter::new(file);
        let (seal, digest, written) = (Sha256::new(), DigestState::default(), CopyProgress::default());
        let mut archive = Self { file, seal, digest, written, revision };
        archive.write(MAGIC)?;
        archive.write(&revision.to_be_bytes())?;
        Ok(archive)
    }

    pub fn written(&self) -> CopyProgress {
        self.written
    }

    /// Adds an entry. The keys must come in order.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), ArchiveError> {
        // A tag before each entry: how many there are is only known at the end, and the writer does not seek.
        self.write(&[ENTRY])?;
        for part in [key, value] {
            let length = u32::try_from(part.len()).map_err(|_| ArchiveError::Damaged("an entry is too large"))?;
            self.write(&length.to_be_bytes())?;
        }
        self.write(key)?;
        self.write(value)?;
        self.digest.add(key, value);
        self.written.count(key, value);
        Ok(())
    }

    pub fn finish(mut self) -> Result<CopyReport, ArchiveError> {
        let digest = self.digest.clone().finish();
        self.write(&[END])?;
        self.write(&self.written.entries.to_be_bytes())?;
        self.write(&digest.0)?;
        // Not through `write`: the seal covers all before it, and cannot cover itself.
        let seal = self.seal.clone().finalize();
        self.file.write_all(&seal)?;
        self.file.flush()?;
        Ok(CopyReport { revision: self.revision, copied: self.written, digest })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.seal.update(bytes);
        Ok(self.file.write_all(bytes)?)
    }
}

/// Reads an archive that was found whole.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    file: BufReader<R>,
    revision: u64,
    at_end: bool,
}

impl<R: Read + Seek> ArchiveReader<R> {
    /// Checks the seal of the whole file.
    pub fn open(file: R) -> Result<Self, ArchiveError> {
        let mut file = BufReader::new(file);
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic).map_err(|_| ArchiveError::Foreign)?;
        if magic != *MAGIC {
            return Err(ArchiveError::Foreign);
        }
        // Before the first entry is given out: a restore that finds the damage in the middle has changed half of a
        // store.
        check_seal(&mut file)?;
        file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        let revision = u64::from_be_bytes(read(&mut file)?);
        Ok(Self { file, revision, at_end: false })
    }

    fn read_page(&mut self) -> Result<Vec<(Bytes, Bytes)>, ArchiveError> {
        let mut page = Vec::new();
        while !self.at_end && page.len() < PAGE_ENTRIES {
            match read::<1, _>(&mut self.file)? {
                [ENTRY] => page.push(self.read_entry()?),
                // The count and the digest behind it were checked with the seal.
                _ => self.at_end = true,
            }
        }
        Ok(page)
    }

    fn read_entry(&mut self) -> Result<(Bytes, Bytes), ArchiveError> {
        let lengths: [[u8; 4]; 2] = [read(&mut self.file)?, read(&mut self.file)?];
        let [key, value] = lengths.map(|length| u32::from_be_bytes(length) as usize);
        // The seal was right, so this is an archive that another program wrote.
        if key + value > MAX_REQUEST_BYTES {
            return Err(ArchiveError::Damaged("an entry is larger than any store takes"));
        }
        let mut entry = vec![0; key + value];
        self.file.read_exact(&mut entry)?;
        let mut entry = Bytes::from(entry);
        let key = entry.split_to(key);
        Ok((key, entry))
    }
}

impl<R: Read + Seek + Send> EntrySource for ArchiveReader<R> {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn next_page(&mut self) -> Pin<Box<dyn Future<Output = Result<Vec<(Bytes, Bytes)>, CopyError>> + Send + '_>> {
        Box::pin(std::future::ready(self.read_page().map_err(CopyError::from)))
    }
}

fn check_seal<R: Read + Seek>(file: &mut R) -> Result<(), ArchiveError> {
    let length = file.seek(SeekFrom::End(0))?;
    let sealed = length.checked_sub(SEAL_BYTES).ok_or(ArchiveError::Damaged("it is cut short"))?;
    file.seek(SeekFrom::Start(0))?;
    let mut seal = Sha256::new();
    let mut left = sealed;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let part = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut buffer[..part])?;
        seal.update(&buffer[..part]);
        left -= part as u64;
    }
    let stored: [u8; 32] = read(file)?;
    if stored != <[u8; 32]>::from(seal.finalize()) {
        return Err(ArchiveError::Damaged("its content is not what its seal says"));
    }
    Ok(())
}

fn read<const N: usize, R: Read>(file: &mut R) -> Result<[u8; N], ArchiveError> {
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ArchiveError::Damaged("it is cut short")),
        result => result.map(|()| bytes).map_err(ArchiveError::from),
    }
}
