//! How an action ended.

use std::fmt;

use model::Rid;

use super::list;

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything is as wanted, except perhaps optional resources.
    Done,
    /// These resources failed, in the order of the plan.
    Failed(Vec<Rid>),
    /// Time ran out, first at this resource.
    TimedOut(Rid),
    /// The drivers of these resources do not support the action.
    Unsupported(Vec<Rid>),
    /// The caller gave it up.
    Interrupted,
}

impl Ending {
    /// A stable word for it, for scripts and protocols.
    pub fn code(&self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Failed(_) => "failed",
            Ending::TimedOut(_) => "timed_out",
            Ending::Unsupported(_) => "unsupported",
            Ending::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => f.write_str("done"),
            Ending::Failed(rids) => write!(f, "failed at {}", list(rids)),
            Ending::TimedOut(rid) => write!(f, "timed out at {rid}"),
            Ending::Unsupported(rids) => write!(f, "not supported by {}", list(rids)),
            Ending::Interrupted => f.write_str("interrupted"),
        }
    }
}
