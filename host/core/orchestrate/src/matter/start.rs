//! `orchestrate = ha`: the object is up as often as it should be.

use model::NodeName;
use model::object::{OrchestrateMode, PlacementPolicy};
use model::status::State;

use crate::case::InstanceCase;
use crate::dependency::missing_parents;
use crate::placement::{SlotAccess, acquire_slot, chosen, obstacle, occupied, ranked};
use crate::{
    ActionCause, ActionStep, BootTime, ConfigState, InstanceAction, InstanceView, NextAttempt, NodeStanding, Reason,
    Step,
};

use super::MatterReport;

/// Starts the instance if too few are up and this node is one of the best.
pub(crate) fn decide_start(here: &InstanceCase<'_>) -> MatterReport {
    let case = &here.case;
    match here.own.avail() {
        Some(State::Down | State::StdbyUp | State::StdbyDown) => {}
        Some(State::Warn) => return MatterReport::hold(Reason::PartlyUp).keeping_slot(),
        Some(_) => return MatterReport::pass(),
        None => return MatterReport::hold(Reason::StatusUnknown { node: case.me.clone() }).keeping_slot(),
    }
    let forbidden = not_automatic(here).or_else(|| obstacle(case, case.me)).or_else(|| unknown_peer(here));
    if let Some(reason) = forbidden {
        return MatterReport::hold(reason);
    }
    if let Some((reason, until)) = better_may_come(here) {
        return MatterReport::hold(reason).until(Some(until));
    }
    let occupied = occupied(case);
    let holders = occupied.len();
    let places = chosen(case, occupied);
    let Some(place) = places.iter().position(|node| *node == case.me) else {
        return MatterReport::hold(elsewhere(&places));
    };
    // The place among those without a slot: nodes that start at the same time then try different ones.
    begin_start(here, ActionCause::Ha, place.saturating_sub(holders))
}

/// Starts the instance when its parents are up, its last start is long enough ago, and its slot is there.
pub(super) fn begin_start(here: &InstanceCase<'_>, cause: ActionCause, position: usize) -> MatterReport {
    let case = &here.case;
    if let Some(reason) = missing_parents(case) {
        return MatterReport::hold(reason);
    }
    match case.rules.starts.next(&here.own.record.starts, BootTime::BOOT, case.now) {
        NextAttempt::Due => {}
        NextAttempt::Waits { until } => {
            return MatterReport::hold(Reason::WaitStart { until }).until(Some(until)).keeping_slot();
        }
        NextAttempt::Exhausted { until } => return MatterReport::hold(Reason::StartsSpent { until }).until(until),
    }
    match acquire_slot(case, position) {
        SlotAccess::Closed(reason) => MatterReport::hold(reason),
        SlotAccess::After(step) => MatterReport::step(step),
        SlotAccess::Open(token) => {
            let step = ActionStep { token, ..ActionStep::whole(InstanceAction::Start, cause) };
            MatterReport::step(Step::Act(step))
        }
    }
}

fn not_automatic(here: &InstanceCase<'_>) -> Option<Reason> {
    let case = &here.case;
    match case.object.open_intent() {
        Some(intent) => return Some(Reason::IntentOpen { id: intent.id }),
        None if case.rules.orchestrate != OrchestrateMode::Ha => {
            return Some(Reason::NotOrchestrated { mode: case.rules.orchestrate });
        }
        None => {}
    }
    (case.rules.placement == PlacementPolicy::None).then_some(Reason::NoPlacement)
}

/// A peer that is there and has never said how its instance is may run it.
fn unknown_peer(here: &InstanceCase<'_>) -> Option<Reason> {
    let case = &here.case;
    let is_silent = |instance: &InstanceView| instance.config != ConfigState::Missing && instance.status.is_none();
    let is_gone = |node: &NodeName| matches!(case.standing(node), NodeStanding::Evicted | NodeStanding::Absent);
    let unknown = case.object.instances.iter().filter(|(node, instance)| is_silent(instance) && !is_gone(node));
    let unknown = case.members_among(unknown.map(|(node, _)| node).collect());
    unknown.first().map(|node| Reason::StatusUnknown { node: (*node).clone() })
}

/// After a start of the whole cluster, a better placed node may still come.
fn better_may_come(here: &InstanceCase<'_>) -> Option<(Reason, BootTime)> {
    let case = &here.case;
    let until = case.view.cluster().rejoin.filter(|until| *until > case.now)?;
    let better = ranked(case).into_iter().take_while(|node| *node != case.me);
    let away = better.into_iter().any(|node| case.standing(node) != NodeStanding::Alive);
    away.then_some((Reason::Rejoin { until }, until))
}

fn elsewhere(places: &[&NodeName]) -> Reason {
    if places.is_empty() {
        return Reason::NoCandidate;
    }
    Reason::PlacedElsewhere { on: places.iter().map(|node| (*node).clone()).collect() }
}
