//! The requests in a driver's manifest.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::line::grant_line::GrantLine;
use crate::line::origin::LineOrigin;

/// One line of the grants that a manifest requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRequest(pub(crate) GrantLine);

/// A line of a manifest is not a grant line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of the grant {line:?}: {reason}")]
pub struct GrantRequestError {
    pub line: String,
    /// In characters, counted from 1.
    pub column: usize,
    pub reason: String,
}

impl GrantRequest {
    /// Reads one line.
    pub fn parse(line: &str) -> Result<GrantRequest, GrantRequestError> {
        match GrantLine::parse(line, 1, LineOrigin::Request) {
            Ok(line) => Ok(GrantRequest(line)),
            Err(fault) => Err(GrantRequestError { line: line.to_owned(), column: fault.column, reason: fault.reason }),
        }
    }

    /// The line as the manifest writes it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The keywords that it names. The loader checks that the manifest defines them.
    pub fn keywords(&self) -> BTreeSet<String> {
        self.0.keywords()
    }
}

impl FromStr for GrantRequest {
    type Err = GrantRequestError;

    fn from_str(line: &str) -> Result<GrantRequest, GrantRequestError> {
        GrantRequest::parse(line)
    }
}

impl fmt::Display for GrantRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
