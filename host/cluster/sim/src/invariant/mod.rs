//! What must hold in every run, one matter a file. A check looks at the true view, whatever the daemon was shown.

mod budget;
pub(crate) mod converge;
mod exclusive;
mod family;
mod frozen;
mod manual;
mod monitor;
mod outcome;
mod pure;
mod queue;
mod repeat;
mod stale;
mod tombstone;

use std::time::Duration;

use model::{NodeName, ObjectPath};
use orchestrate::{ActionEnd, ActionStep, BootTime, View};

/// A rule that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub text: String,
}

/// What the checks remember of a run.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub(crate) violations: Vec<Violation>,
    budget: budget::BudgetMemory,
    manual: manual::ManualMemory,
    monitor: monitor::MonitorMemory,
    outcome: outcome::OutcomeMemory,
    repeat: repeat::RepeatMemory,
    pure: pure::PureMemory,
}

/// An action that begins.
#[derive(Clone, Copy)]
pub(crate) struct BeginCase<'a> {
    view: &'a View,
    node: &'a NodeName,
    path: &'a ObjectPath,
    step: &'a ActionStep,
    /// On the node's clock.
    now: BootTime,
    /// In the world.
    world: Duration,
}

impl Checks {
    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    pub(crate) fn violate(&mut self, invariant: &'static str, text: String) {
        self.violations.push(Violation { invariant, text });
    }

    /// An action of the daemon begins.
    pub(crate) fn begins(
        &mut self,
        view: &View,
        node: &NodeName,
        path: &ObjectPath,
        step: &ActionStep,
        now: BootTime,
        world: Duration,
    ) {
        let case = BeginCase { view, node, path, step, now, world };
        self.budget(case);
        self.family(case);
        self.frozen(case);
        self.manual(case);
        self.monitor_action(case);
        self.repeat(case);
        self.stale(case);
    }

    pub(crate) fn ended(&mut self, node: &NodeName, path: &ObjectPath, step: &ActionStep, end: &ActionEnd) {
        self.repeat_ended(node, path, step, end);
        self.manual_ended(node, path, step, end);
    }

    pub(crate) fn rebooted(&mut self, node: &NodeName) {
        self.budget_rebooted(node);
        self.monitor_rebooted(node);
    }
}

impl BeginCase<'_> {
    fn own(&self) -> Option<&orchestrate::InstanceView> {
        self.view.objects().get(self.path)?.instances.get(self.node)
    }

    fn describe(&self) -> String {
        let step = self.step;
        format!("{} on {}: {} {:?} because of {:?}", self.path, self.node, step.action, step.scope, step.cause)
    }
}
