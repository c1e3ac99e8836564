//! How an event becomes a row, and back.
//!
//! ```text
//!   key    revision u64 │ key of the store
//!   value  1 │ 'p' │ create revision u64 │ version u64 │ value of the store
//!          1 │ 'd'
//! ```
//!
//! Numbers are big-endian, so that rows sort by revision. The first byte of a value is the version of this layout.

use bytes::Bytes;
use store::{KeyEntry, KeyEvent};

const LAYOUT: u8 = 1;
const PUT: u8 = b'p';
const DELETE: u8 = b'd';

/// The key of the row for a key's change at a revision.
pub(crate) fn row_key(revision: u64, key: &[u8]) -> Vec<u8> {
    [&revision.to_be_bytes(), key].concat()
}

pub(crate) fn row_value(event: &KeyEvent) -> Vec<u8> {
    match event {
        KeyEvent::Delete { .. } => vec![LAYOUT, DELETE],
        KeyEvent::Put(entry) => {
            let numbers = [entry.create_revision.to_be_bytes(), entry.version.to_be_bytes()];
            [&[LAYOUT, PUT], &numbers[0][..], &numbers[1], &entry.value].concat()
        }
    }
}

/// The revision and the event of a row; none if no store wrote it.
pub(crate) fn read_row(key: &[u8], value: &[u8]) -> Option<(u64, KeyEvent)> {
    let (revision, key) = key.split_first_chunk()?;
    let mod_revision = u64::from_be_bytes(*revision);
    let key = Bytes::copy_from_slice(key);
    let event = match value {
        [LAYOUT, DELETE] => KeyEvent::Delete { key },
        [LAYOUT, PUT, rest @ ..] => {
            let (create_revision, rest) = rest.split_first_chunk()?;
            let (version, value) = rest.split_first_chunk()?;
            let (create_revision, version) = (u64::from_be_bytes(*create_revision), u64::from_be_bytes(*version));
            let value = Bytes::copy_from_slice(value);
            KeyEvent::Put(KeyEntry { key, value, create_revision, mod_revision, version })
        }
        _ => return None,
    };
    Some((mod_revision, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(revision: u64, event: &KeyEvent) {
        let (key, value) = (row_key(revision, event.key()), row_value(event));
        assert_eq!(read_row(&key, &value), Some((revision, event.clone())));
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let entry = KeyEntry {
            key: Bytes::from_static(b"\0\xff"),
            value: Bytes::new(),
            create_revision: 3,
            mod_revision: 7,
            version: 2,
        };
        check(7, &KeyEvent::Put(entry));
        check(8, &KeyEvent::Delete { key: Bytes::from_static(b"a") });
    }

    #[test]
    fn rows_of_another_layout_are_not_read() {
        assert_eq!(read_row(b"1234567", b"\x01d"), None);
        for value in [&b""[..], b"\x02d", b"\x01x", b"\x01d ", b"\x01p1234567812345"] {
            assert_eq!(read_row(b"12345678a", value), None);
        }
    }
}
