//! Why a daemon could not be asked, or did not do what it was asked.

use std::path::PathBuf;
use std::time::Duration;

use protocol::{FailureKind, RequestFailure};

/// Why a daemon could not be asked, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no daemon runs on this node: om daemon start")]
    NotRunning,
    /// It took the connection, and says nothing.
    #[error(
        "the daemon did not answer within {} s: om daemon log shows what it does, om daemon restart --force replaces it",
        .0.as_secs()
    )]
    Silent(Duration),
    /// It speaks another version of the API. The message says which of the two to upgrade.
    #[error("{0}")]
    OtherVersion(String),
    /// It refused, or failed.
    #[error("{}", .0.message)]
    Refused(RequestFailure),
    /// The user may not open the socket.
    #[error("{0}: only the user of the daemon may ask it")]
    NoAccess(PathBuf),
    #[error("cannot connect to {0}")]
    Connect(PathBuf, #[source] std::io::Error),
    /// No TLS client can be made of what was given.
    #[error("cannot ask {url}: {reason}")]
    Access { url: String, reason: String },
    /// Nothing answers there.
    #[error("cannot connect to {0}")]
    Unreachable(String, #[source] std::io::Error),
    /// What answers there does not prove to be the daemon that is meant.
    #[error("{url} is not trusted: {reason}")]
    Untrusted { url: String, reason: String },
    /// The daemon does not take the client's certificate.
    #[error("{url} refuses the client certificate: {reason} (om daemon cert create on the node makes a new one)")]
    Certificate { url: String, reason: String },
    /// It does not know who asks.
    #[error("{}", .0.message)]
    Unknown(RequestFailure),
    /// The connection ended within the conversation: most likely with the daemon.
    #[error("the daemon hung up: om daemon log shows why")]
    HungUp(#[source] hyper::Error),
    /// Something else listens there, or the two disagree.
    #[error("the answer of {0} cannot be read: is it the daemon of this version?")]
    Answer(String, #[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ClientError {
    /// Its kind, for the exit code of a command.
    pub fn kind(&self) -> FailureKind {
        match self {
            ClientError::Refused(failure) | ClientError::Unknown(failure) => failure.kind,
            ClientError::NoAccess(_) | ClientError::Untrusted { .. } | ClientError::Certificate { .. } => {
                FailureKind::Denied
            }
            ClientError::OtherVersion(_) => FailureKind::NotSupported,
            _ => FailureKind::Failed,
        }
    }

    /// Whether the daemon may have done what it was asked all the same.
    pub fn is_doubtful(&self) -> bool {
        matches!(self, ClientError::HungUp(_) | ClientError::Silent(_) | ClientError::Answer(..))
    }

    /// Whether a daemon that is started again may answer what this one did not.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            ClientError::NotRunning | ClientError::Unreachable(..) | ClientError::HungUp(_) | ClientError::Silent(_)
        )
    }
}
