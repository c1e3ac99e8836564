//! The matters of a decision, one function each. `decide.rs` lists them in their order.

mod boot;
mod monitor;
mod node;
mod order;
mod permit;
mod restart;
mod slot;
mod start;
mod surplus;

use crate::time::earlier;
use crate::{BootTime, Reason, Step};

pub(crate) use boot::{decide_boot, decide_boot_start};
pub(crate) use monitor::decide_monitor;
pub(crate) use node::{decide_drain, next_news};
pub(crate) use order::{decide_intent, decide_outcome, decide_tombstone};
pub(crate) use permit::{
    decide_disabled, decide_failure, decide_frozen, decide_presence, decide_running, decide_status,
};
pub(crate) use restart::decide_restarts;
pub(crate) use slot::{decide_release, decide_slot};
pub(crate) use start::decide_start;
pub(crate) use surplus::decide_surplus;

/// What a matter says.
#[derive(Debug, Default)]
pub(crate) struct MatterReport {
    pub(crate) steps: Vec<Step>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) wake_at: Option<BootTime>,
    /// Whether the matters behind it are not asked.
    pub(crate) ends: bool,
    /// Whether the instance goes up soon, or must stay where it is although it is down: its slot is not given up.
    pub(crate) keeps_slot: bool,
}

impl MatterReport {
    /// Nothing to say.
    fn pass() -> MatterReport {
        MatterReport::default()
    }

    /// This is done, and nothing else now.
    fn step(step: Step) -> MatterReport {
        MatterReport { steps: vec![step], ends: true, ..MatterReport::default() }
    }

    /// Nothing is done now, for this reason.
    fn hold(reason: Reason) -> MatterReport {
        MatterReport { reasons: vec![reason], ends: true, ..MatterReport::default() }
    }

    /// A reason that keeps nothing else from being done.
    fn note(reason: Reason) -> MatterReport {
        MatterReport { reasons: vec![reason], ..MatterReport::default() }
    }

    fn until(self, wake_at: Option<BootTime>) -> MatterReport {
        MatterReport { wake_at: earlier(self.wake_at, wake_at), ..self }
    }

    fn keeping_slot(self) -> MatterReport {
        MatterReport { keeps_slot: true, ..self }
    }

    /// Adds what another matter says.
    pub(crate) fn extend(&mut self, other: MatterReport) {
        self.steps.extend(other.steps);
        self.reasons.extend(other.reasons);
        self.wake_at = earlier(self.wake_at, other.wake_at);
        self.ends |= other.ends;
        self.keeps_slot |= other.keeps_slot;
    }
}
