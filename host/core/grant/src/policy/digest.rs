//! The digest of a driver's component, by which a site names the one version that it trusts.

use std::fmt;
use std::str::FromStr;

/// The sha256 of a driver's component: `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComponentDigest(String);

/// The text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a digest: expected sha256: and 64 hexadecimal digits in lower case")]
pub struct DigestError(pub String);

impl FromStr for ComponentDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<ComponentDigest, DigestError> {
        // Lower case alone, so that digests compare as text.
        let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        match text.strip_prefix("sha256:") {
            Some(digits) if digits.len() == 64 && digits.chars().all(hexadecimal) => {
                Ok(ComponentDigest(text.to_owned()))
            }
            _ => Err(DigestError(text.to_owned())),
        }
    }
}

impl ComponentDigest {
    /// The first digits, which people compare.
    pub fn short(&self) -> &str {
        self.0.get("sha256:".len()..).and_then(|digits| digits.get(..12)).unwrap_or(&self.0)
    }
}

impl fmt::Display for ComponentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
