//! Ranges of keys: one key, all with a prefix, or all between two.

use std::ops::Bound;

use bytes::Bytes;

/// Keys from `start` up to but not including `end`; without an end, all from `start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    start: Bytes,
    end: Option<Bytes>,
}

impl KeyRange {
    /// One key.
    pub fn key(key: impl Into<Bytes>) -> Self {
        let start = key.into();
        // A zero byte behind it: no key lies between the two. An end that counts up the last byte would take in
        // `a1` with `a`.
        let end = successor(&start);
        Self { start, end: Some(end) }
    }

    /// All keys with this prefix; all keys if it is empty.
    pub fn prefix(prefix: impl Into<Bytes>) -> Self {
        let start = prefix.into();
        // The first key after those with the prefix: the last byte that can grow does, and what follows it goes.
        let end = start.iter().rposition(|byte| *byte != 0xff).map(|last| {
            let mut end = start[..=last].to_vec();
            end[last] += 1;
            Bytes::from(end)
        });
        Self { start, end }
    }

    /// All keys.
    pub fn all() -> Self {
        Self { start: Bytes::new(), end: None }
    }

    /// What is left of this range after `key`: where a list that was cut short goes on.
    pub fn after(&self, key: &Bytes) -> Self {
        Self { start: successor(key).max(self.start.clone()), end: self.end.clone() }
    }

    pub fn start(&self) -> &Bytes {
        &self.start
    }

    pub fn end(&self) -> Option<&Bytes> {
        self.end.as_ref()
    }

    pub fn contains(&self, key: &[u8]) -> bool {
        key >= &self.start[..] && self.end.as_ref().is_none_or(|end| key < &end[..])
    }

    /// Whether some key could be in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end = |a: &Self, b: &Self| b.end.as_ref().is_none_or(|end| a.start < *end);
        begins_before_end(self, other) && begins_before_end(other, self) && !self.is_empty() && !other.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// The bounds for a map with these keys. A range that is empty has bounds that a map accepts.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = match &self.end {
            // A map panics if the end is before the start.
            Some(end) => Bound::Excluded((&end[..]).max(&self.start[..])),
            None => Bound::Unbounded,
        };
        (Bound::Included(&self.start[..]), end)
    }
}

/// The first key after this one.
fn successor(key: &Bytes) -> Bytes {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    Bytes::from(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_alone_in_its_range() {
        let range = KeyRange::key("a");
        assert!(range.contains(b"a"));
        assert!(!range.contains(b"a\0") && !range.contains(b"") && !range.contains(b"b"));
    }

    #[test]
    fn a_prefix_ends_where_its_last_byte_that_can_grow_does() {
        let range = KeyRange::prefix(&b"a\xff\xff"[..]);
        assert_eq!(range.end().map(|end| &end[..]), Some(&b"b"[..]));
        assert!(range.contains(b"a\xff\xff\xff") && !range.contains(b"b"));
        assert_eq!(KeyRange::prefix(&b"\xff"[..]).end(), None);
        assert_eq!(KeyRange::prefix(""), KeyRange::all());
    }

    #[test]
    fn the_rest_of_a_range_begins_after_the_key() {
        let rest = KeyRange::prefix("a").after(&Bytes::from("ab"));
        assert!(!rest.contains(b"ab") && rest.contains(b"ab\0") && !rest.contains(b"b"));
        assert_eq!(KeyRange::prefix("b").after(&Bytes::from("a")).start(), "b");
    }

    #[test]
    fn ranges_overlap_where_they_share_a_key() {
        assert!(KeyRange::prefix("a").overlaps(&KeyRange::key("ab")));
        assert!(!KeyRange::prefix("a").overlaps(&KeyRange::key("b")));
        assert!(KeyRange::all().overlaps(&KeyRange::key("b")));
        let empty = KeyRange::key("a").after(&Bytes::from("a"));
        assert!(empty.is_empty() && !empty.overlaps(&KeyRange::all()));
    }
}
