//! Random requests, over few keys so that they meet, with compares that hold about as often as not.

use bytes::Bytes;

use super::StoreModel;
use crate::{KeyRange, TxnRequest};

/// Numbers to draw choices from: given, or made from a seed.
#[derive(Debug, Clone)]
pub enum RandomWords {
    Seed(u64),
    /// Zeros follow the last one.
    Given(std::vec::IntoIter<u64>),
}

impl RandomWords {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }

    /// SplitMix64.
    fn word(&mut self) -> u64 {
        match self {
            RandomWords::Given(words) => words.next().unwrap_or(0),
            RandomWords::Seed(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let word = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                word ^ (word >> 31)
            }
        }
    }
}

const KEYS: [&[u8]; 7] = [b"a", b"a/", b"a/1", b"a/2", b"b", b"b\xff", b"b\xff\xff"];
const PREFIXES: [&[u8]; 4] = [b"a/", b"b\xff", b"", b"c"];

/// A request, some of it invalid.
pub fn random_request(words: &mut RandomWords, model: &StoreModel) -> TxnRequest {
    let mut request = TxnRequest::new();
    for _ in 0..words.below(3) {
        let key = random_key(words);
        let found = model.latest(&key);
        let revision = found.map_or(0, |entry| entry.mod_revision).saturating_sub(words.below(2));
        request = match words.below(4) {
            0 => request.if_changed(key, revision),
            1 => request.if_value(key.clone(), found.map_or_else(Bytes::new, |entry| entry.value.clone())),
            _ => request.if_unchanged(key, revision),
        };
    }
    for _ in 0..words.below(4) {
        let key = random_key(words);
        request = match words.below(6) {
            0 | 1 => request.delete(key),
            2 => request.delete_range(KeyRange::prefix(PREFIXES[words.below(4) as usize])),
            _ => request.put(key, vec![b'x'; words.below(9) as usize]),
        };
    }
    request
}

fn random_key(words: &mut RandomWords) -> Bytes {
    Bytes::from_static(KEYS[words.below(KEYS.len() as u64) as usize])
}
