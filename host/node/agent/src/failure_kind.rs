//! What kind of failure each error is to a client. The edges have one table each of what a kind becomes: an exit code, an
//! HTTP status.

use exec::journal::JournalError;
use exec::{ActionEnding, ExecutionRefusal};
use protocol::{EndingDocument, FailureKind};

use crate::action::ActError;
use crate::console::ConsoleError;
use crate::datastore::DataStoreError;
use crate::edit::{ConfigError, DeleteError};
use crate::fence::FenceError;
use crate::file::lock::LockError;
use crate::object::ObjectError;
use crate::policy::PolicyChangeError;
use crate::process_group::ProcessGroupError;

impl ActError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            ActError::Object(error) => error.kind(),
            ActError::NotHere { .. } => FailureKind::NotHere,
            ActError::Lock(LockError::Busy(_)) | ActError::RunGoesOn { .. } => FailureKind::Busy,
            ActError::Refused(ExecutionRefusal(JournalError::Held(_))) => FailureKind::Busy,
            _ => FailureKind::Failed,
        }
    }
}

impl ObjectError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            ObjectError::Missing(_) => FailureKind::NoMatch,
            _ => FailureKind::Failed,
        }
    }
}

impl ConsoleError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            ConsoleError::Object(error) => error.kind(),
            _ => FailureKind::Failed,
        }
    }
}

impl FenceError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            FenceError::Object(error) => error.kind(),
            FenceError::None(_) => FailureKind::NoMatch,
            FenceError::Own(_) => FailureKind::Invalid,
            FenceError::Configuration(_) => FailureKind::Failed,
        }
    }
}

impl DataStoreError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            DataStoreError::Object(error) => error.kind(),
            DataStoreError::NoStore(_) => FailureKind::NotSupported,
            _ => FailureKind::Failed,
        }
    }
}

impl ConfigError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            ConfigError::Object(error) => error.kind(),
            _ => FailureKind::Failed,
        }
    }
}

impl DeleteError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            DeleteError::Lock(_, LockError::Busy(_)) => FailureKind::Busy,
            DeleteError::Status(error) => error.kind(),
            DeleteError::Object(error) => error.kind(),
            DeleteError::Config(error) => error.kind(),
            DeleteError::Lock(_, LockError::File(_)) | DeleteError::Used { .. } | DeleteError::Held { .. } => {
                FailureKind::Failed
            }
        }
    }
}

impl PolicyChangeError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            PolicyChangeError::Unknown(_) => FailureKind::NoMatch,
            _ => FailureKind::Failed,
        }
    }
}

impl ProcessGroupError {
    /// The kind of failure that this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            ProcessGroupError::NoControlGroups => FailureKind::NotSupported,
            ProcessGroupError::Name(_) | ProcessGroupError::Join(..) => FailureKind::Failed,
        }
    }
}

/// How an action ended, as a document.
pub fn ending(ending: &ActionEnding) -> EndingDocument {
    match ending {
        ActionEnding::Done => EndingDocument::Done,
        ActionEnding::Failed(rids) => EndingDocument::Failed { rids: rids.clone() },
        ActionEnding::TimedOut(rid) => EndingDocument::TimedOut { rid: rid.clone() },
        ActionEnding::Unsupported(rids) => EndingDocument::Unsupported { rids: rids.clone() },
        ActionEnding::Interrupted => EndingDocument::Interrupted,
    }
}
