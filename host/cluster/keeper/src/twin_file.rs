//! A file of two halves, of which the newer one that is whole counts. It has one writer; a reader never waits.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use deadline::{HALF, TWIN, frame, newest};

/// How often a reader begins again that the writer has overtaken.
const ATTEMPTS: usize = 4;

/// So much of a half says how long it is.
const HEAD: usize = 24;

/// The file.
#[derive(Debug)]
pub struct TwinFile {
    file: File,
    /// The sequence that was written or read last, and whether it stands in the second half.
    last: (u64, bool),
}

impl TwinFile {
    /// Opens the file, and makes it if it is not there. All of its space is reserved: a full disk stops no later write.
    pub fn open(path: &Path) -> io::Result<TwinFile> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, TWIN as u64)?;
        Ok(TwinFile { file, last: (0, true) })
    }

    /// Opens the file to write it, if it is there.
    pub fn open_to_write(path: &Path) -> io::Result<Option<TwinFile>> {
        if path.exists() { TwinFile::open(path).map(Some) } else { Ok(None) }
    }

    /// Opens the file to read it. None: it is not there.
    pub fn open_existing(path: &Path) -> io::Result<Option<TwinFile>> {
        match File::open(path) {
            Ok(file) => Ok(Some(TwinFile { file, last: (0, true) })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the newest body into `buffer`, which holds a half. None: neither half is whole.
    pub fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Option<(u64, &'b [u8])> {
        // Which of the two it is is found out first, as the borrow of the result lasts for as long as the result.
        let second = (0..ATTEMPTS).find_map(|_| self.newest_half(buffer))?;
        let (sequence, body, _) = newest(buffer, &[])?;
        self.last = (sequence, second);
        Some((sequence, body))
    }

    /// Leaves the newest half that is whole in `buffer`. Returns whether it is the second one.
    fn newest_half(&self, buffer: &mut [u8]) -> Option<bool> {
        let claims = [false, true].map(|second| self.claim(second));
        let order = if claims[0] > claims[1] { [false, true] } else { [true, false] };
        order.into_iter().find(|second| self.fill(*second, claims[usize::from(*second)], buffer))
    }

    /// The sequence and the length that a half claims to have.
    fn claim(&self, second: bool) -> Option<(u64, usize)> {
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, offset(second)).ok()?;
        let sequence = u64::from_le_bytes(head[8..16].try_into().ok()?);
        let length = u32::from_le_bytes(head[16..20].try_into().ok()?) as usize;
        (sequence > 0).then_some((sequence, length))
    }

    fn fill(&self, second: bool, claim: Option<(u64, usize)>, buffer: &mut [u8]) -> bool {
        let Some((sequence, length)) = claim else { return false };
        let Some(place) = length.checked_add(HEAD + 8).and_then(|whole| buffer.get_mut(..whole)) else { return false };
        self.file.read_exact_at(place, offset(second)).is_ok()
            && newest(place, &[]).is_some_and(|(found, ..)| found == sequence)
    }

    /// Writes a body in the place of the older one. `buffer` holds a half; `body` writes into it, and returns how much.
    pub fn write(&mut self, buffer: &mut [u8], body: impl FnOnce(&mut [u8]) -> Option<usize>) -> io::Result<u64> {
        if self.last.0 == 0 {
            // A writer that begins goes on from what is there: with a sequence that is not greater, readers would
            // believe the former half.
            self.read(buffer);
        }
        let (sequence, second) = (self.last.0 + 1, !self.last.1);
        let used = frame(buffer, sequence, body).ok_or(ErrorKind::FileTooLarge)?;
        // No fsync(2): page and report are of this boot, and a reader sees what was written at once.
        self.file.write_all_at(&buffer[..used], offset(second))?;
        self.last = (sequence, second);
        Ok(sequence)
    }
}

impl AsFd for TwinFile {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn offset(second: bool) -> u64 {
    if second { HALF as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(file: &mut TwinFile, body: &[u8]) -> u64 {
        let write = |place: &mut [u8]| {
            place[..body.len()].copy_from_slice(body);
            Some(body.len())
        };
        file.write(&mut vec![0; HALF], write).unwrap()
    }

    #[test]
    fn the_last_body_is_read_also_by_another_process_and_goes_on_from_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page");
        assert!(TwinFile::open_existing(&path).unwrap().is_none());
        let mut file = TwinFile::open(&path).unwrap();
        let mut buffer = vec![0; HALF];
        assert_eq!(file.read(&mut buffer), None);
        assert_eq!(put(&mut file, b"one"), 1);
        assert_eq!(put(&mut file, b"two and more"), 2);
        assert_eq!(put(&mut file, b"three"), 3);
        let mut other = TwinFile::open(&path).unwrap();
        assert_eq!(other.read(&mut buffer), Some((3, &b"three"[..])));
        assert_eq!(put(&mut other, b"four"), 4);
        assert_eq!(file.read(&mut buffer), Some((4, &b"four"[..])));
        // The newest is damaged: the one before it counts, and is not overwritten next.
        let second = offset(other.last.1);
        other.file.write_all_at(b"x", second + 30).unwrap();
        assert_eq!(file.read(&mut buffer), Some((3, &b"three"[..])));
        put(&mut file, b"five");
        assert_eq!(other.read(&mut buffer).unwrap().1, b"five");
    }

    #[test]
    fn a_body_that_is_too_long_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = TwinFile::open(&directory.path().join("page")).unwrap();
        put(&mut file, b"one");
        let mut buffer = vec![0; HALF];
        assert_eq!(file.write(&mut buffer, |_| None).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(file.read(&mut buffer).unwrap().1, b"one");
    }

    /// While a writer goes on as fast as it can, a reader always has a whole body.
    #[test]
    fn a_reader_beside_a_writer_sees_whole_bodies_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page");
        let mut file = TwinFile::open(&path).unwrap();
        put(&mut file, &[0; 3000]);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..2000_u32 {
                    put(&mut file, &[round as u8; 3000]);
                }
            });
            let mut reader = TwinFile::open_existing(&path).unwrap().unwrap();
            let (mut buffer, mut last) = (vec![0; HALF], 0);
            while !writer.is_finished() {
                // One that was overtaken each time believes what it had before.
                let Some((sequence, body)) = reader.read(&mut buffer) else { continue };
                assert!(body.len() == 3000 && body.iter().all(|byte| *byte == body[0]));
                assert!(sequence >= last);
                last = sequence;
            }
            assert!(last > 0);
        });
    }
}
