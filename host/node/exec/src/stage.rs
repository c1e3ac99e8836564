//! The steps of a stage: one after the other, or a bounded number of them at the same time.

use std::collections::{HashMap, VecDeque};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::Rid;
use plan::{EdgeKind, OnFailure, PlanPhase, PlanStage, PlanStep};

use crate::StepReport;
use crate::execution::Execution;
use crate::failpoint::{Failpoint, pass};
use crate::step::PlacedStep;

/// The steps of a phase that have finished, and whether each succeeded.
#[derive(Default)]
pub(crate) struct FinishedSteps<'p>(HashMap<&'p Rid, bool>);

impl<'p> FinishedSteps<'p> {
    fn ready(&self, step: &PlanStep) -> bool {
        step.after.iter().all(|edge| self.0.contains_key(&edge.rid))
    }

    /// A step that this one needs and that has failed, if there is one.
    fn missing(&self, step: &PlanStep) -> Option<Rid> {
        let failed = |rid: &Rid| self.0.get(rid) == Some(&false);
        step.after.iter().find(|edge| edge.kind == EdgeKind::Needs && failed(&edge.rid)).map(|edge| edge.rid.clone())
    }
}

impl Execution<'_> {
    /// Executes the stages of a phase. `first` is the place of its first step in the plan.
    pub(crate) async fn phase(&self, phase: &PlanPhase, first: usize, reports: &mut [Option<StepReport>]) {
        let (mut at, mut ends) = (first, FinishedSteps::default());
        for stage in &phase.stages {
            self.stage(stage, phase.on_failure, at, &mut ends, reports).await;
            at += stage.steps.len();
        }
    }

    /// Whether no more steps are begun. Those that run already finish.
    fn halts(&self, on_failure: OnFailure) -> bool {
        self.session.cancel.is_cancelled() || (self.has_failed() && on_failure != OnFailure::GoOn)
    }

    async fn stage<'p>(
        &self,
        stage: &'p PlanStage,
        on_failure: OnFailure,
        first: usize,
        ends: &mut FinishedSteps<'p>,
        reports: &mut [Option<StepReport>],
    ) {
        // With a limit of 0 no step would ever begin.
        let limit = if stage.parallel { self.session.parallel.max(1) } else { 1 };
        let place = |(at, step)| PlacedStep { at: first + at, step, on_failure };
        let mut waiting: VecDeque<PlacedStep<'p>> = stage.steps.iter().enumerate().map(place).collect();
        // Not spawned: if the caller drops the action, no step goes on without it.
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < limit && !self.halts(on_failure) {
                // Not simply the first: a step may wait for one that is still running, and a later one need not.
                let next = waiting.iter().position(|placed| ends.ready(placed.step));
                let Some(placed) = next.and_then(|next| waiting.remove(next)) else { break };
                running.push(self.step(placed, ends.missing(placed.step)));
            }
            // Nothing runs, and nothing more may begin: the stage is done, or was halted.
            let Some((at, report)) = running.next().await else { return };
            ends.0.insert(&stage.steps[at - first].rid, report.end.error().is_none());
            reports[at] = Some(report);
            pass(Failpoint::BetweenSteps);
        }
    }
}
