//! A short text on the stack.

use std::ffi::CStr;
use std::fmt;

use rustix::io::Errno;

/// A text with a zero after it.
pub(super) struct StackText {
    bytes: [u8; 96],
    length: usize,
}

impl StackText {
    /// Fails with ENAMETOOLONG if it does not fit.
    pub(super) fn of(text: fmt::Arguments<'_>) -> Result<StackText, Errno> {
        let mut own = StackText { bytes: [0; 96], length: 0 };
        fmt::Write::write_fmt(&mut own, text).map_err(|_| Errno::NAMETOOLONG)?;
        Ok(own)
    }

    pub(super) fn as_c_str(&self) -> Result<&CStr, Errno> {
        CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Errno::INVAL)
    }
}

impl fmt::Write for StackText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        // One byte stays for the zero.
        let place = self.bytes[..95].get_mut(self.length..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
