//! What a driver answers, without the secrets of the call: its texts reach statuses, errors, events of the daemon and hooks, none of
//! which knows the secrets any more.

use capability::Redactor;
use driver::{
    ActionError, ActionReport, DriverCall, DriverFault, FenceReport, KeywordProblem, RunReport, StatusReport,
    TargetReport,
};

/// The redactor of a call: the same secrets that its log and its audit are kept from.
pub(super) fn redactor_of(call: &DriverCall) -> Redactor {
    let secret = call.keywords.iter().filter(|keyword| keyword.secret);
    Redactor::new(secret.flat_map(|keyword| &keyword.values).chain(&call.secrets).cloned())
}

/// An answer whose texts can be shown.
pub(super) trait CoveredAnswer {
    /// The same without secrets.
    fn covered(self, redactor: &Redactor) -> Self;
}

impl CoveredAnswer for String {
    fn covered(self, redactor: &Redactor) -> String {
        redactor.redact(&self)
    }
}

/// The exit code of a console.
impl CoveredAnswer for i32 {
    fn covered(self, _: &Redactor) -> i32 {
        self
    }
}

impl<T: CoveredAnswer> CoveredAnswer for Vec<T> {
    fn covered(self, redactor: &Redactor) -> Vec<T> {
        self.into_iter().map(|one| one.covered(redactor)).collect()
    }
}

impl<T: CoveredAnswer> CoveredAnswer for Option<T> {
    fn covered(self, redactor: &Redactor) -> Option<T> {
        self.map(|one| one.covered(redactor))
    }
}

impl<T: CoveredAnswer> CoveredAnswer for Result<T, ActionError> {
    fn covered(self, redactor: &Redactor) -> Result<T, ActionError> {
        self.map(|answer| answer.covered(redactor)).map_err(|error| error.covered(redactor))
    }
}

impl CoveredAnswer for ActionError {
    fn covered(self, redactor: &Redactor) -> ActionError {
        match self {
            ActionError::InvalidConfig(text) => ActionError::InvalidConfig(text.covered(redactor)),
            ActionError::NeedsGrant { line, way_out } => {
                ActionError::NeedsGrant { line: line.covered(redactor), way_out: way_out.covered(redactor) }
            }
            ActionError::Retryable(text) => ActionError::Retryable(text.covered(redactor)),
            ActionError::Failed(text) => ActionError::Failed(text.covered(redactor)),
            ActionError::TimedOut(text) => ActionError::TimedOut(text.covered(redactor)),
            ActionError::Fault(DriverFault::Trap(text)) => DriverFault::Trap(text.covered(redactor)).into(),
            ActionError::Fault(DriverFault::Stuck(text)) => DriverFault::Stuck(text.covered(redactor)).into(),
            error @ (ActionError::Unsupported | ActionError::Cancelled | ActionError::Fault(_)) => error,
        }
    }
}

/// What it exposes and uses stays: other resources are joined to those very devices and namespaces.
impl CoveredAnswer for StatusReport {
    fn covered(mut self, redactor: &Redactor) -> StatusReport {
        self.label = self.label.covered(redactor);
        for message in &mut self.messages {
            message.text = redactor.redact(&message.text);
        }
        self
    }
}

impl CoveredAnswer for ActionReport {
    fn covered(self, redactor: &Redactor) -> ActionReport {
        ActionReport { result: self.result.covered(redactor), ..self }
    }
}

impl CoveredAnswer for KeywordProblem {
    fn covered(self, redactor: &Redactor) -> KeywordProblem {
        KeywordProblem { text: self.text.covered(redactor), ..self }
    }
}

impl CoveredAnswer for RunReport {
    fn covered(self, redactor: &Redactor) -> RunReport {
        RunReport { text: self.text.covered(redactor), ..self }
    }
}

impl CoveredAnswer for FenceReport {
    fn covered(self, redactor: &Redactor) -> FenceReport {
        FenceReport { text: self.text.covered(redactor), ..self }
    }
}

impl CoveredAnswer for TargetReport {
    fn covered(self, redactor: &Redactor) -> TargetReport {
        TargetReport { error: self.error.covered(redactor), ..self }
    }
}
