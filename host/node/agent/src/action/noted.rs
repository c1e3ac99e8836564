//! What is noted of an action as the last one, for a daemon that follows what others do. Runs and syncs are not: they change
//! nothing that a daemon keeps up.

use model::Rid;
use plan::{Action, Plan};

use super::{ActionRequest, RequestOrigin};
use crate::state::{InstanceState, LastEnd};

/// An action, as it is noted.
pub(super) struct NotedAction {
    action: Action,
    origin: RequestOrigin,
    /// The resources that it is limited to. None: it is about all of the instance.
    rids: Option<Vec<Rid>>,
}

impl NotedAction {
    pub(super) fn of(request: &ActionRequest, plan: &Plan) -> NotedAction {
        let whole = request.filter.is_empty() && request.to.is_none();
        let rids = || plan.steps().filter(|step| !step.work.is_empty()).map(|step| step.rid.clone()).collect();
        NotedAction { action: request.action, origin: request.origin, rids: (!whole).then(rids) }
    }

    /// Notes that it begins. A stop on a full disk goes on without the note.
    pub(super) fn begin(&self, state: &InstanceState) {
        if !is_noted(self.action) {
            return;
        }
        let last = state.last_action().ok().flatten().unwrap_or_default();
        let _ = state.set_last_action(&last.next(self.action, self.origin, self.rids.as_deref()));
        if self.origin != RequestOrigin::User {
            return;
        }
        // From here on, so that no restart comes between the stop and its end.
        if let (Action::Stop, Some(rids)) = (self.action, &self.rids) {
            rids.iter().for_each(|rid| {
                let _ = state.mark_stopped(rid, true);
            });
        }
    }
}

/// Notes how the last action ended.
pub(super) fn end(state: &InstanceState, action: Action, end: LastEnd) {
    if !is_noted(action) {
        return;
    }
    let Ok(Some(last)) = state.last_action() else { return };
    // A start that failed takes back no mark: what an operator stopped stays stopped until it was started successfully.
    let starts = matches!(action, Action::Start | Action::StartStandby | Action::Restart | Action::Provision);
    if starts && end == LastEnd::Done {
        let stopped = state.stopped().into_iter();
        let limited = last.resources();
        let started = stopped.filter(|rid| limited.as_ref().is_none_or(|limited| limited.contains(rid)));
        started.for_each(|rid| {
            let _ = state.mark_stopped(&rid, false);
        });
    }
    let _ = state.set_last_action(&last.ended(end));
}

fn is_noted(action: Action) -> bool {
    !matches!(action, Action::Run | Action::Sync)
}
