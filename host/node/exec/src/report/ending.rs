//! How an action ended.

use std::fmt;

use model::Rid;

use super::list;

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionEnding {
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

impl ActionEnding {
    /// A stable word for it, for scripts and protocols.
    pub fn code(&self) -> &'static str {
        match self {
            ActionEnding::Done => "done",
            ActionEnding::Failed(_) => "failed",
            ActionEnding::TimedOut(_) => "timed_out",
            ActionEnding::Unsupported(_) => "unsupported",
            ActionEnding::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for ActionEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionEnding::Done => f.write_str("done"),
            ActionEnding::Failed(rids) => write!(f, "failed at {}", list(rids)),
            ActionEnding::TimedOut(rid) => write!(f, "timed out at {rid}"),
            ActionEnding::Unsupported(rids) => write!(f, "not supported by {}", list(rids)),
            ActionEnding::Interrupted => f.write_str("interrupted"),
        }
    }
}
