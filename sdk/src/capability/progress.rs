//! The progress and the cancellation of long work.

use super::host;

/// Reports that `done` of `total` units (`bytes`, `files`) are done.
pub fn report(done: u64, total: Option<u64>, unit: &str) {
    host::progress::report(done, total, unit);
}

/// Whether the action was cancelled. A driver that works in a loop calls this and returns early.
pub fn should_cancel() -> bool {
    host::progress::should_cancel()
}
