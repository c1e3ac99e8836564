//! A whole action, from top to bottom: journal, phases, rollback, report.

use std::time::Duration;

use driver::{ActionError, Change};
use plan::{Plan, PlanStep};
use tokio::time::Instant;

use crate::execution::Execution;
use crate::failpoint::{Failpoint, pass};
use crate::journal::JournalError;
use crate::recorder::ActionRecorder;
use crate::rollback::roll_back;
use crate::{
    ActionEnding, ExecutionContext, ExecutionReport, Facilities, RollbackReport, StepError, StepOutcome, StepReport,
};

/// The refusal of an action before anything was touched, because its journal cannot be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ExecutionRefusal(pub JournalError);

/// Executes the plan. The instance's journal must not hold an unfinished action: call [`crate::recover`] first.
pub async fn execute(
    plan: &Plan,
    facilities: &dyn Facilities,
    session: &ExecutionContext,
) -> Result<ExecutionReport, ExecutionRefusal> {
    let started = Instant::now();
    let recorder = ActionRecorder::begin(plan, session).await?;
    let ignores = !is_asked_for(plan.action);
    let execution = Execution::new(facilities, session, recorder, ignores);
    let mut reports: Vec<Option<StepReport>> = plan.steps().map(|_| None).collect();
    let mut first = 0;
    for phase in &plan.phases {
        execution.phase(phase, first, &mut reports).await;
        // Before the next phase, which may start again what is not proven to be stopped.
        execution.prove_phase(phase, first, &mut reports).await;
        first += phase.stages.iter().map(|stage| stage.steps.len()).sum::<usize>();
    }
    if !execution.has_failed() && !session.cancel.is_cancelled() {
        execution.prove_lives(plan, &mut reports).await;
    }
    // Asked before the rollback, which a cancellation does not stop: one that arrives during it changes nothing.
    let interrupted = was_interrupted(plan, session, &reports);
    let rollback = match interrupted || execution.has_failed() {
        true => roll_back(&execution, plan, &reports).await,
        false => RollbackReport::None,
    };
    // Only now is the story complete: a process that dies before this line leaves a journal that is recovered.
    pass(Failpoint::BeforeDone);
    execution.recorder.done().await;
    let steps: Vec<StepReport> =
        plan.steps().zip(reports).map(|(step, report)| report.unwrap_or_else(|| not_reached(step))).collect();
    let ending = if interrupted { ActionEnding::Interrupted } else { ending(plan.action, &steps) };
    Ok(ExecutionReport { action: plan.action, ending, steps, rollback, elapsed: started.elapsed() })
}

/// Whether a cancellation stopped anything. One that arrived after all the work was done is ignored.
fn was_interrupted(plan: &Plan, session: &ExecutionContext, reports: &[Option<StepReport>]) -> bool {
    let cut_short =
        |report: &StepReport| matches!(report.end, StepOutcome::Failed(StepError::Driver(ActionError::Cancelled)));
    let mut steps = plan.steps().zip(reports);
    session.cancel.is_cancelled()
        && steps.any(|(step, report)| report.as_ref().map_or(!step.work.is_empty(), cut_short))
}

/// Whether the action is about optional resources only: tasks and syncs. Their failures then count.
pub(crate) fn is_asked_for(asked: plan::Action) -> bool {
    matches!(asked, plan::Action::Run | plan::Action::Sync)
}

/// How the action ended. Failures of optional resources are ignored, unless the action is about nothing else.
fn ending(asked: plan::Action, steps: &[StepReport]) -> ActionEnding {
    let failed = || {
        let steps = steps.iter().filter(|step| is_asked_for(asked) || !step.optional);
        steps.filter_map(|step| Some((&step.rid, step.end.error()?)))
    };
    let rids = || failed().map(|(rid, _)| rid.clone()).collect();
    // Steps that failed only because a step they need failed are not causes. If that step was optional, no cause is left.
    let causes: Vec<&StepError> = failed().map(|(_, error)| error).filter(|error| !error.is_consequence()).collect();
    let all = |is: fn(&StepError) -> bool| !causes.is_empty() && causes.iter().all(|error| is(error));
    match failed().next() {
        None => ActionEnding::Done,
        Some((first, _)) if all(StepError::is_timeout) => ActionEnding::TimedOut(first.clone()),
        Some(_) if all(StepError::is_unsupported) => ActionEnding::Unsupported(rids()),
        Some(_) => ActionEnding::Failed(rids()),
    }
}

fn not_reached(step: &PlanStep) -> StepReport {
    let end = match step.skip() {
        Some(skip) => StepOutcome::Skipped(skip.clone()),
        None => StepOutcome::NotReached,
    };
    StepReport {
        rid: step.rid.clone(),
        action: step.action(),
        optional: step.optional,
        change: Change::Unchanged,
        end,
        elapsed: Duration::ZERO,
    }
}
