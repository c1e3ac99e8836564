//! An exclusive service runs on one node at most, at every moment. A slot is released only when nothing runs.

use std::collections::BTreeMap;
use std::time::Duration;

use model::object::Topology;
use model::{NodeName, ObjectPath};
use orchestrate::ObjectRules;

use super::Checks;
use crate::machine::Machine;
use crate::world::SimNode;

impl Checks {
    /// Something was started on one of the nodes.
    pub(crate) fn exclusive(
        &mut self,
        nodes: &BTreeMap<NodeName, SimNode>,
        path: &ObjectPath,
        rules: &ObjectRules,
        now: Duration,
    ) {
        if rules.topology != Topology::Failover {
            return;
        }
        let running = nodes.iter().filter(|(_, node)| node.machine.runs(path, rules));
        let running: Vec<&NodeName> = running.map(|(name, _)| name).collect();
        if running.len() > 1 {
            self.violate("exclusive", format!("{path} runs on {running:?} at {now:?}"));
        }
    }

    pub(crate) fn releases(&mut self, machine: &Machine, node: &NodeName, path: &ObjectPath) {
        let rules = machine.disk.get(path).and_then(|disk| disk.rules.clone());
        if rules.is_some_and(|rules| machine.runs(path, &rules)) {
            self.violate("exclusive", format!("{node} releases its slot of {path}, which runs"));
        }
    }
}
