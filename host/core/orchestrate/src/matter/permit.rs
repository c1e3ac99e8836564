//! What must hold before anything is done, and what forbids automatic steps.

use model::status::State;

use crate::case::InstanceCase;
use crate::dependency::running_children;
use crate::{ActionStep, ConfigState, InstanceAction, Reason, Step};

use super::MatterReport;

/// Stops the instance, once, when its children are down. What is not down after a stop that succeeded is for a person to see.
pub(super) fn stop_once(here: &InstanceCase<'_>, step: ActionStep) -> MatterReport {
    let node = here.case.me.clone();
    if here.own.record.has_stopped() {
        let state = here.own.avail().unwrap_or(State::Undef);
        return MatterReport::hold(Reason::EndedAs { node, action: InstanceAction::Stop, state });
    }
    match running_children(&here.case) {
        Some(reason) => MatterReport::hold(reason),
        None => MatterReport::step(Step::Act(step)),
    }
}

/// One action at a time, whatever began it.
pub(crate) fn decide_running(here: &InstanceCase<'_>) -> MatterReport {
    match &here.own.running {
        None => MatterReport::pass(),
        Some(running) => {
            let (node, action) = (here.case.me.clone(), running.action);
            MatterReport::hold(Reason::ActionRunning { node, action }).keeping_slot()
        }
    }
}

/// A status from before the last action says nothing: what it did is still to be seen.
pub(crate) fn decide_status(here: &InstanceCase<'_>) -> MatterReport {
    match here.own.fresh_status() {
        Some(_) => MatterReport::pass(),
        None => MatterReport::hold(Reason::StatusUnknown { node: here.case.me.clone() }).keeping_slot(),
    }
}

/// A node that has nothing of the object has nothing to do.
pub(crate) fn decide_presence(here: &InstanceCase<'_>) -> MatterReport {
    match here.own.config {
        ConfigState::Missing if here.own.running.is_none() => {
            MatterReport::hold(Reason::ConfigMissing { node: here.case.me.clone() })
        }
        _ => MatterReport::pass(),
    }
}

/// A disabled object is left alone. One whose configuration does not load any more is kept as the last good one says, and not
/// started: `obstacle` sees to that.
pub(crate) fn decide_disabled(here: &InstanceCase<'_>) -> MatterReport {
    let node = || here.case.me.clone();
    match &here.own.config {
        _ if here.case.rules.disable => MatterReport::hold(Reason::Disabled),
        ConfigState::Broken { problem, .. } => {
            MatterReport::note(Reason::ConfigBroken { node: node(), problem: problem.clone() })
        }
        ConfigState::Loaded(_) | ConfigState::Missing => MatterReport::pass(),
    }
}

/// A failure blocks the instance, and shows until it is cleared.
pub(crate) fn decide_failure(here: &InstanceCase<'_>) -> MatterReport {
    match &here.own.failure {
        None => MatterReport::pass(),
        Some(failure) => {
            let (node, action, text) = (here.case.me.clone(), failure.action, failure.text.clone());
            MatterReport::hold(Reason::Failure { node, action, text })
        }
    }
}

/// A freeze or a maintenance forbids every automatic step, stops included.
pub(crate) fn decide_frozen(here: &InstanceCase<'_>) -> MatterReport {
    if here.own.frozen {
        return MatterReport::hold(Reason::Frozen);
    }
    if here.node.frozen {
        return MatterReport::hold(Reason::NodeFrozen);
    }
    let maintenances = [here.case.view.cluster().maintenance, here.node.maintenance, here.case.object.maintenance];
    match maintenances.into_iter().flatten().max().filter(|until| *until > here.case.now) {
        None => MatterReport::pass(),
        // Unlike a freeze it ends by itself, so the instance stays where it is.
        Some(until) => MatterReport::hold(Reason::Maintenance { until }).until(Some(until)).keeping_slot(),
    }
}
