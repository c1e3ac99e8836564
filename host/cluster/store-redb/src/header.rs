//! The one bit that no checksum of redb covers: which of its two commit slots is the newer one.
//!
//! After commits in two phases redb believes that bit, because a crash cannot spoil it. A flip of it would take back the last
//! commit without a word. So this looks whether the other slot claims to be newer. That is so after a flip, and after a crash
//! between the two phases. In both cases redb itself finds the newest slot whose checksums are right, once the mark of two phases
//! is gone. The mark must stay if the slot that it names is damaged, because redb would then take the older one.
//!
//! The layout is that of redb's file format 3, in docs/design.md of its sources.

use std::io;

use redb::StorageBackend;

/// The byte after the magic number.
const FLAGS: usize = 9;
const SECOND_SLOT_IS_NEWER: u8 = 1;
const TWO_PHASES: u8 = 4;

const SLOTS: [usize; 2] = [64, 192];
/// Where the number of the transaction is in a slot.
const TRANSACTION: usize = 104;
const HEADER: usize = 320;

/// The flags without the mark of two phases, if the slot that they call older claims to be the newer one.
pub(crate) fn doubted_flags(bytes: &impl StorageBackend) -> io::Result<Option<u8>> {
    if bytes.len()? < HEADER as u64 {
        return Ok(None);
    }
    let mut header = [0; HEADER];
    bytes.read(0, &mut header)?;
    let flags = header[FLAGS];
    let [first, second] = SLOTS.map(|slot| transaction(&header, slot));
    let (newer, older) = if flags & SECOND_SLOT_IS_NEWER == 0 { (first, second) } else { (second, first) };
    Ok((flags & TWO_PHASES != 0 && older > newer).then_some(flags & !TWO_PHASES))
}

pub(crate) fn write_flags(bytes: &impl StorageBackend, flags: u8) -> io::Result<()> {
    bytes.write(FLAGS as u64, &[flags])
}

fn transaction(header: &[u8; HEADER], slot: usize) -> Option<u64> {
    header[slot + TRANSACTION..].first_chunk().map(|number| u64::from_le_bytes(*number))
}
