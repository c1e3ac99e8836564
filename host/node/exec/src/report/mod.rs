//! The report of an action: how it ended, what became of each step, and what was undone.

mod ending;
mod rollback;
mod step;

pub use ending::ActionEnding;
pub use rollback::{KeepReason, LeaveReason, RollbackReport, UndoOutcome, UndoneStep};
pub use step::{StepError, StepOutcome, StepReport};

use std::time::Duration;

use driver::{Change, LogSeverity};
use model::Rid;
use model::status::State;
use plan::Action;

/// What an action did, step by step.
#[derive(Debug)]
pub struct ExecutionReport {
    /// The action.
    pub action: Action,
    /// How it ended.
    pub ending: ActionEnding,
    /// Every step, in the order of the plan.
    pub steps: Vec<StepReport>,
    /// What was undone.
    pub rollback: RollbackReport,
    /// How long all of it took.
    pub elapsed: Duration,
}

impl ExecutionReport {
    /// Whether anything was changed. A command reports that it found everything as wanted.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(|step| step.change != Change::Unchanged)
    }

    /// The last line of an action's log, once the state of the instance is known.
    pub fn closing(&self, command: &str, instance: State) -> (LogSeverity, String) {
        let (action, elapsed) = (self.action, readable(self.elapsed));
        match &self.ending {
            ActionEnding::Done => (
                LogSeverity::Info,
                format!("<<< done {action} [{command}] in {elapsed}, instance status is now {instance}"),
            ),
            ending => {
                let rollback = self.rollback.to_string();
                let comma = if rollback.is_empty() { "" } else { ", " };
                let text = format!("{ending}{comma}{rollback}, instance status is {instance}");
                (LogSeverity::Error, format!("<<< done {action} [{command}] in {elapsed}: {text}"))
            }
        }
    }
}

/// The first line of an action's log.
pub fn opening(action: Action, command: &str, origin: &str, sid: &str) -> String {
    format!(">>> do {action} [{command}] (origin {origin}, sid {sid})")
}

fn list(rids: &[Rid]) -> String {
    rids.iter().map(Rid::to_string).collect::<Vec<_>>().join(", ")
}

/// `99ms`, `3.4s`, `2m05s`.
fn readable(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        0 => format!("{}ms", elapsed.as_millis()),
        1..60 => format!("{:.1}s", elapsed.as_secs_f64()),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}
