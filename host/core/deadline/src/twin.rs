//! Two copies of a document in one file, of which the writer always replaces the older one. So whatever a writer was stopped at, a
//! reader finds a whole document: the newer one, or the one before it. Neither takes a lock.
//!
//! ```text
//!  half:  magic and version │ sequence │ length │ checksum │ body │ sequence
//! ```

use crate::bytes::{ByteReader, ByteWriter};

/// The size of a half: so much fits, and so much the keeper reserves for a copy.
pub const HALF: usize = 256 << 10;

/// The size of the file.
pub const TWIN: usize = 2 * HALF;

/// The last byte is the version of all that the two documents say.
const MAGIC: [u8; 8] = *b"omkeep\0\x01";

const HEAD: usize = 24;
const TAIL: usize = 8;

/// Writes a half around its body, which `body` writes into the middle. Returns how many bytes of `half` are used. None: the body
/// does not fit.
pub fn frame(half: &mut [u8], sequence: u64, body: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<usize> {
    let end = half.len().checked_sub(TAIL)?;
    let length = body(half.get_mut(HEAD..end)?)?;
    let sum = checksum(sequence, &half[HEAD..HEAD + length]);
    // At both ends: a half that was written in part has two different ones, whatever its checksum says.
    half[HEAD + length..HEAD + length + TAIL].copy_from_slice(&sequence.to_le_bytes());
    let mut head = ByteWriter::new(&mut half[..HEAD]);
    head.put(&MAGIC);
    head.u64(sequence);
    head.u32(u32::try_from(length).ok()?);
    head.u32(sum);
    Some(HEAD + length + TAIL)
}

/// The newer of the halves that are whole: its sequence and its body, and whether it is the second one.
pub fn newest<'a>(first: &'a [u8], second: &'a [u8]) -> Option<(u64, &'a [u8], bool)> {
    let (first, second) = (read(first), read(second));
    let first = first.map(|(sequence, body)| (sequence, body, false));
    let second = second.map(|(sequence, body)| (sequence, body, true));
    first.into_iter().chain(second).max_by_key(|(sequence, ..)| *sequence)
}

/// A half, if it is whole.
fn read(half: &[u8]) -> Option<(u64, &[u8])> {
    let mut bytes = ByteReader::new(half);
    if bytes.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let (sequence, length, sum) = (bytes.u64()?, bytes.u32()? as usize, bytes.u32()?);
    let body = bytes.take(length)?;
    (bytes.u64()? == sequence && checksum(sequence, body) == sum).then_some((sequence, body))
}

fn checksum(sequence: u64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    // With sequence and length, or an old body under a new head would pass.
    hasher.update(&sequence.to_le_bytes());
    hasher.update(&(body.len() as u64).to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(sequence: u64, body: &[u8]) -> Vec<u8> {
        let mut half = vec![0; 64 + body.len()];
        let write = |place: &mut [u8]| {
            place.get_mut(..body.len())?.copy_from_slice(body);
            Some(body.len())
        };
        let used = frame(&mut half, sequence, write).unwrap();
        half.truncate(used);
        half
    }

    #[test]
    fn the_newer_half_that_is_whole_counts() {
        let (old, new) = (half(4, b"old"), half(5, b"newer"));
        assert_eq!(newest(&old, &new), Some((5, &b"newer"[..], true)));
        assert_eq!(newest(&new, &old), Some((5, &b"newer"[..], false)));
        assert_eq!(newest(&[0; 64], &old), Some((4, &b"old"[..], true)));
        assert_eq!(newest(&[], &[]), None);
    }

    /// A writer that was stopped after any byte of the newer half leaves the older one to be believed.
    #[test]
    fn a_torn_half_is_never_believed() {
        let (old, before, new) = (half(4, b"old"), half(3, b"before that"), half(5, b"newest of all"));
        for cut in 0..new.len() {
            let mut torn = before.clone();
            torn.resize(new.len(), 0xff);
            torn[..cut].copy_from_slice(&new[..cut]);
            let found = newest(&old, &torn).unwrap();
            assert_eq!((found.0, found.1), (4, &b"old"[..]), "torn at {cut}");
        }
        for bit in 0..new.len() * 8 {
            let mut damaged = new.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(newest(&old, &damaged).map(|found| found.0), Some(4), "bit {bit}");
        }
    }

    #[test]
    fn a_body_that_does_not_fit_is_not_framed() {
        let mut small = [0; HEAD + TAIL + 3];
        assert_eq!(frame(&mut small, 1, |place| Some(place.len())), Some(HEAD + TAIL + 3));
        assert_eq!(frame(&mut small, 1, |_| None), None);
        assert_eq!(frame(&mut [0; 4], 1, |_| Some(0)), None);
    }
}
