//! What others do on this node: an operator's action in a process of its own, a freeze, a thaw, a clear. The agent notes it,
//! and the daemon follows.

use agent::file::lock::holder_of;
use agent::state::{InstanceState, LastAction, LastEnd};
use model::ObjectPath;
use orchestrate::{ActionCause, ActionEnd, ActionScope, ActionStep, InstanceAction, LocalExpect};
use replica::request;

use super::Owner;
use super::shared::SentRequest;
use crate::instance::is_frozen;

impl Owner {
    /// Reads what was noted of an instance, and follows it.
    pub(crate) fn follow_hand(&mut self, path: &ObjectPath) {
        if !self.instances.contains_key(path) {
            return;
        }
        let state = InstanceState::of(self.agent.home(), path);
        let last = state.last_action().ok().flatten().unwrap_or_default();
        self.follow_freeze(path, &state);
        self.follow_snooze(path, &state);
        self.follow_clear(path, &last);
        self.follow_action(path, &state, &last);
    }

    fn follow_freeze(&mut self, path: &ObjectPath, state: &InstanceState) {
        let frozen = is_frozen(state);
        let Some(instance) = self.instances.get_mut(path) else { return };
        // While an action of the daemon freezes, the file comes a moment later.
        if instance.frozen != frozen && instance.acting.is_none() && !self.sending.contains(path) {
            instance.frozen = frozen;
            self.touch(path);
        }
    }

    fn follow_snooze(&mut self, path: &ObjectPath, state: &InstanceState) {
        let until = state.snoozed(jiff::Timestamp::now()).ok().flatten();
        let Some(instance) = self.instances.get_mut(path) else { return };
        if std::mem::replace(&mut instance.snoozed, until) != until {
            // The agent says what is due when.
            self.time(path);
        }
    }

    fn follow_clear(&mut self, path: &ObjectPath, last: &LastAction) {
        let Some(instance) = self.instances.get_mut(path) else { return };
        if last.clears <= instance.hand_clears || self.sending.contains(path) {
            return;
        }
        instance.hand_clears = last.clears;
        if let Some(txn) = request::mark(&self.shared, path, &self.me, replica::MarkRow::clear) {
            self.send(SentRequest::Upkeep(path.clone()), txn);
        }
    }

    fn follow_action(&mut self, path: &ObjectPath, state: &InstanceState, last: &LastAction) {
        let clears = self.clears(path);
        let Some(instance) = self.instances.get_mut(path) else { return };
        if last.number <= instance.followed || last.origin == "daemon" {
            instance.followed = instance.followed.max(last.number);
            return;
        }
        // The action of the daemon that is under way is not followed by another one before it has ended.
        if instance.acting.is_some() || instance.ended.is_some() {
            return;
        }
        let Some(step) = step_of(last) else {
            instance.followed = last.number;
            return;
        };
        if instance.hand.is_none() {
            let sequence = instance.local.record.begin(&step, crate::clock::now());
            instance.runs(sequence, &step);
            instance.hand = Some(step.clone());
            self.touch(path);
        }
        let end = match &last.end {
            Some(LastEnd::Done) => ActionEnd::Success,
            Some(LastEnd::Failed(text)) => ActionEnd::Failure(text.clone()),
            Some(LastEnd::Interrupted) => ActionEnd::Interruption,
            // It runs, or its process was killed.
            None if holder_of(&self.agent.home().action_lock(path)).is_some() => return,
            None => ActionEnd::Interruption,
        };
        self.record_end(path, &step, end, clears);
        let Some(instance) = self.instances.get_mut(path) else { return };
        instance.hand = None;
        instance.followed = last.number;
        let stopped = state.stopped().into_iter().collect();
        let wanted_up = last.wanted_up;
        self.remember(path, |record| {
            record.stopped = stopped;
            // Several actions may have come and gone: what counts is what the last one about the whole instance said.
            match wanted_up {
                Some(true) => record.local_expect = LocalExpect::Started,
                Some(false) => record.local_expect = LocalExpect::None,
                None => {}
            }
        });
        self.read(path);
    }
}

/// The step that an action of another process is to the orchestrator.
fn step_of(last: &LastAction) -> Option<ActionStep> {
    let action = match last.action.as_str() {
        "start" | "restart" => InstanceAction::Start,
        "startstandby" => InstanceAction::StartStandby,
        "stop" | "migrate" => InstanceAction::Stop,
        "shutdown" => InstanceAction::Shutdown,
        "provision" => InstanceAction::Provision,
        "unprovision" => InstanceAction::Unprovision,
        _ => return None,
    };
    let scope = match last.resources() {
        None => ActionScope::Whole,
        Some(rids) => ActionScope::Resources(rids.into_iter().collect()),
    };
    Some(ActionStep { action, scope, cause: ActionCause::Hand, leader: true, freeze: false, token: None })
}
