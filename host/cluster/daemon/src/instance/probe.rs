//! A look at an instance, and what it may be used for.

use orchestrate::ActionSequence;

/// What was known when a look began. Its result counts only if that is still so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProbeTicket {
    /// The last action that had begun.
    pub(crate) after: ActionSequence,
    /// The last action of another process.
    pub(crate) followed: u64,
}
