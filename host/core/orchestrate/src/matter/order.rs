//! Intents, and the tombstones that some of them leave.

use crate::case::InstanceCase;
use crate::intent::{InstanceProgress, IntentGoal, intent_outcome, is_purgeable, progress, wants_up};
use crate::placement::{SlotAccess, acquire_slot};
use crate::{ActionCause, ActionStep, InstanceAction, Intent, Reason, Step};

use super::MatterReport;
use super::permit::stop_once;

/// Writes down that an intent has ended. One node does, and the commit checks that it is still open.
pub(crate) fn decide_outcome(here: &InstanceCase<'_>) -> MatterReport {
    let case = &here.case;
    let Some(intent) = case.object.open_intent() else { return MatterReport::pass() };
    let expiry = Some(intent.expires).filter(|expires| *expires > case.now);
    if !case.is_writer() {
        return MatterReport::pass().until(expiry);
    }
    if let IntentGoal::Purged { leader } = &intent.goal
        && !case.object.tombstone
        && is_purgeable(case, intent, leader)
    {
        return MatterReport::step(Step::Bury { id: intent.id });
    }
    match intent_outcome(case, intent) {
        None => MatterReport::pass().until(expiry),
        Some(outcome) => MatterReport::step(Step::Settle { id: intent.id, outcome }).keeping_slot(),
    }
}

/// A deleted object is removed from every node, whenever it comes back. An order that has not ended does that itself.
pub(crate) fn decide_tombstone(here: &InstanceCase<'_>) -> MatterReport {
    if !here.case.object.tombstone || here.case.object.open_intent().is_some() {
        return MatterReport::pass();
    }
    if let Some(failure) = &here.own.failure {
        let (node, action, text) = (here.case.me.clone(), failure.action, failure.text.clone());
        return MatterReport::hold(Reason::Failure { node, action, text });
    }
    let down = here.own.fresh_status().is_some_and(|status| status.is_down());
    if down {
        MatterReport::step(Step::Act(ActionStep::whole(InstanceAction::Delete, ActionCause::Tombstone)))
    } else {
        stop_once(here, ActionStep::whole(InstanceAction::Stop, ActionCause::Tombstone))
    }
}

/// What an order asks of this instance. An order may do what a freeze forbids to the daemon.
pub(crate) fn decide_intent(here: &InstanceCase<'_>) -> MatterReport {
    let case = &here.case;
    let Some(intent) = case.object.open_intent() else { return MatterReport::pass() };
    let report = match progress(case, intent, case.me) {
        InstanceProgress::Done => MatterReport::note(Reason::IntentOpen { id: intent.id }),
        InstanceProgress::Wait(reason) => MatterReport::hold(reason),
        // Nothing of its own accord either: the instance is as the failure left it.
        InstanceProgress::Stuck(reason) => return MatterReport::hold(reason),
        InstanceProgress::Act { action, leader } => act(here, intent, action, leader),
    };
    MatterReport { keeps_slot: wants_up(&intent.goal, case.me), ..report }
}

fn act(here: &InstanceCase<'_>, intent: &Intent, action: InstanceAction, leader: bool) -> MatterReport {
    let step = ActionStep { leader, ..ActionStep::whole(action, ActionCause::Intent(intent.id)) };
    // A provision of the leader ends with a start.
    let starts = action == InstanceAction::Start || (action == InstanceAction::Provision && leader);
    if !starts {
        return MatterReport::step(Step::Act(step));
    }
    match acquire_slot(&here.case, 0) {
        SlotAccess::Open(token) => MatterReport::step(Step::Act(ActionStep { token, ..step })),
        SlotAccess::After(step) => MatterReport::step(step),
        SlotAccess::Closed(reason) => MatterReport::hold(reason),
    }
}
