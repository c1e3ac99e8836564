//! A frozen instance, or one in maintenance, sees no automatic step. Only what the last boot left is cleared.

use orchestrate::{InstanceAction, MonitorEpisode};

use super::{BeginCase, Checks};

impl Checks {
    pub(super) fn frozen(&mut self, case: BeginCase<'_>) {
        let Some(own) = case.own() else { return };
        // The second action comes although the first, a `freeze_stop` perhaps, has frozen the instance
        // (`decide_monitor`).
        let second = own.record.monitor == Some(MonitorEpisode::Failed);
        if !case.step.cause.is_automatic() || case.step.action == InstanceAction::Boot || second {
            return;
        }
        let node_frozen = case.view.nodes().get(case.node).is_some_and(|node| node.frozen);
        let maintenance = case.view.objects()[case.path].maintenance.is_some_and(|until| until > case.now);
        if own.frozen || node_frozen || maintenance {
            self.violate("frozen", case.describe());
        }
    }
}
