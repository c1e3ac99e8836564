//! Whether what a provision makes exists.

use std::fmt;
use std::str::FromStr;

/// Whether what provisioning makes exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provisioned {
    /// It exists.
    True,
    /// It does not.
    False,
    /// A part of it does.
    Mixed,
    /// There is nothing to provision.
    Na,
    /// Not known.
    Undef,
}

impl Provisioned {
    /// Every value.
    pub const ALL: [Provisioned; 5] =
        [Provisioned::True, Provisioned::False, Provisioned::Mixed, Provisioned::Na, Provisioned::Undef];

    /// As printed: `true`, `false`, `mixed`, `n/a`, `undef`.
    pub fn as_str(self) -> &'static str {
        match self {
            Provisioned::True => "true",
            Provisioned::False => "false",
            Provisioned::Mixed => "mixed",
            Provisioned::Na => "n/a",
            Provisioned::Undef => "undef",
        }
    }
}

impl fmt::Display for Provisioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a provisioned state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a provisioned state: expected true, false, mixed, n/a or undef")]
pub struct InvalidProvisioned(pub String);

impl FromStr for Provisioned {
    type Err = InvalidProvisioned;

    fn from_str(s: &str) -> Result<Provisioned, InvalidProvisioned> {
        Provisioned::ALL.into_iter().find(|value| value.as_str() == s).ok_or_else(|| InvalidProvisioned(s.to_owned()))
    }
}
