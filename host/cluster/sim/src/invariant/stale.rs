//! Nothing is begun on a status from before the last action, beside another action, or before the node's boot was cleared.

use orchestrate::{BootPhase, InstanceAction};

use super::{BeginCase, Checks};

impl Checks {
    pub(super) fn stale(&mut self, case: BeginCase<'_>) {
        let Some(own) = case.own() else {
            return self.violate("stale", format!("no instance: {}", case.describe()));
        };
        if case.step.action == InstanceAction::Boot {
            return;
        }
        if own.fresh_status().is_none() || own.record.boot == BootPhase::Due {
            self.violate("stale", case.describe());
        }
    }
}
