//! The state that the steps of one execution share.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::recorder::ActionRecorder;
use crate::{ExecutionContext, Facilities};

/// One execution of a plan, or the recovery of one.
pub(crate) struct Execution<'a> {
    pub(crate) facilities: &'a dyn Facilities,
    pub(crate) session: &'a ExecutionContext,
    pub(crate) recorder: ActionRecorder,
    /// Whether failures of optional steps are ignored.
    pub(crate) ignores: bool,
    /// Whether a step that is not optional has failed.
    failed: AtomicBool,
}

impl<'a> Execution<'a> {
    pub(crate) fn new(
        facilities: &'a dyn Facilities,
        session: &'a ExecutionContext,
        recorder: ActionRecorder,
        ignores: bool,
    ) -> Execution<'a> {
        Execution { facilities, session, recorder, ignores, failed: AtomicBool::new(false) }
    }

    /// Whether a step that is not optional has failed.
    pub(crate) fn has_failed(&self) -> bool {
        // All steps run in one task, so the order of memory accesses is not in question.
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn note_failure(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }
}
