//! No more actions run on a node than it allows.

use orchestrate::ActionStep;

use super::Checks;
use crate::machine::Machine;

impl Checks {
    pub(crate) fn queue(&mut self, machine: &Machine, max_parallel: usize, step: &ActionStep) {
        let running = machine.disk.values().filter(|disk| disk.begun.is_some()).count();
        if running >= max_parallel {
            self.violate("queue", format!("{} begins beside {running} of {max_parallel}", step.action));
        }
    }
}
