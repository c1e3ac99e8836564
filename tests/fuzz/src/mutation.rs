//! One change of an input.

use proptest::prelude::*;
use proptest::sample::Index;

/// An input grows to no more than this: what is longer, other tests refuse by its size.
const LONGEST: usize = 64 << 10;

/// One change of an input. Positions are chosen when it is applied.
#[derive(Debug, Clone)]
pub(crate) enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    /// The rest of another input of the corpus.
    Splice(Index, Index, Index),
    Swap(Index, Index),
}

/// Bytes at the edges of what parsers tell apart.
const EDGES: [u8; 16] = [0, 1, 9, 10, 13, 27, 32, 34, 39, 44, 47, 61, 92, 127, 128, 255];

impl Mutation {
    pub(crate) fn any(words: &'static [&'static str]) -> impl Strategy<Value = Mutation> {
        let index = any::<Index>;
        let word = prop::sample::select(words).prop_map(|word| word.as_bytes().to_vec());
        let odd = prop_oneof!["\\PC{1,4}", "[ -~]{1,8}", "[0-9]{1,24}", "(\\.\\./){1,3}"];
        let odd = odd.prop_map(String::into_bytes);
        prop_oneof![
            1 => (index(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
            2 => (index(), prop::sample::select(&EDGES)).prop_map(|(at, byte)| Mutation::Set(at, byte)),
            4 => (index(), word).prop_map(|(at, word)| Mutation::Insert(at, word)),
            2 => (index(), odd).prop_map(|(at, text)| Mutation::Insert(at, text)),
            2 => (index(), 1..32_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
            1 => (index(), 1..64_usize, 1..300_usize).prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
            1 => (index(), index(), index()).prop_map(|(at, other, from)| Mutation::Splice(at, other, from)),
            1 => (index(), index()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        ]
    }

    pub(crate) fn apply(&self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        // One more position than bytes, so that something can be put at the end.
        let place = |at: &Index, length: usize| at.index(length + 1);
        let length = input.len();
        match self {
            Mutation::Flip(at, bit) => {
                if let Some(byte) = input.get_mut(place(at, length)) {
                    *byte ^= 1 << bit;
                }
            }
            Mutation::Set(at, new) => {
                if let Some(byte) = input.get_mut(place(at, length)) {
                    *byte = *new;
                }
            }
            Mutation::Insert(at, bytes) => {
                let at = place(at, length);
                input.splice(at..at, bytes.iter().copied());
            }
            Mutation::Remove(at, count) => {
                let at = place(at, length);
                input.drain(at..at.saturating_add(*count).min(length));
            }
            Mutation::Repeat(at, count, times) => {
                let at = place(at, length);
                let end = at.saturating_add(*count).min(length);
                let part = input[at..end].repeat(*times);
                input.splice(at..at, part);
            }
            Mutation::Splice(at, other, from) => {
                let other = other.get(inputs);
                input.truncate(place(at, length));
                input.extend_from_slice(&other[place(from, other.len())..]);
            }
            Mutation::Swap(one, other) if length > 0 => input.swap(one.index(length), other.index(length)),
            Mutation::Swap(..) => {}
        }
        input.truncate(LONGEST);
    }
}
