//! One step: its calls one after the other, each journalled before it is made, with its triggers around it.

use std::sync::Arc;

use driver::{ActionError, CallBounds, Change, LogSeverity, Verb};
use model::Rid;
use model::object::{Trigger, TriggerTime};
use plan::{OnFailure, PlanStep, StepUndo, StepWork};
use tokio::time::Instant;

use crate::call::{CallOutcome, call};
use crate::execution::Execution;
use crate::failpoint::{Failpoint, pass};
use crate::proof::destroys_next;
use crate::undo::{UndoStep, undo};
use crate::{PreparedCall, StepError, StepOutcome, StepReport};

/// A step and its place in the plan.
#[derive(Clone, Copy)]
pub(crate) struct PlacedStep<'p> {
    pub(crate) at: usize,
    pub(crate) step: &'p PlanStep,
    pub(crate) on_failure: OnFailure,
}

impl Execution<'_> {
    /// Does the step. `missing` is a step that it needs and that has failed.
    pub(crate) async fn step(&self, placed: PlacedStep<'_>, missing: Option<Rid>) -> (usize, StepReport) {
        let PlacedStep { at, step, .. } = placed;
        let started = Instant::now();
        let (change, result) = match (step.skip(), missing) {
            (Some(skip), _) => {
                self.session.log.line(Some(&step.rid), skip_level(skip), &skip.log_line());
                return (at, report(step, Change::Unchanged, StepOutcome::Skipped(skip.clone()), started));
            }
            (None, Some(rid)) => (Change::Unchanged, Err(StepError::Needs(rid))),
            (None, None) => self.work(placed).await,
        };
        let end = match result {
            Ok(()) => StepOutcome::Done,
            Err(error) => {
                self.fails(placed, change, &error).await;
                StepOutcome::Failed(error)
            }
        };
        (at, report(step, change, end, started))
    }

    /// Logs the failure. If the action goes on without the step, what the step has changed is undone at once.
    async fn fails(&self, placed: PlacedStep<'_>, change: Change, error: &StepError) {
        let PlacedStep { at, step, on_failure } = placed;
        let log = &self.session.log;
        if !step.optional {
            log.line(Some(&step.rid), LogSeverity::Error, &error.chain());
            self.note_failure();
            return;
        }
        if !self.ignores {
            log.line(Some(&step.rid), LogSeverity::Error, &error.chain());
            return;
        }
        log.line(Some(&step.rid), LogSeverity::Warn, &format!("{} (optional: ignored)", error.chain()));
        if let (StepUndo::Stop(deadline), OnFailure::Undo) = (step.undo, on_failure)
            && change != Change::Unchanged
        {
            let undoing = UndoStep { at, rid: &step.rid, deadline, probe: step.probe };
            let _logged = undo(self, undoing).await;
        }
    }

    async fn work(&self, placed: PlacedStep<'_>) -> (Change, Result<(), StepError>) {
        let mut change = Change::Unchanged;
        for work in &placed.step.work {
            // A resource whose stop failed may still use the data: they are not destroyed below it.
            if work.verb() == Verb::Unprovision && self.has_failed() {
                return (change, Err(StepError::Spared));
            }
            let called = self.journalled(placed, work).await;
            // A later call that changed nothing does not take back what an earlier one did.
            change = if change == Change::Unchanged { called.change } else { change };
            let proven = match called.result {
                Ok(_) if destroys_next(placed.step, work.verb()) => self.prove(&placed.step.rid).await,
                result => result.map(drop),
            };
            if let Err(error) = proven {
                return (change, Err(error));
            }
        }
        (change, Ok(()))
    }

    async fn journalled(&self, placed: PlacedStep<'_>, work: &StepWork) -> CallOutcome {
        let PlacedStep { at, step, on_failure } = placed;
        if self.session.cancel.is_cancelled() {
            return CallOutcome::failed(Change::Unchanged, ActionError::Cancelled.into());
        }
        let verb = work.verb();
        // Before the record: the driver says whether its effect survives a reboot, and a refusal has touched nothing.
        let prepared = match self.facilities.prepare(&step.rid, verb).await {
            Ok(prepared) => prepared,
            Err(cause) => return CallOutcome::failed(Change::Unchanged, StepError::Prepare { verb, cause }),
        };
        let provisions = matches!(verb, Verb::Provision | Verb::Unprovision);
        let persistent = provisions || prepared.driver.manifest().persistent;
        // The order is the point: a process that dies after `begins` leaves a journal that says this step may have acted.
        pass(Failpoint::BeforeBegin);
        if let Err(error) = self.recorder.step_begins(at, verb, persistent).await {
            match on_failure {
                // A stop must work on a full disk. What can be undone must not be done without a record.
                OnFailure::GoOn => self.recorder.warn(&error),
                _ => return CallOutcome::failed(Change::Unchanged, StepError::Journal(error)),
            }
        }
        pass(Failpoint::AfterBegin);
        let called = self.with_triggers(step, work, &prepared).await;
        pass(Failpoint::AfterDriver);
        self.recorder.step_ends(at, verb, called.change, called.result.is_err());
        pass(Failpoint::AfterEnd);
        called
    }

    async fn with_triggers(&self, step: &PlanStep, work: &StepWork, prepared: &PreparedCall) -> CallOutcome {
        let (before, after): (Vec<Trigger>, Vec<Trigger>) =
            work.triggers.iter().partition(|trigger| trigger.when == TriggerTime::Pre);
        let bounds = CallBounds { deadline: work.deadline, cancel: self.session.cancel.clone() };
        if let Err(error) = self.triggers(step, &bounds, &before).await {
            return CallOutcome::failed(Change::Unchanged, error);
        }
        if work.verb() == Verb::Stop {
            self.facilities.end_leftovers(&step.rid, &self.session.log).await;
        }
        let mut called = call(prepared, &work.order, &bounds, step.probe, &self.session.log).await;
        let Ok(text) = &called.result else { return called };
        if !text.is_empty() {
            self.session.log.line(Some(&step.rid), LogSeverity::Info, text);
        }
        if let Some(seen) = called.seen.take() {
            self.facilities.looked(&step.rid, seen);
        }
        if let Err(error) = self.triggers(step, &bounds, &after).await {
            // Only the result is the trigger's: what the driver has changed stays counted, and is undone.
            called.result = Err(error);
        }
        called
    }

    /// Runs triggers one after the other. Only a blocking trigger can fail the step.
    async fn triggers(&self, step: &PlanStep, bounds: &CallBounds, triggers: &[Trigger]) -> Result<(), StepError> {
        for &trigger in triggers {
            let log = Arc::clone(&self.session.log);
            let ran = self.facilities.trigger(&step.rid, trigger, bounds, log).await;
            let Err(cause) = ran else { continue };
            let error = StepError::Trigger { trigger, cause };
            if trigger.blocking {
                return Err(error);
            }
            self.session.log.line(Some(&step.rid), LogSeverity::Warn, &error.chain());
        }
        Ok(())
    }
}

fn report(step: &PlanStep, change: Change, end: StepOutcome, started: Instant) -> StepReport {
    StepReport {
        rid: step.rid.clone(),
        action: step.action(),
        optional: step.optional,
        change,
        end,
        elapsed: started.elapsed(),
    }
}

/// A skip that the state of the resource caused is logged. One that the command's options or the configuration caused is not: an
/// object may have a hundred resources that belong to other nodes.
fn skip_level(skip: &plan::SkipReason) -> LogSeverity {
    match skip {
        plan::SkipReason::Disabled
        | plan::SkipReason::Beyond(_)
        | plan::SkipReason::NotStandby
        | plan::SkipReason::NotConcerned(_) => LogSeverity::Debug,
        _ => LogSeverity::Info,
    }
}
