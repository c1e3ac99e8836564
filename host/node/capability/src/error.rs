//! The error of a capability function: `capability-error` of the contract, case for case.

use std::io;

use grant::PermitDenial;

/// The error of a capability function. Each variant becomes the variant of the same name in the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    /// No grant covers the call. The text is the grant line that would.
    #[error("denied: {0}")]
    Denied(String),
    /// The named thing does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The timeout of this call or the deadline of the action has passed.
    #[error("timed out")]
    TimedOut,
    /// The action was given up.
    #[error("interrupted")]
    Cancelled,
    /// An argument makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The kernel refused a system call.
    #[error("{text}: {}", words(*errno))]
    Os {
        /// errno(3).
        errno: i32,
        /// The operation that failed, without the words of strerror(3), which the reader adds from the number.
        text: String,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl CapabilityError {
    /// The error of an I/O operation, which `doing` describes. An error of the kernel keeps its number, any other one its
    /// text.
    pub fn io(doing: &str, error: &io::Error) -> CapabilityError {
        match error.raw_os_error() {
            Some(errno) => CapabilityError::Os { errno, text: doing.to_owned() },
            None => CapabilityError::Other(format!("{doing}: {error}")),
        }
    }
}

/// The words of strerror(3).
fn words(errno: i32) -> String {
    let error = io::Error::from_raw_os_error(errno).to_string();
    // std appends the number, which the contract passes on by itself.
    error.split(" (os error").next().unwrap_or_default().to_owned()
}

impl From<PermitDenial> for CapabilityError {
    fn from(denied: PermitDenial) -> CapabilityError {
        CapabilityError::Denied(denied.line)
    }
}
