//! The rollback of a failed action: stops what it started, the last one first, going on past every failure. It destroys nothing.

use driver::{Change, LogSeverity};
use model::Rid;
use plan::{OnFailure, Plan, StepUndo};

use crate::execution::Execution;
use crate::undo::{UndoStep, undo};
use crate::{KeepReason, LeaveReason, RollbackReport, StepError, StepOutcome, StepReport, UndoOutcome, UndoneStep};

/// Undoes a failed action, as far as its plan says so.
pub(crate) async fn roll_back(
    execution: &Execution<'_>,
    plan: &Plan,
    reports: &[Option<StepReport>],
) -> RollbackReport {
    let mut done = Vec::new();
    let mut kept = None;
    let mut at = 0;
    for phase in &plan.phases {
        for step in phase.stages.iter().flat_map(|stage| &stage.steps) {
            if phase.on_failure == OnFailure::Undo && needs_a_look(reports[at].as_ref()) {
                done.push((at, step));
            }
            at += 1;
        }
        kept = kept.or(reason_to_keep(phase.on_failure));
    }
    if let Some(reason) = kept {
        execution.session.log.line(None, LogSeverity::Warn, &format!("rollback: none, because of {reason}"));
        return RollbackReport::Kept(reason);
    }
    if plan.phases.iter().all(|phase| phase.on_failure == OnFailure::GoOn) {
        return RollbackReport::None;
    }
    let mut undone = Vec::new();
    // The reverse order of the start: what stands on something is stopped before it.
    for (at, step) in done.into_iter().rev() {
        let change = reports[at].as_ref().map_or(Change::Unchanged, |report| report.change);
        let end = match step.undo {
            StepUndo::None => continue,
            StepUndo::Standby => left(execution, &step.rid, LeaveReason::Standby),
            StepUndo::WasUp => left(execution, &step.rid, LeaveReason::NotChanged),
            StepUndo::Stop(_) if change == Change::Unchanged => left(execution, &step.rid, LeaveReason::NotChanged),
            StepUndo::Stop(deadline) => {
                match undo(execution, UndoStep { at, rid: &step.rid, deadline, probe: step.probe }).await {
                    Ok(()) => UndoOutcome::Stopped,
                    // The rest is undone all the same: a resource that cannot be stopped keeps busy only what it stands on.
                    Err(error) => UndoOutcome::Failed(error),
                }
            }
        };
        undone.push(UndoneStep { rid: step.rid.clone(), end });
    }
    doubt(execution, &mut undone).await;
    if undone.is_empty() {
        execution.session.log.line(None, LogSeverity::Info, "rollback: nothing to undo");
    }
    RollbackReport::Ran(undone)
}

/// Looks itself whether what was stopped is gone.
pub(crate) async fn doubt(execution: &Execution<'_>, undone: &mut [UndoneStep]) {
    let is_stopped = |undone: &&UndoneStep| matches!(undone.end, UndoOutcome::Stopped);
    let stopped: Vec<Rid> = undone.iter().filter(is_stopped).map(|undone| undone.rid.clone()).collect();
    for held in execution.still_held(&stopped).await {
        let error = StepError::UnreleasedResource(held.things);
        execution.session.log.line(None, LogSeverity::Error, &format!("rollback: {}: {}", held.rid, error.chain()));
        if let Some(undone) = undone.iter_mut().find(|undone| undone.rid == held.rid) {
            undone.end = UndoOutcome::Failed(error);
        }
    }
}

/// Whether a rollback considers the step: it succeeded, or it failed after it changed something. An optional step that failed is
/// cleaned up already.
fn needs_a_look(report: Option<&StepReport>) -> bool {
    report.is_some_and(|report| match report.end {
        StepOutcome::Done => true,
        StepOutcome::Failed(_) => !report.optional && report.change != Change::Unchanged,
        StepOutcome::Skipped(_) | StepOutcome::NotReached => false,
    })
}

fn reason_to_keep(on_failure: OnFailure) -> Option<KeepReason> {
    match on_failure {
        OnFailure::KeepByOption => Some(KeepReason::Option),
        OnFailure::KeepByConfig => Some(KeepReason::Configuration),
        OnFailure::Undo | OnFailure::GoOn => None,
    }
}

fn left(execution: &Execution<'_>, rid: &Rid, reason: LeaveReason) -> UndoOutcome {
    execution.session.log.line(None, LogSeverity::Info, &format!("rollback: {rid}: {reason}"));
    UndoOutcome::Left(reason)
}
