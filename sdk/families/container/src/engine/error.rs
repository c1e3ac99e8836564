//! The errors of requests to an engine.

use std::path::{Path, PathBuf};

use hostler_sdk::errno::ECONNREFUSED;
use hostler_sdk::{CapabilityError, Error};

/// The error of a request to an engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The socket does not exist.
    #[error("there is no container engine at {}: start it, or name its socket with the keyword socket", .0.display())]
    Missing(PathBuf),
    /// The socket exists, but no engine listens on it.
    #[error("no container engine listens on {}: start it again", .0.display())]
    Silent(PathBuf),
    /// The engine supports no version of the API that this client supports.
    #[error("the container engine at {} is too old: it supports version {found}, and {} is needed", socket.display(), super::client::OLDEST)]
    TooOld {
        /// The socket of the engine.
        socket: PathBuf,
        /// The version that it supports.
        found: String,
    },
    /// The engine refused the request.
    #[error("{doing}: {message}")]
    Refused {
        /// The failed operation, in words.
        doing: String,
        /// The HTTP status.
        status: u16,
        /// The engine's reason.
        message: String,
    },
    /// The engine's response is invalid.
    #[error("{doing}: the engine's answer cannot be understood: {why}")]
    Unreadable {
        /// The failed operation, in words.
        doing: String,
        /// The reason why it is invalid.
        why: String,
    },
    /// The request could not be sent, or there was no response.
    #[error("{doing}: {error}")]
    Capability {
        /// The failed operation, in words.
        doing: String,
        /// The error of the capability.
        error: CapabilityError,
    },
}

impl EngineError {
    /// The error of a request that could not be sent.
    pub(crate) fn of(socket: &Path, doing: &str, error: CapabilityError) -> EngineError {
        if error.is_not_found() {
            return EngineError::Missing(socket.to_owned());
        }
        // The socket of a stopped engine may remain: connecting to it is refused.
        if error.errno() == Some(ECONNREFUSED) {
            return EngineError::Silent(socket.to_owned());
        }
        EngineError::Capability { doing: doing.to_owned(), error }
    }

    /// Whether no engine listens on the socket.
    pub fn is_absent(&self) -> bool {
        matches!(self, EngineError::Missing(_) | EngineError::Silent(_))
    }

    /// Whether an engine that is starting or stopping may cause this error.
    pub fn is_passing(&self) -> bool {
        self.is_absent() || (matches!(self, EngineError::Capability { .. }) && !self.is_denied())
    }

    /// Whether the engine reported that the container or image does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, EngineError::Refused { status: 404, .. })
    }

    /// Whether a registry refused the credentials. Engines pass on its text, without a code.
    pub fn is_unauthorized(&self) -> bool {
        const WORDS: [&str; 4] = ["unauthorized", "authentication required", "no basic auth", "pull access denied"];
        let EngineError::Refused { message, .. } = self else { return false };
        WORDS.iter().any(|words| message.contains(words))
    }

    /// Whether the operator interrupted the action.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, EngineError::Capability { error: CapabilityError::Cancelled, .. })
    }

    /// Whether a grant is missing, which says nothing about the engine.
    pub fn is_denied(&self) -> bool {
        matches!(self, EngineError::Capability { error: CapabilityError::Denied(_), .. })
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Error {
        match error {
            // Retryable: the engine may be starting, or about to be started by the operator.
            EngineError::Missing(_) | EngineError::Silent(_) => Error::Retryable(error.to_string()),
            EngineError::Capability { error, doing } => Error::from(error).while_doing(doing),
            _ => Error::Failed(error.to_string()),
        }
    }
}
