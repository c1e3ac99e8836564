//! The bounded output of a program: its beginning, its end, and its lines as they come.

use std::collections::VecDeque;

/// Longer lines are cut for the log. The captured bytes are not.
const MAX_LINE: usize = 4096;

/// The bytes of one output. Beyond the limit, the middle is dropped.
pub(super) struct OutputCapture {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    truncated: bool,
    line: Vec<u8>,
}

impl OutputCapture {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize) -> OutputCapture {
        OutputCapture { half: limit / 2, head: Vec::new(), tail: VecDeque::new(), truncated: false, line: Vec::new() }
    }

    /// Takes bytes, and passes on the lines that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], on_line: &mut (dyn FnMut(&str) + Send)) {
        self.keep(bytes);
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.flush(on_line);
            }
        }
    }

    /// The kept bytes, and whether some are missing. A last line without an end is passed on.
    pub(super) fn finish(mut self, on_line: &mut (dyn FnMut(&str) + Send)) -> (Vec<u8>, bool) {
        if !self.line.is_empty() {
            self.flush(on_line);
        }
        self.head.extend(self.tail);
        (self.head, self.truncated)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(self.half.saturating_sub(self.head.len())));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.half);
        self.truncated |= excess > 0;
        self.tail.drain(..excess);
    }

    fn flush(&mut self, on_line: &mut (dyn FnMut(&str) + Send)) {
        on_line(String::from_utf8_lossy(&self.line).trim_end_matches('\r'));
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: usize, pieces: &[&str], expected: (&str, bool), lines: &[&str]) {
        let mut seen = Vec::new();
        let mut capture = OutputCapture::new(limit);
        for piece in pieces {
            capture.push(piece.as_bytes(), &mut |line| seen.push(line.to_owned()));
        }
        let (bytes, truncated) = capture.finish(&mut |line| seen.push(line.to_owned()));
        assert_eq!((String::from_utf8(bytes).unwrap().as_str(), truncated), expected);
        assert_eq!(seen, lines);
    }

    #[test]
    fn head_and_tail_are_kept_and_the_middle_is_dropped() {
        check(8, &["abcdefgh"], ("abcdefgh", false), &["abcdefgh"]);
        check(8, &["abcdefghi"], ("abcdfghi", true), &["abcdefghi"]);
        check(8, &["ab", "cdefghijkl", "mn"], ("abcdklmn", true), &["abcdefghijklmn"]);
    }

    #[test]
    fn lines_come_as_soon_as_they_are_complete() {
        check(99, &["one\ntw", "o\r\n", "three"], ("one\ntwo\r\nthree", false), &["one", "two", "three"]);
        check(99, &["", "\n"], ("\n", false), &[""]);
    }

    #[test]
    fn a_line_without_end_is_cut_for_the_log_only() {
        let long = "x".repeat(MAX_LINE + 10);
        check(1 << 20, &[&long, "\nshort"], (&format!("{long}\nshort"), false), &[&long[..MAX_LINE], "short"]);
    }
}
