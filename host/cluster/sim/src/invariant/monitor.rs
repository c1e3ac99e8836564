//! A monitor action is done once, until the resources are up again, the instance is cleared or the node has booted.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath};
use orchestrate::{ActionCause, MonitorEpisode};

use super::{BeginCase, Checks};

#[derive(Debug, Default)]
pub(super) struct MonitorMemory {
    /// How often an instance acted since it was last without an episode.
    done: BTreeMap<(NodeName, ObjectPath), usize>,
}

impl Checks {
    pub(super) fn monitor_action(&mut self, case: BeginCase<'_>) {
        if case.step.cause != ActionCause::Monitor {
            return;
        }
        let episode = case.own().and_then(|own| own.record.monitor);
        let done = self.monitor.done.entry((case.node.clone(), case.path.clone())).or_default();
        *done = match episode {
            None | Some(MonitorEpisode::Prepared) => 1,
            Some(_) => *done + 1,
        };
        // The second is for a first one that failed.
        if *done > 2 || episode == Some(MonitorEpisode::Spent) {
            self.violate("monitor", case.describe());
        }
    }

    pub(super) fn monitor_rebooted(&mut self, node: &NodeName) {
        self.monitor.done.retain(|(on, _), _| on != node);
    }
}
