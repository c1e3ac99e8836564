//! The proof of starts: the caller looks at the end whether the programs that were started still run.
//!
//! The proof of stops: the caller looks itself whether what a stopped resource held is gone, once for all that a phase stopped.
//! A driver's word, and a status that looks at the wrong place, are not enough: another node may start the service because of it.

use driver::{Change, LogSeverity, Verb};
use model::Rid;
use plan::{Plan, PlanPhase, PlanStep};

use crate::execution::Execution;
use crate::{StepError, StepOutcome, StepReport};

/// A resource that still holds something although its stop succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreleasedResource {
    /// The resource.
    pub rid: Rid,
    /// What it holds, and where or why: a few words each.
    pub things: Vec<String>,
}

/// A resource whose program has exited although its start succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyExit {
    /// The resource.
    pub rid: Rid,
    /// What exited when and how, in words.
    pub text: String,
}

impl Execution<'_> {
    /// Looks whether the programs of all that was started still run. Many a program finds only a moment after its start that it cannot
    /// run, such as when another has its port.
    pub(crate) async fn prove_lives(&self, plan: &Plan, reports: &mut [Option<StepReport>]) {
        let steps = || plan.steps().zip(0..);
        let is_done =
            |report: &StepReport| matches!(report.end, StepOutcome::Done) && report.change != Change::Unchanged;
        let started = steps().filter(|(step, at)| ends_up(step) && reports[*at].as_ref().is_some_and(is_done));
        let started: Vec<Rid> = started.map(|(step, _)| step.rid.clone()).collect();
        if started.is_empty() {
            return;
        }
        let exits = self.facilities.exited_early(&started, &self.session.cancel, &self.session.log).await;
        for EarlyExit { rid, text } in exits {
            let Some((step, at)) = steps().filter(|(step, _)| step.rid == rid && ends_up(step)).last() else {
                continue;
            };
            let error = StepError::Exited(text);
            match step.optional {
                true => {
                    let text = format!("{} (optional: ignored)", error.chain());
                    self.session.log.line(Some(&rid), LogSeverity::Warn, &text);
                }
                false => {
                    self.session.log.line(Some(&rid), LogSeverity::Error, &error.chain());
                    self.note_failure();
                }
            }
            if let Some(report) = &mut reports[at] {
                report.end = StepOutcome::Failed(error);
            }
        }
    }

    /// Looks for what the steps of a phase that stopped something have left. `first` is the place of its first step in the plan.
    pub(crate) async fn prove_phase(&self, phase: &PlanPhase, first: usize, reports: &mut [Option<StepReport>]) {
        let steps = || phase.stages.iter().flat_map(|stage| &stage.steps).zip(first..);
        let is_done = |at: usize| reports[at].as_ref().is_some_and(|report| matches!(report.end, StepOutcome::Done));
        let stopped: Vec<Rid> =
            steps().filter(|(step, at)| leaves_down(step) && is_done(*at)).map(|(step, _)| step.rid.clone()).collect();
        for held in self.still_held(&stopped).await {
            let Some((step, at)) = steps().find(|(step, _)| step.rid == held.rid) else { continue };
            let error = StepError::UnreleasedResource(held.things);
            let level = if step.optional { LogSeverity::Warn } else { LogSeverity::Error };
            self.session.log.line(Some(&step.rid), level, &error.chain());
            if !step.optional {
                self.note_failure();
            }
            if let Some(report) = &mut reports[at] {
                report.end = StepOutcome::Failed(error);
            }
        }
    }

    /// Looks for what one resource has left.
    pub(crate) async fn prove(&self, rid: &Rid) -> Result<(), StepError> {
        match self.still_held(std::slice::from_ref(rid)).await.pop() {
            Some(held) => Err(StepError::UnreleasedResource(held.things)),
            None => Ok(()),
        }
    }

    pub(crate) async fn still_held(&self, stopped: &[Rid]) -> Vec<UnreleasedResource> {
        if stopped.is_empty() { Vec::new() } else { self.facilities.still_held(stopped, &self.session.log).await }
    }
}

/// Whether the step has stopped its resource and has not started it since. Data below a resource is destroyed only after a look of
/// its own.
fn leaves_down(step: &PlanStep) -> bool {
    let last = step.work.iter().rfind(|work| !matches!(work.verb(), Verb::Provision | Verb::Unprovision));
    let destroys = step.work.iter().any(|work| work.verb() == Verb::Unprovision);
    !destroys && last.is_some_and(|work| matches!(work.verb(), Verb::Stop | Verb::Migrate))
}

/// Whether the step has started its resource.
fn ends_up(step: &PlanStep) -> bool {
    step.work.last().is_some_and(|work| work.verb() == Verb::Start)
}

/// Whether the work destroys data once its resource is stopped.
pub(crate) fn destroys_next(step: &PlanStep, stopped: Verb) -> bool {
    stopped == Verb::Stop && step.work.iter().any(|work| work.verb() == Verb::Unprovision)
}
