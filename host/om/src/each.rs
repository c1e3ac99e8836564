//! The loop over several objects, files or keywords: a failure of one does not stop the others.

use crate::exit::{self, Failure};
use crate::terminal::complain;

/// Does the same to each, and goes on past those that fail. The exit code is that of the first failure.
pub(crate) fn each<T>(all: impl IntoIterator<Item = T>, mut act: impl FnMut(T) -> Result<(), Failure>) -> u8 {
    let mut worst = 0;
    for one in all {
        if let Err(Failure { kind, error }) = act(one) {
            // Reported at once and not at the end: what the next objects print belongs behind it.
            complain(&format!("{error:#}"));
            worst = exit::worse(worst, exit::of_failure(kind));
        }
    }
    worst
}
