//! How far long work is.

use super::host;

/// Says that `done` of `total` units (`bytes`, `files`) are done.
pub fn report(done: u64, total: Option<u64>, unit: &str) {
    host::progress::report(done, total, unit);
}

/// True once the action is to be given up. A driver that works in a loop asks, and returns early.
pub fn should_cancel() -> bool {
    host::progress::should_cancel()
}
