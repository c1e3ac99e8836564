//! Numbers and texts as bytes: written into a buffer that the caller has, and read from bytes that may say anything.

use std::ffi::CStr;
use std::fmt;

/// Writes into a buffer. Once something did not fit, nothing more is written.
pub(crate) struct ByteWriter<'b> {
    buffer: &'b mut [u8],
    at: usize,
    is_full: bool,
}

impl<'b> ByteWriter<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> ByteWriter<'b> {
        ByteWriter { buffer, at: 0, is_full: false }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.at..self.at.saturating_add(bytes.len())) {
            // Not behind what did not fit, though it is short enough itself: the reader would take it for the
            // missing part.
            Some(place) if !self.is_full => {
                place.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            _ => self.is_full = true,
        }
    }

    pub(crate) fn u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    /// A text with its length, and a zero after it, as the kernel takes paths. It ends before a zero of its own.
    pub(crate) fn text(&mut self, text: &str) {
        // The reader takes it as a C string, which a zero within would end before its length.
        let text = text.split('\0').next().unwrap_or_default();
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.put(text.as_bytes());
        self.u8(0);
    }

    /// The same for a text that is made up while it is written.
    pub(crate) fn format(&mut self, text: fmt::Arguments<'_>) {
        let at = self.at;
        // Its length is known behind it, and filled in then: to make the text first would need a heap.
        self.u32(0);
        // It fails only if it does not fit, which is noted.
        let _ = fmt::Write::write_fmt(self, text);
        let length = u32::try_from(self.at.saturating_sub(at + 4)).unwrap_or(u32::MAX);
        self.u8(0);
        self.patch(at, length);
    }

    /// Writes a number over what stands at `at`.
    pub(crate) fn patch(&mut self, at: usize, number: u32) {
        if let Some(place) = self.buffer.get_mut(at..at + 4) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to an earlier position, to leave out what did not fit.
    pub(crate) fn rewind(&mut self, at: usize) {
        (self.at, self.is_full) = (at, false);
    }

    /// How much was written. None: it did not fit.
    pub(crate) fn finish(self) -> Option<usize> {
        (!self.is_full).then_some(self.at)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}

impl fmt::Write for ByteWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        if self.is_full { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Reads bytes. What is not there is None.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteReader<'a>(&'a [u8]);

impl<'a> ByteReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> ByteReader<'a> {
        ByteReader(bytes)
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a CStr> {
        let length = self.u32()? as usize;
        CStr::from_bytes_with_nul(self.take(length.checked_add(1)?)?).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
