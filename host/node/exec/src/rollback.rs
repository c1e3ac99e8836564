//! Undoes what an action has changed: stops it, the last one first, going on past every failure. Destroys nothing.

use std::sync::Arc;
use std::time::Duration;

use driver::{CallBounds, Change, Level, Log, Verb};
use model::Rid;
use plan::{OnFailure, Plan, Undo};

use crate::call::call;
use crate::failpoint::{Failpoint, pass};
use crate::step::Action;
use crate::{Rollback, StepEnd, StepError, StepReport, Undone, UndoneEnd};

/// A step to be undone.
#[derive(Clone, Copy)]
pub(crate) struct Undoing<'a> {
    pub(crate) at: usize,
    pub(crate) rid: &'a Rid,
    pub(crate) deadline: Duration,
    pub(crate) probe: Duration,
}

/// Stops the resource. Not cancellable: whoever gives an action up wants it undone.
pub(crate) async fn undo(action: &Action<'_>, undoing: Undoing<'_>) -> Result<(), StepError> {
    let Undoing { at, rid, deadline, probe } = undoing;
    let log: Arc<dyn Log> = Arc::new(Prefixed(Arc::clone(&action.session.log)));
    pass(Failpoint::BeforeUndo);
    let verb = Verb::Stop;
    let result = match action.facilities.prepare(rid, verb).await {
        Err(cause) => Err(StepError::Prepare { verb, cause }),
        Ok(prepared) => {
            let bounds = CallBounds::within(deadline);
            call(&prepared, verb, &bounds, probe, &log).await.result
        }
    };
    pass(Failpoint::AfterUndo);
    match result {
        Ok(text) => {
            action.recorder.undone(at);
            log.line(Some(rid), Level::Info, if text.is_empty() { "stopped" } else { &text });
            Ok(())
        }
        Err(error) => {
            log.line(Some(rid), Level::Error, &error.chain());
            Err(error)
        }
    }
}

/// Undoes a failed action as far as its plan says so.
pub(crate) async fn roll_back(action: &Action<'_>, plan: &Plan, reports: &[Option<StepReport>]) -> Rollback {
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
        action.session.log.line(None, Level::Warn, &format!("rollback: none, as {reason} says"));
        return Rollback::Kept(reason);
    }
    if plan.phases.iter().all(|phase| phase.on_failure == OnFailure::GoOn) {
        return Rollback::None;
    }
    let mut undone = Vec::new();
    for (at, step) in done.into_iter().rev() {
        let change = reports[at].as_ref().map_or(Change::Unchanged, |report| report.change);
        let end = match step.undo {
            Undo::None => continue,
            Undo::Standby => left(action, &step.rid, "left up, as it is standby"),
            Undo::WasUp => left(action, &step.rid, "left as it was before this action"),
            Undo::Stop(_) if change == Change::Unchanged => {
                left(action, &step.rid, "left as it was before this action")
            }
            Undo::Stop(deadline) => {
                match undo(action, Undoing { at, rid: &step.rid, deadline, probe: step.probe }).await {
                    Ok(()) => UndoneEnd::Stopped,
                    Err(error) => UndoneEnd::Failed(error),
                }
            }
        };
        undone.push(Undone { rid: step.rid.clone(), end });
    }
    if undone.is_empty() {
        action.session.log.line(None, Level::Info, "rollback: nothing to undo");
    }
    Rollback::Ran(undone)
}

/// Whether the step has done something, or has found nothing to do. An optional one that failed is cleaned up already,
/// and one that failed without touching anything is not worth a line.
fn needs_a_look(report: Option<&StepReport>) -> bool {
    report.is_some_and(|report| match report.end {
        StepEnd::Done => true,
        StepEnd::Failed(_) => !report.optional && report.change != Change::Unchanged,
        StepEnd::Skipped(_) | StepEnd::NotReached => false,
    })
}

fn reason_to_keep(on_failure: OnFailure) -> Option<&'static str> {
    match on_failure {
        OnFailure::KeepByOption => Some("--disable-rollback"),
        OnFailure::KeepByConfig => Some("rollback = false"),
        OnFailure::Undo | OnFailure::GoOn => None,
    }
}

fn left(action: &Action<'_>, rid: &Rid, reason: &'static str) -> UndoneEnd {
    action.session.log.line(None, Level::Info, &format!("rollback: {rid}: {reason}"));
    UndoneEnd::Left(reason)
}

/// Makes `fs#1: unmounted` into `rollback: fs#1: unmounted`.
struct Prefixed(Arc<dyn Log>);

impl Log for Prefixed {
    fn line(&self, rid: Option<&Rid>, level: Level, text: &str) {
        match rid {
            Some(rid) => self.0.line(None, level, &format!("rollback: {rid}: {text}")),
            None => self.0.line(None, level, &format!("rollback: {text}")),
        }
    }

    fn progress(&self, rid: &Rid, done: u64, total: Option<u64>, unit: &str) {
        self.0.progress(rid, done, total, unit);
    }
}
