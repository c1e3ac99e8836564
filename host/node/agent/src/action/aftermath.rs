//! What an action leaves behind in the state of the instance: marks of what it provisioned, whether it failed, and the status
//! that it led to.

use driver::Verb;
use exec::{ActionEnding, ExecutionReport, StepOutcome};
use jiff::Timestamp;
use model::Rid;
use plan::{Action, Plan, PlanStep};

use super::admission::here;
use super::{ActError, noted};

use crate::agent::Agent;
use crate::file::durable::{self, FileError};
use crate::instance::Instance;
use crate::node::paths;
use crate::state::{ActionFailure, InstanceState, LastEnd, LastRun, ProvisionedMark};
use crate::status::InstanceStatus;
use exec::blocking;

/// Remembers what was done.
pub(super) async fn remember(instance: &Instance<'_>, plan: Plan, report: ExecutionReport) -> ExecutionReport {
    let state = instance.state();
    blocking(move || {
        remember_provisioned(&state, &plan, &report);
        remember_failure(&state, &report);
        remember_runs(&state, &plan, &report);
        report
    })
    .await
}

/// Remembers the status that the action led to, and removes the control groups that it left empty.
pub(super) async fn conclude(agent: &Agent, instance: &Instance<'_>, status: InstanceStatus) -> InstanceStatus {
    let (agent, state) = (agent.clone(), instance.state());
    let is_here = here(instance.object).is_ok();
    blocking(move || {
        // A full disk must not fail an action that is done.
        match is_here {
            true => drop(state.set_last_status(&status)),
            // What was taken down has no instance here any more, so that there is nothing to remember of it.
            false => state.forget_last_status(),
        }
        paths::remove_empty_groups(agent.home(), &status.path);
        status
    })
    .await
}

/// Notes how the last action ended, for a daemon that follows what others do.
pub(super) async fn note_end(instance: &Instance<'_>, action: Action, executed: Result<&ExecutionReport, &ActError>) {
    let end = match executed.map(|report| &report.ending) {
        Ok(ActionEnding::Done) => LastEnd::Done,
        Ok(ActionEnding::Interrupted) => LastEnd::Interrupted,
        Ok(failed) => LastEnd::Failed(failed.to_string()),
        Err(refused) => LastEnd::Failed(refused.to_string()),
    };
    let state = instance.state();
    blocking(move || noted::end(&state, action, end)).await;
}

/// A status reports a failed action until the same action succeeds. A cancelled or unsupported action has not failed.
fn remember_failure(state: &InstanceState, report: &ExecutionReport) {
    let failure = match &report.ending {
        ActionEnding::Done => None,
        ActionEnding::Interrupted | ActionEnding::Unsupported(_) => return,
        failed => Some(ActionFailure { how: failed.to_string(), at: Timestamp::now() }),
    };
    // Losing it does no harm: the log has it too.
    let _ = state.set_failure(report.action.as_str(), failure);
}

/// Records, before they begin, that the tasks and copies of the plan run now. Written first: a scheduler that starts after a power
/// loss must not run them a second time.
pub(super) fn note_runs(state: &InstanceState, plan: &Plan) -> Result<(), FileError> {
    let now = Timestamp::now();
    let mut begin = |(rid, verb)| state.set_last_run(rid, verb, LastRun { began: now, succeeded: None, ended: None });
    plan.steps().flat_map(scheduled).try_for_each(&mut begin)
}

/// Records how the tasks and copies of the plan ended.
fn remember_runs(state: &InstanceState, plan: &Plan, report: &ExecutionReport) {
    for (step, done) in plan.steps().zip(&report.steps) {
        for (rid, verb) in scheduled(step) {
            if let Ok(Some(run)) = state.last_run(rid, verb) {
                let succeeded = Some(matches!(done.end, StepOutcome::Done));
                // Losing it does no harm: that it has run counts, and that is on disk.
                let _ = state.set_last_run(rid, verb, LastRun { succeeded, ended: Some(Timestamp::now()), ..run });
            }
        }
    }
}

/// Records how the last run of a task ended whose process died before it could: it was cut short, unless its journal says that the task
/// had succeeded by then.
pub(super) fn note_cut_short(state: &InstanceState, rid: &Rid, succeeded: bool) {
    if let Ok(Some(run)) = state.last_run(rid, Verb::Run)
        && run.succeeded.is_none()
    {
        // Losing it does no harm: that it has run counts, and that is on disk.
        let end = LastRun { succeeded: Some(succeeded), ended: Some(Timestamp::now()), ..run };
        let _ = state.set_last_run(rid, Verb::Run, end);
    }
}

/// The verbs of a step that a schedule can start, each with the resource.
fn scheduled(step: &PlanStep) -> impl Iterator<Item = (&Rid, Verb)> {
    let verbs = step.work.iter().map(|work| work.verb()).filter(|verb| matches!(verb, Verb::Run | Verb::Sync));
    verbs.map(|verb| (&step.rid, verb))
}

/// Marks what was provisioned and unprovisioned, for drivers that cannot always tell by looking.
fn remember_provisioned(state: &InstanceState, plan: &Plan, report: &ExecutionReport) {
    for (step, done) in plan.steps().zip(&report.steps) {
        if !matches!(done.end, StepOutcome::Done) {
            continue;
        }
        let has = |verb| step.work.iter().any(|work| work.verb() == verb);
        if has(Verb::Unprovision) {
            // The driver's state describes storage that no longer exists.
            let _ = durable::remove_directory(&state.driver_state(&step.rid));
            let _ = capability::state::wipe(&state.record(&step.rid), &step.rid);
        }
        let provisioned = match (has(Verb::Provision), has(Verb::Unprovision)) {
            (true, false) => true,
            (false, true) => false,
            // A step that does both, or neither, leaves the mark as it is.
            _ => continue,
        };
        // Losing it does no harm where the driver can tell by looking.
        let _ = state.mark_provisioned(&step.rid, ProvisionedMark { provisioned, since: Timestamp::now() });
    }
}
