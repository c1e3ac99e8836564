//! A digest of keys and values, which does not depend on the engine, on revisions or on pages.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 of all keys and values of a copy, in the order of the keys, each after its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryDigest(pub [u8; 32]);

impl fmt::Display for EntryDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Computes a digest from the entries as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct DigestState(Sha256);

impl DigestState {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            // Otherwise `ab`, `c` and `a`, `bc` would have one digest.
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    pub(super) fn finish(self) -> EntryDigest {
        EntryDigest(self.0.finalize().into())
    }
}
