//! Exit codes: the one table of them. Every command ends with one of these.
//!
//! | code | meaning |
//! |---:|---|
//! | 0 | it succeeded |
//! | 1 | it failed |
//! | 2 | there is no such object, or nothing matches |
//! | 3 | the object has no instance here |
//! | 4 | it is not built, not supported by a driver, or makes no sense for this kind of object |
//! | 5 | another action is running |
//! | 6 | the action was interrupted, or the order given up |
//! | 7 | the action took too long |

use std::process::ExitCode;

use protocol::daemon::OrderState;
use protocol::{EndingDocument, FailureKind, RequestFailure};

use crate::words::Target;

/// The exit code of a command that a signal ended.
pub(crate) const INTERRUPTED: u8 = 6;

/// The exit code of a command that waited in vain.
pub(crate) const TIMED_OUT: u8 = 7;

/// The exit code of a failure of that kind.
pub(crate) fn of_failure(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Failed | FailureKind::Invalid | FailureKind::Denied => 1,
        FailureKind::NoMatch => 2,
        FailureKind::NotHere => 3,
        FailureKind::NotSupported => 4,
        FailureKind::Busy => 5,
    }
}

/// The exit code of an action with that ending.
pub(crate) fn of_ending(ending: &EndingDocument) -> u8 {
    match ending {
        EndingDocument::Done => 0,
        EndingDocument::Failed { .. } => 1,
        EndingDocument::Unsupported { .. } => 4,
        EndingDocument::Interrupted => INTERRUPTED,
        EndingDocument::TimedOut { .. } => TIMED_OUT,
    }
}

/// The exit code of a command that waited for an order.
pub(crate) fn of_order(state: OrderState) -> u8 {
    match state {
        OrderState::Done | OrderState::Running => 0,
        OrderState::Failed => 1,
        OrderState::Aborted | OrderState::Superseded => INTERRUPTED,
        OrderState::Expired => TIMED_OUT,
    }
}

/// The worse of two exit codes, where a command acts on several objects: the first that is not a success.
pub(crate) fn worse(so_far: u8, next: u8) -> u8 {
    // Not the higher one: the codes name reasons, and their order means nothing.
    if so_far == 0 { next } else { so_far }
}

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) error: anyhow::Error,
}

/// The exit code of a command, or the reason why it failed.
pub(crate) type Outcome = Result<ExitCode, Failure>;

impl Failure {
    pub(crate) fn new(kind: FailureKind, error: impl Into<anyhow::Error>) -> Failure {
        Failure { kind, error: error.into() }
    }

    /// A failure that has only a message.
    pub(crate) fn failed(text: impl Into<String>) -> Failure {
        Failure::message(FailureKind::Failed, text)
    }

    pub(crate) fn message(kind: FailureKind, text: impl Into<String>) -> Failure {
        Failure { kind, error: anyhow::Error::msg(text.into()) }
    }

    pub(crate) fn no_match(target: &Target) -> Failure {
        Failure::message(FailureKind::NoMatch, format!("no match: {target} (om '*' ls lists all objects)"))
    }

    pub(crate) fn not_supported(what: &str) -> Failure {
        Failure::message(FailureKind::NotSupported, format!("{what}: not supported here"))
    }

    /// The same failure, with what was being done in front of its message.
    pub(crate) fn context(self, doing: String) -> Failure {
        Failure { error: self.error.context(doing), ..self }
    }
}

/// Every other error is a plain failure.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure { kind: FailureKind::Failed, error }
    }
}

/// A failure that an API sent.
impl From<RequestFailure> for Failure {
    fn from(failure: RequestFailure) -> Failure {
        Failure::message(failure.kind, failure.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_and_every_ending_has_an_exit_code() {
        let kinds = FailureKind::ALL.map(of_failure);
        assert_eq!(kinds, [1, 2, 3, 4, 5, 1, 1]);
        let rid = || "fs#1".parse().unwrap();
        let endings = [
            EndingDocument::Done,
            EndingDocument::Failed { rids: vec![rid()] },
            EndingDocument::Unsupported { rids: vec![rid()] },
            EndingDocument::Interrupted,
            EndingDocument::TimedOut { rid: rid() },
        ];
        assert_eq!(endings.map(|ending| of_ending(&ending)), [0, 1, 4, 6, 7]);
        assert_eq!(OrderState::ALL.map(of_order), [0, 0, 1, 6, 6, 7]);
    }

    #[test]
    fn of_several_exit_codes_the_first_bad_one_counts() {
        assert_eq!([0, 3, 1].into_iter().fold(0, worse), 3);
    }
}
