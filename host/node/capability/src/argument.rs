//! Checks of a call's arguments before a permit is requested, and the conversion of kernel errors.

use std::path::{Component, Path, PathBuf};

use crate::CapabilityError;

/// PATH_MAX of the kernel.
const LONGEST_PATH: usize = 4096;

/// Accepts an absolute path in its one spelling: without `..`, `.`, `//`, a `/` at its end or a NUL. Grants compare paths by
/// their components, so there must not be two ways to write one.
pub(crate) fn absolute(path: &str) -> Result<PathBuf, CapabilityError> {
    // First, and without the path in the error: to look at a long one takes time and memory of the host.
    if path.len() > LONGEST_PATH {
        return Err(CapabilityError::Invalid(format!("a path has at most {LONGEST_PATH} bytes, not {}", path.len())));
    }
    let invalid = |reason: &str| Err(CapabilityError::Invalid(format!("{path:?} {reason}")));
    let parsed = Path::new(path);
    if !parsed.is_absolute() {
        return invalid("is not an absolute path");
    }
    if path.contains('\0') {
        return invalid("holds a NUL");
    }
    if parsed.components().any(|component| component == Component::ParentDir) {
        return invalid("holds `..`");
    }
    let plain: PathBuf = parsed.components().collect();
    // As texts: two `Path`s are equal whatever stands between their components.
    if plain.as_os_str() != path {
        return invalid("is not in its plain form: it holds `.`, `//` or a `/` at its end");
    }
    Ok(plain)
}

impl From<kernel::KernelError> for CapabilityError {
    fn from(error: kernel::KernelError) -> CapabilityError {
        match (error.errno(), error) {
            // Without the words of strerror(3): the code that shows the error adds them from the number.
            (Some(errno), error) => CapabilityError::Os { errno, text: error.to_string() },
            (None, kernel::KernelError::NotFound(path)) => CapabilityError::NotFound(path.display().to_string()),
            (None, error) => CapabilityError::Invalid(error.to_string()),
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
            assert!(matches!(absolute(bad), Err(CapabilityError::Invalid(_))), "{bad:?}");
        }
        let longest = format!("/{}", "x".repeat(LONGEST_PATH - 1));
        assert!(absolute(&longest).is_ok());
        let error = absolute(&(longest + "x")).unwrap_err().to_string();
        assert_eq!(error, "a path has at most 4096 bytes, not 4097");
    }
}
