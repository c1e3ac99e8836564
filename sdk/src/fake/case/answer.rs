//! The result of the last call of a driver, which the assertions of a case look at.

use std::fmt::Debug;

use crate::{Attachment, Error, FenceReport, Outcome, Problem, Result, RunReport, State, Status, TargetReport};

/// The result of the last call.
pub(super) enum LastAnswer {
    Nothing,
    Action(&'static str, Result<Outcome>),
    Status(Result<Status>),
    Problems(Result<Vec<Problem>>),
    Run(Result<RunReport>),
    Sync(Result<Vec<TargetReport>>),
    Console(Result<Attachment>),
    Fence(Result<FenceReport>),
}

impl LastAnswer {
    pub(super) fn error(&self) -> Option<&Error> {
        match self {
            LastAnswer::Nothing => None,
            LastAnswer::Action(_, answer) => answer.as_ref().err(),
            LastAnswer::Status(answer) => answer.as_ref().err(),
            LastAnswer::Problems(answer) => answer.as_ref().err(),
            LastAnswer::Run(answer) => answer.as_ref().err(),
            LastAnswer::Sync(answer) => answer.as_ref().err(),
            LastAnswer::Console(answer) => answer.as_ref().err(),
            LastAnswer::Fence(answer) => answer.as_ref().err(),
        }
    }

    #[track_caller]
    pub(super) fn unexpected(&self, expected: &str) -> ! {
        let found: &dyn Debug = match self {
            LastAnswer::Nothing => &"nothing yet",
            LastAnswer::Action(_, answer) => answer,
            LastAnswer::Status(answer) => answer,
            LastAnswer::Problems(answer) => answer,
            LastAnswer::Run(answer) => answer,
            LastAnswer::Sync(answer) => answer,
            LastAnswer::Console(answer) => answer,
            LastAnswer::Fence(answer) => answer,
        };
        panic!("expected {expected}, found {found:?}")
    }
}

/// The word that the host prints for a state.
pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::Up => "up",
        State::Down => "down",
        State::Warn => "warn",
        State::NotApplicable => "n/a",
        State::Undefined => "undef",
    }
}
