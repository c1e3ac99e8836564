//! `wit/progress.wit`: how far long work is. Always allowed.

use crate::Scope;

/// Says that `done` of `total` units are done.
pub fn report(scope: &Scope, done: u64, total: Option<u64>, unit: &str) {
    scope.progress(done, total, unit);
}

/// Whether the action is to be given up.
pub fn should_cancel(scope: &Scope) -> bool {
    scope.bounds().cancel.is_cancelled()
}
