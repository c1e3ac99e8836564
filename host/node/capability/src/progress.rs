//! `wit/progress.wit`: the progress of long work. Always allowed.

use crate::CallContext;

/// Reports that `done` of `total` units are done.
pub fn report(context: &CallContext, done: u64, total: Option<u64>, unit: &str) {
    context.progress(done, total, unit);
}

/// Whether the action was given up, so that the driver should stop its work.
pub fn should_cancel(context: &CallContext) -> bool {
    context.is_cancelled()
}
