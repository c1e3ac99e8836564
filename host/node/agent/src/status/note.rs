//! Notes: what the reader of a status should know beyond the resources.

use model::ObjectPath;

use crate::object::{ActiveObject, ObjectConfiguration};
use crate::state::InstanceState;

/// What the reader of a status should know beyond the resources.
pub(crate) fn notes(path: &ObjectPath, state: &InstanceState, configuration: &ObjectConfiguration) -> Vec<String> {
    let mut notes = Vec::new();
    let errors = match configuration.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count() {
        1 => "1 error".to_owned(),
        errors => format!("{errors} errors"),
    };
    match configuration.active {
        ActiveObject::LastGood(_) => notes.push(format!("the configuration has {errors}: the last good one is active")),
        ActiveObject::Partial(_) => notes.push(format!("the configuration has {errors}: all else of it is active")),
        ActiveObject::Current(_) | ActiveObject::Nothing => {}
    }
    if let Some(action) = unfinished(state) {
        notes.push(format!("{action} was interrupted: the next action deals with it"));
    }
    for (action, failure) in state.failures().unwrap_or_default() {
        notes.push(format!("{}: om {path} clear forgets it", failure.note(&action)));
    }
    notes
}

pub(crate) fn unfinished(state: &InstanceState) -> Option<String> {
    exec::journal::Journal::pending(&state.journal()).ok().flatten().map(|story| story.action)
}
