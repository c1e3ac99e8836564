//! Exit codes. The one table of them.

use std::process::ExitCode;

use agent::ActError;
use agent::file::lock::LockError;
use agent::object::ObjectError;
use exec::ActionEnding;
use exec::journal::JournalError;

use crate::words::Target;

/// It failed.
pub(crate) const FAILED: u8 = 1;
/// There is no such object, or nothing matches.
pub(crate) const NO_MATCH: u8 = 2;
/// The object has no instance here.
pub(crate) const NOT_HERE: u8 = 3;
/// It is not built, or makes no sense for this kind of object.
pub(crate) const NOT_SUPPORTED: u8 = 4;
/// Another action is under way.
pub(crate) const BUSY: u8 = 5;
/// The action was interrupted.
pub(crate) const INTERRUPTED: u8 = 6;
/// The action took too long.
pub(crate) const TIMED_OUT: u8 = 7;

/// The exit code of an action that ended so.
pub(crate) fn of_ending(ending: &ActionEnding) -> u8 {
    match ending {
        ActionEnding::Done => 0,
        ActionEnding::Failed(_) => FAILED,
        ActionEnding::Unsupported(_) => NOT_SUPPORTED,
        ActionEnding::Interrupted => INTERRUPTED,
        ActionEnding::TimedOut(_) => TIMED_OUT,
    }
}

/// Why a command failed, and with which exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) error: anyhow::Error,
}

/// What a command comes to: an exit code.
pub(crate) type Outcome = Result<ExitCode, Failure>;

impl Failure {
    pub(crate) fn new(code: u8, text: impl Into<String>) -> Failure {
        Failure { code, error: anyhow::Error::msg(text.into()) }
    }

    pub(crate) fn no_match(target: &Target) -> Failure {
        Failure::new(NO_MATCH, format!("no match: {target}"))
    }

    pub(crate) fn not_supported(what: &str) -> Failure {
        Failure::new(NOT_SUPPORTED, format!("{what}: not supported here"))
    }
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Failure {
        let code = match &error {
            ActError::Object(ObjectError::Missing(_)) => NO_MATCH,
            ActError::NotHere { .. } => NOT_HERE,
            ActError::Lock(LockError::Busy(_)) => BUSY,
            ActError::Refused(exec::ExecutionRefusal(JournalError::Held(_))) => BUSY,
            _ => FAILED,
        };
        Failure { code, error: error.into() }
    }
}

impl From<ObjectError> for Failure {
    fn from(error: ObjectError) -> Failure {
        let code = if matches!(error, ObjectError::Missing(_)) { NO_MATCH } else { FAILED };
        Failure { code, error: error.into() }
    }
}

/// Every other error is a plain failure. `?` works on all of them: [`anyhow`] is the way in.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure { code: FAILED, error }
    }
}

/// The worse of two exit codes, where a command acts on several objects: the first that is no success.
pub(crate) fn worse(so_far: u8, next: u8) -> u8 {
    if so_far == 0 { next } else { so_far }
}
