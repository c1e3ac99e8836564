//! Files that an operator hands to the command line, which must be text.

use std::path::Path;

use anyhow::{Context, anyhow};
use config::diagnostic::TextPosition;

/// The text of a file. None if there is no such file.
pub(crate) fn read_text(file: &Path) -> anyhow::Result<Option<String>> {
    let content = match std::fs::read(file) {
        Ok(content) => content,
        // Not an error yet: `create --config` then looks for an object of that name.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let text = String::from_utf8(content).map_err(|error| {
        // Up to the first bad byte nothing is replaced, so the offset is right in the lossy text too.
        let offset = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(offset).copied().unwrap_or_default();
        let position = TextPosition::of(&String::from_utf8_lossy(error.as_bytes()), offset);
        anyhow!("not UTF-8: {}:{position} holds the byte 0x{byte:02x}", file.display())
    })?;
    Ok(Some(text))
}
