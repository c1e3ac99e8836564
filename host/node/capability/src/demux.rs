//! The frames of an engine's output: a byte that says of which output, three of nothing, four of the length, and the bytes.

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

/// Takes frames apart, wherever the stream is cut.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    head: Vec<u8>,
    /// What is left of the frame, and of which output it is.
    left: usize,
    to: Option<Output>,
}

/// The bytes of the head of a frame.
const HEAD: usize = 8;

impl Demux {
    /// The pieces of output that these bytes hold. What the engine says of itself (a third stream) is shown as an error.
    pub(crate) fn push<'a>(&mut self, mut bytes: &'a [u8]) -> Vec<(Output, &'a [u8])> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            match self.to.filter(|_| self.left > 0) {
                Some(to) => {
                    let (piece, rest) = bytes.split_at(self.left.min(bytes.len()));
                    self.left -= piece.len();
                    pieces.push((to, piece));
                    bytes = rest;
                }
                None => {
                    let (head, rest) = bytes.split_at((HEAD - self.head.len()).min(bytes.len()));
                    self.head.extend(head);
                    bytes = rest;
                    self.begin();
                }
            }
        }
        pieces
    }

    fn begin(&mut self) {
        if let [kind, _, _, _, a, b, c, d] = self.head[..] {
            self.to = Some(if kind == 1 { Output::Stdout } else { Output::Stderr });
            self.left = u32::from_be_bytes([a, b, c, d]) as usize;
            self.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_apart_wherever_they_are_cut() {
        let stream = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x05error\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01!";
        for cut in 1..stream.len() {
            let mut demux = Demux::default();
            let (mut out, mut error) = (Vec::new(), Vec::new());
            for bytes in stream.chunks(cut) {
                for (to, piece) in demux.push(bytes) {
                    match to {
                        Output::Stdout => out.extend(piece),
                        Output::Stderr => error.extend(piece),
                    }
                }
            }
            assert_eq!((out.as_slice(), error.as_slice()), (&b"out!"[..], &b"error"[..]), "{cut}");
        }
    }
}
