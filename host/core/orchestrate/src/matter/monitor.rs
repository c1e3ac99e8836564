//! `monitor_action`: what is done when a monitored resource fails and no restart of it is left. Once, until all are up again.

use crate::case::InstanceCase;
use crate::placement::obstacle;
use crate::{ActionCause, ActionStep, InstanceAction, MonitorAction, MonitorEpisode, NextAttempt, Reason, Step};

use super::MatterReport;
use super::restart::failed_resources;

pub(crate) fn decide_monitor(here: &InstanceCase<'_>) -> MatterReport {
    let episode = here.own.record.monitor;
    if episode == Some(MonitorEpisode::Spent) {
        return MatterReport::hold(Reason::MonitorSpent);
    }
    // The second action follows the first although the first has frozen the instance, or has failed.
    let forbidden = here.own.frozen || here.own.failure.is_some() || super::decide_frozen(here).ends;
    if (episode != Some(MonitorEpisode::Failed) && forbidden) || !is_spent(here) {
        return MatterReport::pass();
    }
    if episode.is_none() && here.case.rules.pre_monitor_action {
        return MatterReport::step(Step::PrepareMonitor);
    }
    match MonitorEpisode::next(episode, &here.case.rules.monitor_actions) {
        None => MatterReport::pass(),
        Some(MonitorAction::FreezeStop) => stop(true),
        Some(MonitorAction::Switch) => switch(here),
        Some(action) => MatterReport::step(Step::Monitor(action)),
    }
}

/// Whether a monitored resource has no restart left.
fn is_spent(here: &InstanceCase<'_>) -> bool {
    let spent = |next| matches!(next, NextAttempt::Exhausted { .. });
    failed_resources(here).iter().any(|resource| resource.rules.monitor && spent(resource.next))
}

fn stop(freeze: bool) -> MatterReport {
    let step = ActionStep { freeze, ..ActionStep::whole(InstanceAction::Stop, ActionCause::Monitor) };
    MatterReport::step(Step::Act(step))
}

/// Stops here for others to start. Without others, what still runs is better than nothing.
fn switch(here: &InstanceCase<'_>) -> MatterReport {
    let mut others = here.case.rules.nodes.iter().filter(|node| *node != here.case.me);
    if others.any(|node| obstacle(&here.case, node).is_none()) {
        stop(false)
    } else {
        MatterReport::note(Reason::NoCandidate)
    }
}
