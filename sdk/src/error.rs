//! The errors of capabilities and of actions, and the conversion of the first into the second.

use crate::bindings::hostler::driver::types as wit;
use crate::{Problem, errno};

/// The result of a driver's function.
pub type Result<T> = std::result::Result<T, Error>;

/// The error of an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The configuration cannot work: the action fails until the configuration is edited.
    #[error("{0}")]
    InvalidConfig(String),
    /// The driver does not have this action.
    #[error("not supported by this driver")]
    Unsupported,
    /// A capability was denied. The text is the missing grant line.
    #[error("denied: needs the grant {0}")]
    NeedsGrant(String),
    /// A temporary failure, such as a busy device or a cloud's rate limit.
    #[error("{0}")]
    Retryable(String),
    /// Any other failure.
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// An error of the configuration.
    pub fn invalid_config(text: impl Into<String>) -> Error {
        Error::InvalidConfig(text.into())
    }

    /// A temporary failure.
    pub fn retryable(text: impl Into<String>) -> Error {
        Error::Retryable(text.into())
    }

    /// Any other failure.
    pub fn failed(text: impl Into<String>) -> Error {
        Error::Failed(text.into())
    }

    /// The same error with `doing` in front of its text: `cannot resize /dev/vg/lv: …`. A missing grant stays as it is.
    pub fn while_doing(self, doing: impl std::fmt::Display) -> Error {
        match self {
            Error::InvalidConfig(text) => Error::InvalidConfig(format!("{doing}: {text}")),
            Error::Retryable(text) => Error::Retryable(format!("{doing}: {text}")),
            Error::Failed(text) => Error::Failed(format!("{doing}: {text}")),
            // The text of a missing grant is a grant line, which words in front of it would spoil.
            Error::Unsupported | Error::NeedsGrant(_) => self,
        }
    }
}

/// The error of a capability. `?` converts it to the action's [`Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// No grant covers the call. The text is the grant line that would cover it.
    #[error("denied: needs the grant {0}")]
    Denied(String),
    /// The named thing does not exist.
    #[error("{0}: not found")]
    NotFound(String),
    /// The call's own timeout or the action's deadline has passed.
    #[error("timed out")]
    TimedOut,
    /// The caller interrupted the action.
    #[error("interrupted")]
    Cancelled,
    /// An argument is invalid.
    #[error("{0}")]
    Invalid(String),
    /// The kernel refused the call.
    #[error("{doing}: {}", errno::describe(*.errno))]
    Os {
        /// The kernel's error number, see [`errno`].
        errno: i32,
        /// The operation that failed.
        doing: String,
    },
    /// Any other error.
    #[error("{0}")]
    Other(String),
}

impl CapabilityError {
    /// The kernel's error number, if the kernel refused the call.
    pub fn errno(&self) -> Option<i32> {
        match self {
            CapabilityError::Os { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// Whether the thing to be released is still in use.
    pub fn is_busy(&self) -> bool {
        self.errno() == Some(errno::EBUSY)
    }

    /// Whether the named thing does not exist.
    pub fn is_not_found(&self) -> bool {
        // Some capabilities look the thing up themselves, others pass on what the kernel says.
        matches!(self, CapabilityError::NotFound(_)) || self.errno() == Some(errno::ENOENT)
    }
}

/// A keyword that cannot work fails the action as it fails `validate`.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error::InvalidConfig(format!("{}: {}", problem.keyword, problem.text))
    }
}

impl From<CapabilityError> for Error {
    fn from(error: CapabilityError) -> Error {
        match error {
            CapabilityError::Denied(line) => Error::NeedsGrant(line),
            CapabilityError::TimedOut => Error::Retryable(error.to_string()),
            // A busy device or an exhausted resource may be free at the next try. Other errors of the kernel stay.
            CapabilityError::Os { errno: errno::EBUSY | errno::EAGAIN, .. } => Error::Retryable(error.to_string()),
            // Cancelled is among these: an operator who interrupts an action does not want it to be tried again.
            _ => Error::Failed(error.to_string()),
        }
    }
}

impl From<wit::CapabilityError> for CapabilityError {
    fn from(error: wit::CapabilityError) -> CapabilityError {
        match error {
            wit::CapabilityError::Denied(line) => CapabilityError::Denied(line),
            wit::CapabilityError::NotFound(what) => CapabilityError::NotFound(what),
            wit::CapabilityError::TimedOut => CapabilityError::TimedOut,
            wit::CapabilityError::Cancelled => CapabilityError::Cancelled,
            wit::CapabilityError::Invalid(text) => CapabilityError::Invalid(text),
            // A case of a WIT variant has one payload, hence the tuple.
            wit::CapabilityError::Os((errno, doing)) => CapabilityError::Os { errno, doing },
            wit::CapabilityError::Other(text) => CapabilityError::Other(text),
        }
    }
}

impl From<CapabilityError> for wit::CapabilityError {
    fn from(error: CapabilityError) -> wit::CapabilityError {
        match error {
            CapabilityError::Denied(line) => wit::CapabilityError::Denied(line),
            CapabilityError::NotFound(what) => wit::CapabilityError::NotFound(what),
            CapabilityError::TimedOut => wit::CapabilityError::TimedOut,
            CapabilityError::Cancelled => wit::CapabilityError::Cancelled,
            CapabilityError::Invalid(text) => wit::CapabilityError::Invalid(text),
            CapabilityError::Os { errno, doing } => wit::CapabilityError::Os((errno, doing)),
            CapabilityError::Other(text) => wit::CapabilityError::Other(text),
        }
    }
}

impl From<Error> for wit::ActionError {
    fn from(error: Error) -> wit::ActionError {
        match error {
            Error::InvalidConfig(text) => wit::ActionError::InvalidConfig(text),
            Error::Unsupported => wit::ActionError::Unsupported,
            Error::NeedsGrant(line) => wit::ActionError::NeedsGrant(line),
            Error::Retryable(text) => wit::ActionError::Retryable(text),
            Error::Failed(text) => wit::ActionError::Failed(text),
        }
    }
}
