//! Why a request to an engine failed.

use std::path::{Path, PathBuf};

use hostler_sdk::errno::ECONNREFUSED;
use hostler_sdk::{CapabilityError, Error};

/// Why a request to an engine failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// There is no socket.
    #[error("there is no container engine at {}: start it, or name its socket with the keyword socket", .0.display())]
    Missing(PathBuf),
    /// There is a socket, and nobody listens on it.
    #[error("no container engine listens on {}: start it again", .0.display())]
    Silent(PathBuf),
    /// The engine does not speak any version of its interface that this does.
    #[error("the container engine at {} is too old: it speaks {found}, needed is {}", socket.display(), super::client::OLDEST)]
    TooOld {
        /// Where it listens.
        socket: PathBuf,
        /// What it speaks.
        found: String,
    },
    /// The engine said no.
    #[error("{doing}: {message}")]
    Refused {
        /// What was asked for.
        doing: String,
        /// The status of HTTP.
        status: u16,
        /// Its reason.
        message: String,
    },
    /// The engine's answer makes no sense.
    #[error("{doing}: the engine's answer cannot be understood: {why}")]
    Unreadable {
        /// What was asked for.
        doing: String,
        /// What is wrong with it.
        why: String,
    },
    /// The request did not get there, or no answer came back.
    #[error("{doing}: {error}")]
    Capability {
        /// What was asked for.
        doing: String,
        /// Why.
        error: CapabilityError,
    },
}

impl EngineError {
    /// Of a request that did not get there.
    pub(crate) fn of(socket: &Path, doing: &str, error: CapabilityError) -> EngineError {
        if error.is_not_found() {
            return EngineError::Missing(socket.to_owned());
        }
        if error.errno() == Some(ECONNREFUSED) {
            return EngineError::Silent(socket.to_owned());
        }
        EngineError::Capability { doing: doing.to_owned(), error }
    }

    /// Whether there is no engine to talk to.
    pub fn is_absent(&self) -> bool {
        matches!(self, EngineError::Missing(_) | EngineError::Silent(_))
    }

    /// Whether an engine that is about to run, or about to end, may fail like this.
    pub fn is_passing(&self) -> bool {
        self.is_absent() || (matches!(self, EngineError::Capability { .. }) && !self.is_denied())
    }

    /// Whether the engine said that what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, EngineError::Refused { status: 404, .. })
    }

    /// Whether a registry wants other credentials, as engines hand on what it said.
    pub fn is_unauthorized(&self) -> bool {
        const WORDS: [&str; 4] = ["unauthorized", "authentication required", "no basic auth", "pull access denied"];
        let EngineError::Refused { message, .. } = self else { return false };
        WORDS.iter().any(|words| message.contains(words))
    }

    /// Whether the request is not allowed, which says nothing about the engine.
    pub fn is_denied(&self) -> bool {
        matches!(self, EngineError::Capability { error: CapabilityError::Denied(_), .. })
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Error {
        match error {
            EngineError::Missing(_) | EngineError::Silent(_) => Error::Retryable(error.to_string()),
            EngineError::Capability { error, doing } => Error::from(error).while_doing(doing),
            _ => Error::Failed(error.to_string()),
        }
    }
}
