//! The frame of a record in the file, which tells a whole record from a torn or damaged one.
//!
//! ```text
//!   length, 4 bytes │ checksum of the length, 4 │ checksum of the payload, 4 │ payload
//! ```
//!
//! Each checksum continues the one before it. So a record is accepted only behind the very records that it was written behind,
//! and never one that an earlier action left in the file. The length has a checksum of its own, so that a flipped bit in it
//! cannot look like a torn end and hide the records that follow. Behind the last record there are only zeros.

use crc32fast::Hasher;

const HEAD: usize = 12;

/// The longest record. A length beyond it is damage.
const LONGEST: usize = 64 << 20;

/// The chain of checksums so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ChecksumChain(u32);

impl ChecksumChain {
    fn sum(self, bytes: &[u8]) -> u32 {
        let mut hasher = Hasher::new_with_initial(self.0);
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// Returns the frame of a record, and the chain behind it.
pub(crate) fn encode(chain: ChecksumChain, payload: &[u8]) -> (Vec<u8>, ChecksumChain) {
    let length = (payload.len() as u32).to_le_bytes();
    let of_length = chain.sum(&length);
    let of_payload = ChecksumChain(of_length).sum(payload);
    let frame = [&length[..], &of_length.to_le_bytes(), &of_payload.to_le_bytes(), payload].concat();
    (frame, ChecksumChain(of_payload))
}

/// What is behind the last whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalTail {
    /// Nothing: the journal ends with a whole record.
    Clean,
    /// A record that was not written completely.
    Torn,
    /// Something that does not belong there: more may have been done than can be read.
    Damaged,
}

/// The payloads of all whole records, and what is behind them.
pub(crate) fn decode(bytes: &[u8]) -> (Vec<&[u8]>, JournalTail) {
    let (mut chain, mut rest, mut payloads) = (ChecksumChain::default(), bytes, Vec::new());
    loop {
        match split(chain, rest) {
            Ok((payload, next)) => {
                payloads.push(payload);
                chain = next;
                rest = &rest[HEAD + payload.len()..];
            }
            Err(tail) => return (payloads, tail),
        }
    }
}

/// Where the last whole record ends, and the chain there.
pub(crate) fn end(bytes: &[u8]) -> (usize, ChecksumChain) {
    let (mut chain, mut offset) = (ChecksumChain::default(), 0);
    while let Ok((payload, next)) = split(chain, &bytes[offset..]) {
        chain = next;
        offset += HEAD + payload.len();
    }
    (offset, chain)
}

fn split(chain: ChecksumChain, bytes: &[u8]) -> Result<(&[u8], ChecksumChain), JournalTail> {
    if blank(bytes) {
        return Err(JournalTail::Clean);
    }
    let Some((head, behind)) = bytes.split_at_checked(HEAD) else { return Err(JournalTail::Torn) };
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (length, of_length, of_payload) = (word(0) as usize, word(4), word(8));
    // A crash leaves only zeros behind the record that it cuts short. Anything else there means that later records were written:
    // then this one was whole, and is damaged.
    if chain.sum(&head[..4]) != of_length || length > LONGEST {
        return Err(if blank(behind) { JournalTail::Torn } else { JournalTail::Damaged });
    }
    // The file ends within the record: nothing was written behind it.
    let Some((payload, behind)) = behind.split_at_checked(length) else { return Err(JournalTail::Torn) };
    if ChecksumChain(of_length).sum(payload) != of_payload {
        return Err(if blank(behind) { JournalTail::Torn } else { JournalTail::Damaged });
    }
    Ok((payload, ChecksumChain(of_payload)))
}

fn blank(bytes: &[u8]) -> bool {
    // Behind a short journal are 60 kilobytes of zeros: one byte at a time they would take longer than all else that is read.
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks.iter().all(|block| *block == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(payloads: &[&str]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut chain, mut starts) = (Vec::new(), ChecksumChain::default(), Vec::new());
        for payload in payloads {
            starts.push(bytes.len());
            let (frame, next) = encode(chain, payload.as_bytes());
            bytes.extend(frame);
            chain = next;
        }
        bytes.extend([0; 64]);
        (bytes, starts)
    }

    #[test]
    fn a_written_file_is_read_back() {
        let (bytes, _) = file(&["one", "", "three"]);
        let (payloads, tail) = decode(&bytes);
        assert_eq!((payloads, tail), (vec![&b"one"[..], b"", b"three"], JournalTail::Clean));
    }

    #[test]
    fn a_record_behind_another_one_than_its_own_is_not_believed() {
        let (one, _) = file(&["old", "stale"]);
        let (two, starts) = file(&["new", "x"]);
        let mut bytes = two[..starts[1]].to_vec();
        bytes.extend(&one[starts[1]..]);
        assert_eq!(decode(&bytes), (vec![&b"new"[..]], JournalTail::Damaged));
    }

    #[test]
    fn a_flipped_bit_before_the_last_record_is_damage_and_never_a_torn_end() {
        let (bytes, starts) = file(&["first", "second", "last"]);
        for bit in 0..starts[2] * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (payloads, tail) = decode(&flipped);
            assert!(payloads.len() < 3, "bit {bit}");
            assert_eq!(tail, JournalTail::Damaged, "bit {bit}");
        }
    }
}
