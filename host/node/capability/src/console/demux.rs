//! The frames of an engine's output. A frame is one byte for the stream, three zero bytes, four bytes for the length, and as
//! many bytes of output.

/// One of the two outputs of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Stdout,
    Stderr,
}

/// Separates the outputs, wherever a read cuts the frames.
#[derive(Debug, Default)]
pub(crate) struct OutputDemux {
    /// The part of the next frame's head that has arrived.
    head: Vec<u8>,
    /// How many bytes of the current frame are still to come, and which output they belong to.
    left: usize,
    to: Option<OutputStream>,
}

/// The length of a frame's head.
const HEAD: usize = 8;

impl OutputDemux {
    /// The pieces of output that these bytes hold. The third stream, the engine's own errors, counts as standard error.
    pub(crate) fn push<'a>(&mut self, mut bytes: &'a [u8]) -> Vec<(OutputStream, &'a [u8])> {
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
        // Only once the head is complete. A frame may be empty, and then the next head follows.
        if let [kind, _, _, _, a, b, c, d] = self.head[..] {
            self.to = Some(if kind == 1 { OutputStream::Stdout } else { OutputStream::Stderr });
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
            let mut demux = OutputDemux::default();
            let (mut out, mut error) = (Vec::new(), Vec::new());
            for bytes in stream.chunks(cut) {
                for (to, piece) in demux.push(bytes) {
                    match to {
                        OutputStream::Stdout => out.extend(piece),
                        OutputStream::Stderr => error.extend(piece),
                    }
                }
            }
            assert_eq!((out.as_slice(), error.as_slice()), (&b"out!"[..], &b"error"[..]), "{cut}");
        }
    }
}
