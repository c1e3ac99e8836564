//! Names of subsets: the resources of a group that act together.

use std::fmt;
use std::str::FromStr;

/// The name of a subset, such as `web` in `[subset#app:web]`. It is also part of the name of a control group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubsetName(String);

impl SubsetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubsetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is not the name of a subset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected letters, digits, - _ and ., such as web")]
pub struct InvalidSubsetName;

impl FromStr for SubsetName {
    type Err = InvalidSubsetName;

    fn from_str(s: &str) -> Result<SubsetName, InvalidSubsetName> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        // A letter or digit first: the name becomes part of a path among the control groups.
        let fits = s.starts_with(|c: char| c.is_ascii_alphanumeric()) && s.chars().all(legal);
        if fits { Ok(SubsetName(s.to_owned())) } else { Err(InvalidSubsetName) }
    }
}
