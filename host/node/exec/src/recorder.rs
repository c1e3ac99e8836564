//! Records an action in its journal, and decides what to do when the journal cannot be written: refuse the action, or go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use driver::{Change, LogSeverity, LogSink, Verb};
use plan::{OnFailure, Plan, StepUndo};

use crate::blocking::blocking;
use crate::failpoint::{Failpoint, pass};
use crate::journal::{Journal, JournalError, JournalHeader, JournalRecord, PlannedStep, RecordedVerb};
use crate::{ExecutionContext, ExecutionRefusal};

/// The journal of an action. A stop goes on without one, so that it works on a full disk.
pub(crate) struct ActionRecorder {
    journal: Option<Journal>,
    log: Arc<dyn LogSink>,
    persistent: AtomicBool,
    warned: AtomicBool,
}

impl ActionRecorder {
    /// Journals the plan. If that fails, an action that can be undone is refused. An action that goes on past every failure goes
    /// on past this one too.
    pub(crate) async fn begin(plan: &Plan, session: &ExecutionContext) -> Result<ActionRecorder, ExecutionRefusal> {
        // Nothing will be touched, so there is nothing to recover.
        if plan.steps().all(|step| step.work.is_empty()) {
            return Ok(ActionRecorder::with(None, session));
        }
        pass(Failpoint::BeforeHeader);
        let (path, header, volatile) = (session.journal.clone(), header(plan, session), session.volatile);
        let begun = blocking(move || Journal::begin(&path, header, volatile)).await;
        let needed = plan.phases.iter().any(|phase| phase.on_failure != OnFailure::GoOn);
        let recorder = match begun {
            Ok(journal) => ActionRecorder::with(Some(journal), session),
            // Refused even if it goes on past failures: the other action may be doing the opposite on the same resources.
            Err(error @ JournalError::Held(_)) => return Err(ExecutionRefusal(error)),
            Err(error) if needed => return Err(ExecutionRefusal(error)),
            Err(error) => {
                let recorder = ActionRecorder::with(None, session);
                recorder.warn(&error);
                recorder
            }
        };
        pass(Failpoint::AfterHeader);
        Ok(recorder)
    }

    /// Goes on with the journal of an interrupted action. That it is closed must reach the disk: the next action may use the other
    /// journal, so that nothing else would keep a power loss from bringing the interrupted action back.
    pub(crate) fn resumed(journal: Journal, session: &ExecutionContext) -> ActionRecorder {
        let recorder = ActionRecorder::with(Some(journal), session);
        recorder.persistent.store(!session.volatile, Ordering::Relaxed);
        recorder
    }

    pub(crate) fn with(journal: Option<Journal>, session: &ExecutionContext) -> ActionRecorder {
        let (persistent, warned) = (AtomicBool::new(false), AtomicBool::new(false));
        ActionRecorder { journal, log: Arc::clone(&session.log), persistent, warned }
    }

    /// Records that a step is about to act. Must be called before it does.
    pub(crate) async fn step_begins(&self, step: usize, verb: Verb, persistent: bool) -> Result<(), JournalError> {
        let (Some(journal), Some(verb)) = (&self.journal, RecordedVerb::of(verb)) else { return Ok(()) };
        journal.append(&JournalRecord::Begin { step, verb, persistent })?;
        // A reboot takes volatile effects away, so only persistent ones must survive a power loss.
        if persistent {
            // Noted before the sync, which may fail after the record has reached the disk: then the end must reach it too.
            self.persistent.store(true, Ordering::Relaxed);
            journal.sync().await?;
        }
        Ok(())
    }

    pub(crate) fn step_ends(&self, step: usize, verb: Verb, change: Change, failed: bool) {
        let Some(verb) = RecordedVerb::of(verb) else { return };
        // Not synced: a step whose end is lost counts as open, and is undone as one that may have changed something.
        self.write(&JournalRecord::End { step, verb, change: change.into(), failed });
    }

    pub(crate) fn undone(&self, step: usize) {
        self.write(&JournalRecord::Undone { step });
    }

    /// Closes the journal: after this, nothing is left to recover.
    pub(crate) async fn done(&self) {
        // Synced only behind a synced begin: otherwise a power loss could leave the begin alone, and a finished action be
        // recovered.
        self.write(&JournalRecord::Done);
        if let Some(journal) = &self.journal
            && self.persistent.load(Ordering::Relaxed)
            && let Err(error) = journal.sync().await
        {
            self.warn(&error);
        }
    }

    /// For what is already done: a journal that cannot be written is then no reason to stop.
    fn write(&self, record: &JournalRecord) {
        if let Some(Err(error)) = self.journal.as_ref().map(|journal| journal.append(record)) {
            self.warn(&error);
        }
    }

    /// Warns once an action: the next record would fail for the same reason.
    pub(crate) fn warn(&self, error: &JournalError) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            self.log.line(None, LogSeverity::Warn, &format!("continues without a journal: {error}{cause}"));
        }
    }
}

fn header(plan: &Plan, session: &ExecutionContext) -> JournalHeader {
    let steps = plan.phases.iter().flat_map(|phase| {
        // A recovery knows the journal only, so what a rollback would undo is decided here, from the plan.
        let undone = phase.on_failure == OnFailure::Undo;
        phase.stages.iter().flat_map(|stage| &stage.steps).map(move |step| PlannedStep {
            rid: step.rid.to_string(),
            calls: step.work.len(),
            optional: step.optional,
            prior: step.prior.as_str().to_owned(),
            undo_ms: match step.undo {
                StepUndo::Stop(deadline) if undone => Some(deadline.as_millis() as u64),
                _ => None,
            },
            probe_ms: step.probe.as_millis() as u64,
        })
    });
    JournalHeader {
        sid: session.sid.clone(),
        action: plan.action.as_str().to_owned(),
        boot: session.boot.clone(),
        plan: plan.digest.to_string(),
        steps: steps.collect(),
    }
}
