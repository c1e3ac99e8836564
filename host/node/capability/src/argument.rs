//! The arguments of a driver's call, checked before anybody is asked for a permit; and the kernel's errors, told on.

use std::path::{Component, Path, PathBuf};

use crate::Error;

/// An absolute path in its one spelling: no `..`, no `.`, no `//`, no `/` at its end, no NUL. Grants compare paths by
/// their components, so there must not be two ways to write one.
pub(crate) fn absolute(path: &str) -> Result<PathBuf, Error> {
    let invalid = |reason: &str| Err(Error::Invalid(format!("{path:?} {reason}")));
    let parsed = Path::new(path);
    if !parsed.is_absolute() {
        return invalid("is no absolute path");
    }
    if path.contains('\0') {
        return invalid("holds a NUL");
    }
    if parsed.components().any(|component| component == Component::ParentDir) {
        return invalid("holds `..`");
    }
    let plain: PathBuf = parsed.components().collect();
    if plain.as_os_str() != path {
        return invalid("is not in its plain form: it holds `.`, `//` or a `/` at its end");
    }
    Ok(plain)
}

impl From<kernel::Error> for Error {
    fn from(error: kernel::Error) -> Error {
        match (error.errno(), error) {
            // Without errno(3)'s own words: whoever shows the error adds them from the number.
            (Some(errno), error) => Error::Os { errno, text: error.to_string() },
            (None, kernel::Error::NotFound(path)) => Error::NotFound(path.display().to_string()),
            (None, error) => Error::Invalid(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for good in ["/", "/srv", "/srv/web.img", "/srv/..data", "/a b"] {
            assert_eq!(absolute(good).unwrap(), Path::new(good));
        }
        for bad in ["", "srv", "./srv", "/srv/", "/srv//web", "/srv/./web", "/srv/../etc", "/..", "/a\0b", "//srv"] {
            assert!(matches!(absolute(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }
}
