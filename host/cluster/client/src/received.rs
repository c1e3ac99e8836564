//! What has come of a stream and is not taken yet. Each byte is searched once, and moved seldom, however it comes: in one piece of
//! many lines, or one line in many pieces.

/// Bytes that were received.
#[derive(Debug, Default)]
pub(crate) struct ReceivedBytes {
    bytes: Vec<u8>,
    /// What is before this was taken.
    start: usize,
    /// No end is before this.
    searched: usize,
}

impl ReceivedBytes {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        // Moved only when half of it was taken, so that a byte is moved once on average.
        if self.start >= self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes what comes before the next end, if the end is there, and the end with it.
    pub(crate) fn take(&mut self, end: &[u8]) -> Option<&[u8]> {
        let found = self.bytes[self.searched..].windows(end.len()).position(|window| window == end);
        let Some(found) = found else {
            // The end may have come in part.
            self.searched = self.searched.max((self.bytes.len() + 1).saturating_sub(end.len()));
            return None;
        };
        let (from, to) = (self.start, self.searched + found);
        self.start = to + end.len();
        self.searched = self.start;
        Some(&self.bytes[from..to])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// What comes in these pieces, as it is taken.
    fn taken(pieces: &[&str], end: &str) -> Vec<String> {
        let mut received = ReceivedBytes::default();
        let mut taken = Vec::new();
        for piece in pieces {
            received.add(piece.as_bytes());
            while let Some(bytes) = received.take(end.as_bytes()) {
                taken.push(String::from_utf8(bytes.to_vec()).unwrap());
            }
        }
        taken
    }

    #[test]
    fn pieces_and_lines_need_not_end_together() {
        assert_eq!(taken(&["a\nb", "c\n", "\nd"], "\n"), ["a", "bc", ""]);
        assert_eq!(taken(&["a\n", "\nb\nc\n\n"], "\n\n"), ["a", "b\nc"]);
        let text = "one\n\ntwo\n\n\nthree\n\n";
        let bytes: Vec<&str> = (0..text.len()).map(|at| &text[at..=at]).collect();
        assert_eq!(taken(&bytes, "\n\n"), taken(&[text], "\n\n"));
    }

    #[test]
    fn neither_many_lines_nor_a_long_one_cost_the_square_of_their_length() {
        let began = Instant::now();
        let mut received = ReceivedBytes::default();
        received.add(&b"a\n".repeat(2_000_000));
        assert_eq!(std::iter::from_fn(|| received.take(b"\n").map(<[u8]>::len)).count(), 2_000_000);
        (0..200_000).for_each(|_| {
            received.add(&[b'a'; 40]);
            assert!(received.take(b"\n").is_none());
        });
        received.add(b"\n");
        assert_eq!(received.take(b"\n").unwrap().len(), 8_000_000);
        // By the square it is hours.
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }
}
