//! Undoing one step: stops its resource, and records that in the journal and the log. A rollback does that, a recovery, and a step
//! that is optional and failed halfway.

use std::sync::Arc;
use std::time::Duration;

use driver::{CallBounds, LogSeverity, LogSink, Verb};
use model::Rid;
use plan::WorkOrder;

use crate::StepError;
use crate::call::call;
use crate::execution::Execution;
use crate::failpoint::{Failpoint, pass};

/// A step to be undone, and its place in the plan.
#[derive(Clone, Copy)]
pub(crate) struct UndoStep<'a> {
    pub(crate) at: usize,
    pub(crate) rid: &'a Rid,
    pub(crate) deadline: Duration,
    pub(crate) probe: Duration,
}

/// Stops the resource. This cannot be cancelled: an action that is given up must be undone all the same.
pub(crate) async fn undo(execution: &Execution<'_>, undoing: UndoStep<'_>) -> Result<(), StepError> {
    let UndoStep { at, rid, deadline, probe } = undoing;
    let log: Arc<dyn LogSink> = Arc::new(RollbackLog(Arc::clone(&execution.session.log)));
    pass(Failpoint::BeforeUndo);
    let verb = Verb::Stop;
    let result = match execution.facilities.prepare(rid, verb).await {
        Err(cause) => Err(StepError::Prepare { verb, cause }),
        Ok(prepared) => {
            execution.facilities.end_leftovers(rid, &log).await;
            // A signal of its own: the action's may be raised, which is why its work is undone.
            let bounds = CallBounds::within(deadline);
            call(&prepared, &WorkOrder::Stop, &bounds, probe, &log).await.result
        }
    };
    pass(Failpoint::AfterUndo);
    match result {
        Ok(text) => {
            execution.recorder.undone(at);
            log.line(Some(rid), LogSeverity::Info, if text.is_empty() { "stopped" } else { &text });
            Ok(())
        }
        Err(error) => {
            log.line(Some(rid), LogSeverity::Error, &error.chain());
            Err(error)
        }
    }
}

/// Turns `fs#1: unmounted` into `rollback: fs#1: unmounted`.
struct RollbackLog(Arc<dyn LogSink>);

impl LogSink for RollbackLog {
    fn line(&self, rid: Option<&Rid>, level: LogSeverity, text: &str) {
        match rid {
            Some(rid) => self.0.line(None, level, &format!("rollback: {rid}: {text}")),
            None => self.0.line(None, level, &format!("rollback: {text}")),
        }
    }

    fn progress(&self, rid: &Rid, done: u64, total: Option<u64>, unit: &str) {
        self.0.progress(rid, done, total, unit);
    }
}
