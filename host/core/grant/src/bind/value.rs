//! Which values a keyword may have at each kind of place in a line.

use crate::bind::binder::WordUse;
use crate::line::path_glob::components_of;

/// Accepts a value that is a whole path.
pub(super) fn check_absolute(value: &str) -> Result<(), &'static str> {
    match components_of(value.as_ref()) {
        None => Err("expected an absolute path without empty components, . or .., and without a slash at its end"),
        Some(components) if components.is_empty() => Err("the root directory is never granted by a keyword"),
        Some(_) => Ok(()),
    }
}

/// Accepts a value that is one component of a path.
pub(super) fn check_component(value: &str) -> Result<(), &'static str> {
    match value {
        "" | "." | ".." => Err("expected a name"),
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
