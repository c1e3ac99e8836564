//! Which values a keyword may have at each kind of place in a line.

use crate::line::path_glob::components_of;

/// The use of a word, which decides the values that a keyword may have there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordUse {
    /// Text without a `/`, such as the name of an interface.
    Name,
    /// The source of a mount: a path, or any text.
    Source,
    /// An argument of a program.
    Argument,
    /// Text that cannot name a device, such as an address.
    Text,
}

/// Accepts a value that is a whole path.
pub(super) fn check_absolute(value: &str) -> Result<(), &'static str> {
    match components_of(value.as_ref()) {
        None => Err("expected an absolute path without empty components, . or .., and without a slash at its end"),
        // `/` in a keyword is a mistake far more often than a wish, and would grant everything below.
        Some(components) if components.is_empty() => Err("the root directory is never granted by a keyword"),
        Some(_) => Ok(()),
    }
}

/// Accepts a value that is one component of a path.
pub(super) fn check_component(value: &str) -> Result<(), &'static str> {
    match value {
        "" | "." | ".." => Err("expected a name"),
        // A slash would make it more than one component, and lead out of the directory that the line names.
        value if value.contains(['/', '\0']) => Err("expected a name without a slash"),
        _ => Ok(()),
    }
}

/// Accepts a value that is a whole word of this use.
pub(super) fn check_word_value(value: &str, word_use: WordUse) -> Result<(), &'static str> {
    match word_use {
        WordUse::Name => check_component(value),
        WordUse::Source if value.is_empty() => Err("expected a source"),
        WordUse::Source if value.starts_with('/') => check_absolute(value),
        _ if value.contains('\0') => Err("it contains a zero byte"),
        _ => Ok(()),
    }
}
