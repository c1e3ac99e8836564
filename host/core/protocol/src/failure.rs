//! The reasons why requests fail. Each edge has one table of what a kind becomes there: an exit code, an HTTP status.

use serde::{Deserialize, Serialize};

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// None of the other kinds.
    Failed,
    /// There is no such object, or nothing matches.
    NoMatch,
    /// The object has no instance here.
    NotHere,
    /// It is not built, or makes no sense for this kind of object.
    NotSupported,
    /// Another action is running.
    Busy,
    /// The request itself cannot be read.
    Invalid,
    /// The user who asks has no right to it.
    Denied,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [FailureKind; 7] = [
        FailureKind::Failed,
        FailureKind::NoMatch,
        FailureKind::NotHere,
        FailureKind::NotSupported,
        FailureKind::Busy,
        FailureKind::Invalid,
        FailureKind::Denied,
    ];
}

/// A failure as it is sent: its kind, and the message with its causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFailure {
    pub kind: FailureKind,
    pub message: String,
}
