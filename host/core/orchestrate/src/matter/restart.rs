//! Resources that went down are restarted, each on its own clock. Standby resources are kept up on every node.

use std::collections::BTreeSet;

use model::Rid;

use crate::case::InstanceCase;
use crate::{
    ActionCause, ActionScope, ActionStep, AttemptLog, BootTime, InstanceAction, LocalExpect, NextAttempt, Reason,
    ResourceRules, ResourceView, Step,
};

use super::MatterReport;
use super::slot::has_slot;

/// A resource that is down and should not be.
pub(super) struct FailedResource<'a> {
    pub(super) rid: &'a Rid,
    pub(super) rules: &'a ResourceRules,
    pub(super) next: NextAttempt,
}

/// Restarts what is due, all of it in one action.
pub(crate) fn decide_restarts(here: &InstanceCase<'_>) -> MatterReport {
    let failed = failed_resources(here);
    let standby = due_resources(&failed, true);
    // Without its slot, nothing of the service may run here. The start of the instance gets one.
    let regular = if has_slot(here) { due_resources(&failed, false) } else { BTreeSet::new() };
    // One action at a time. Standby first, as it needs no slot.
    if !standby.is_empty() {
        return restart(InstanceAction::StartStandby, ActionCause::Standby, standby);
    }
    if !regular.is_empty() {
        return restart(InstanceAction::Start, ActionCause::Restart, regular);
    }
    let mut report = stopped_by_hand(here);
    failed.iter().for_each(|resource| report.extend(wait(resource)));
    report
}

fn due_resources(failed: &[FailedResource<'_>], standby: bool) -> BTreeSet<Rid> {
    let due = failed.iter().filter(|resource| resource.next == NextAttempt::Due && resource.rules.standby == standby);
    due.map(|resource| resource.rid.clone()).collect()
}

fn restart(action: InstanceAction, cause: ActionCause, rids: BTreeSet<Rid>) -> MatterReport {
    let scope = ActionScope::Resources(rids);
    let step = Step::Act(ActionStep { scope, ..ActionStep::whole(action, cause) });
    MatterReport::step(step).keeping_slot()
}

/// What is not due yet. Nothing else is started meanwhile, and another node has no reason to take over.
fn wait(failed: &FailedResource<'_>) -> MatterReport {
    let rid = failed.rid.clone();
    // A standby resource says nothing about whether the service runs here.
    let holds = |report: MatterReport| MatterReport { ends: !failed.rules.standby, ..report };
    match failed.next {
        NextAttempt::Due => MatterReport::pass(),
        NextAttempt::Waits { until } => {
            holds(MatterReport::note(Reason::WaitRestart { rid, until }).until(Some(until)).keeping_slot())
        }
        // Without a budget, the start of the whole instance has one of its own.
        NextAttempt::Exhausted { until: None } => MatterReport::pass(),
        NextAttempt::Exhausted { until } => {
            holds(MatterReport::note(Reason::RestartsSpent { rid, until }).until(until))
        }
    }
}

/// What a person stopped stays down, and so does the instance: only they know why.
fn stopped_by_hand(here: &InstanceCase<'_>) -> MatterReport {
    let stays_down = |rid: &&Rid| is_failed(here, rid) || is_silent_since_down(here, rid);
    let down = here.own.record.stopped.iter().find(stays_down);
    match down {
        None => MatterReport::pass(),
        Some(rid) => MatterReport::hold(Reason::StoppedByHand { rid: rid.clone() }).keeping_slot(),
    }
}

/// The resources that should be up and are not. Those that nobody expects up, and those stopped by hand, are not among them.
pub(super) fn failed_resources<'a>(here: &InstanceCase<'a>) -> Vec<FailedResource<'a>> {
    let started = here.own.record.local_expect == LocalExpect::Started;
    let rules = here.case.rules.resources.iter();
    let expected = rules.filter(|(rid, rules)| {
        (started || rules.standby) && !here.own.record.stopped.contains(*rid) && is_failed(here, rid)
    });
    expected.map(|(rid, rules)| FailedResource { rid, rules, next: next_attempt(here, rid, rules) }).collect()
}

fn is_failed(here: &InstanceCase<'_>, rid: &Rid) -> bool {
    let view = here.own.fresh_status().and_then(|status| status.resources.get(rid));
    let rules = here.case.rules.resources.get(rid);
    view.zip(rules).is_some_and(|(view, rules)| rules.is_failure(view.state(rules)))
}

/// A resource whose probe has stopped to answer is as it was.
fn is_silent_since_down(here: &InstanceCase<'_>, rid: &Rid) -> bool {
    let view = here.own.fresh_status().and_then(|status| status.resources.get(rid));
    view.zip(here.case.rules.resources.get(rid)).is_some_and(|(view, rules)| {
        let answered = ResourceView { silent: 0, ..*view };
        view.silent > 0 && rules.is_failure(answered.state(rules))
    })
}

fn next_attempt(here: &InstanceCase<'_>, rid: &Rid, rules: &ResourceRules) -> NextAttempt {
    const NO_ATTEMPTS: &AttemptLog = &AttemptLog::new();
    let attempts = here.own.record.restarts.get(rid).unwrap_or(NO_ATTEMPTS);
    let since = here.own.fresh_status().and_then(|status| status.resources.get(rid));
    rules.restart.next(attempts, since.map_or(BootTime::BOOT, |view| view.since), here.case.now)
}
