//! What a call of a driver came to: its answer, and what the host has counted meanwhile.

use std::sync::Arc;

use bindings::driver::hostler::driver::types as wit;
use capability::Scope;
use driver::{ActionError, ActionReport, Change, Level};

/// What a call came to.
pub(crate) struct Outcome<T> {
    /// The driver's answer, or what put an end to it.
    pub(crate) result: Result<T, ActionError>,
    /// Whether the driver was ended before it answered: then nobody can tell what it did.
    pub(crate) cut_short: bool,
    /// How many changes succeeded.
    pub(crate) mutations: u64,
    pub(crate) scope: Option<Arc<Scope>>,
}

impl<T> Outcome<T> {
    /// The driver was never called.
    pub(crate) fn refused(error: ActionError) -> Outcome<T> {
        Outcome { result: Err(error), cut_short: false, mutations: 0, scope: None }
    }

    pub(crate) fn change(&self) -> Change {
        match (self.cut_short, self.mutations) {
            (true, _) => Change::Unknown,
            (false, 0) => Change::Unchanged,
            (false, _) => Change::Changed,
        }
    }
}

impl Outcome<wit::Outcome> {
    /// What is told of an action.
    pub(crate) fn report(self) -> ActionReport {
        let change = self.change();
        let result = self.result.map(|ended| {
            // The host has counted, and believes itself.
            if let Some(scope) = self.scope.filter(|_| change == Change::Changed && !ended.changed) {
                scope.say(Level::Warn, "the driver says that it changed nothing, but it did");
            }
            ended.text
        });
        ActionReport { change, result }
    }
}
