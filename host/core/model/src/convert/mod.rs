//! From the text of a value to its canonical form, which `wit/types.wit` describes to drivers.

mod command;
mod quantity;
mod schedule;

use crate::keyword::ValueKind;

pub use command::{command, split_words};
pub use quantity::{duration, size};
pub use schedule::{Schedule, ScheduleDay, ScheduleElement, ScheduleWindow, schedule};

/// Why a text is not a value of a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct ConvertError {
    /// The expected kind in words: `a size`, `an integer`.
    pub kind: &'static str,
    /// A description of valid values, with examples.
    pub expected: String,
}

impl ConvertError {
    fn new(kind: &'static str, expected: impl Into<String>) -> ConvertError {
        ConvertError { kind, expected: expected.into() }
    }
}

/// The value in canonical form: one element, or one for each element of a list or word of a command.
pub fn convert(kind: ValueKind, text: &str) -> Result<Vec<String>, ConvertError> {
    let one = |value: String| Ok(vec![value]);
    match kind {
        ValueKind::String => one(text.to_owned()),
        ValueKind::Boolean => one(boolean(text)?.to_string()),
        ValueKind::Integer => one(integer(text)?.to_string()),
        ValueKind::Size => one(size(text)?.to_string()),
        ValueKind::Duration => one(duration(text)?.as_millis().to_string()),
        ValueKind::List | ValueKind::Nodes => Ok(text.split_whitespace().map(str::to_owned).collect()),
        ValueKind::Words => split_words(text),
        ValueKind::Command => command(text),
        ValueKind::Launcher => launcher(text),
        ValueKind::Path => one(path(text)?),
        ValueKind::Mode => one(mode(text)?.to_string()),
        ValueKind::Schedule => {
            // The canonical form stays a text: parsing only refuses a wrong one.
            schedule(text)?;
            one(text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

/// `true` or `false`, also `yes no on off 1 0`, in any case.
pub fn boolean(text: &str) -> Result<bool, ConvertError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "off" | "0" => Ok(false),
        _ => Err(ConvertError::new("a boolean", "true or false")),
    }
}

/// A boolean, an integer that means true, or a command.
fn launcher(text: &str) -> Result<Vec<String>, ConvertError> {
    let word = text.trim();
    match boolean(word).ok().or_else(|| integer(word).ok().map(|_| true)) {
        Some(flag) => Ok(vec![flag.to_string()]),
        None => command(text),
    }
}

/// A decimal integer.
pub fn integer(text: &str) -> Result<i64, ConvertError> {
    text.parse().map_err(|_| ConvertError::new("an integer", "a decimal integer, such as 3"))
}

/// Permission bits in octal, setuid and its kin included.
pub fn mode(text: &str) -> Result<u32, ConvertError> {
    // The digits are checked by hand, because `from_str_radix` accepts a plus sign as well.
    let octal = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let bits = if octal { u32::from_str_radix(text, 8).ok() } else { None };
    let bits = bits.filter(|bits| *bits <= 0o7777);
    bits.ok_or_else(|| ConvertError::new("a file mode", "permissions in octal, such as 0755 or 2770"))
}

/// Tidied but for symbolic links, which a text does not show: no doubled slash, no slash at the end. A `..` is refused,
/// since it would mean something else on either side of a symbolic link.
fn path(text: &str) -> Result<String, ConvertError> {
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    // A path ends at its first NUL byte for the kernel, which would then use another file.
    if !text.starts_with('/') || text.contains('\0') || parts.contains(&"..") {
        return Err(ConvertError::new("a path", "an absolute path without .., such as /srv/web"));
    }
    Ok(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests;
