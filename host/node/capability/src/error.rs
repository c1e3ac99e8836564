//! Why a capability function failed: `capability-error` of the contract, case for case.

use std::io;

use grant::PermitDenial;

/// Why a capability function failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No grant covers the call; the text is the line that would.
    #[error("denied: {0}")]
    Denied(String),
    /// What was named does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The call's own timeout or the action's deadline has passed.
    #[error("timed out")]
    TimedOut,
    /// The action was given up.
    #[error("interrupted")]
    Cancelled,
    /// An argument makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The kernel refused.
    #[error("{text}: {}", words(*errno))]
    Os {
        /// errno(3).
        errno: i32,
        /// What was being done, without errno(3)'s own words.
        text: String,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// What `doing` met: an errno keeps its number, whatever else its words.
    pub fn io(doing: &str, error: &io::Error) -> Error {
        match error.raw_os_error() {
            Some(errno) => Error::Os { errno, text: doing.to_owned() },
            None => Error::Other(format!("{doing}: {error}")),
        }
    }
}

/// What strerror(3) says.
fn words(errno: i32) -> String {
    let error = io::Error::from_raw_os_error(errno).to_string();
    error.split(" (os error").next().unwrap_or_default().to_owned()
}

impl From<PermitDenial> for Error {
    fn from(denied: PermitDenial) -> Error {
        Error::Denied(denied.line)
    }
}
