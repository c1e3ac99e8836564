//! Restarts and automatic starts keep to their budget within the window, each resource on its own.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath, Rid};
use orchestrate::{ActionCause, ActionScope, BootTime, RestartRules};

use super::{BeginCase, Checks};

/// A resource of an instance, or all of it.
type AttemptKey = (NodeName, ObjectPath, Option<Rid>);

#[derive(Debug, Default)]
pub(super) struct BudgetMemory {
    /// By node, object and resource (none: the whole instance): the clears seen, and when it was tried since.
    attempts: BTreeMap<AttemptKey, (u64, Vec<BootTime>)>,
}

impl Checks {
    pub(super) fn budget(&mut self, case: BeginCase<'_>) {
        let Some(rules) = case.view.objects()[case.path].rules.clone() else { return };
        match (case.step.cause, &case.step.scope) {
            (ActionCause::Ha, _) => self.attempt(case, None, rules.starts),
            (ActionCause::Restart | ActionCause::Standby, ActionScope::Resources(rids)) => {
                for rid in rids {
                    self.attempt(case, Some(rid.clone()), rules.resources[rid].restart);
                }
            }
            _ => {}
        }
    }

    fn attempt(&mut self, case: BeginCase<'_>, rid: Option<Rid>, rules: RestartRules) {
        let clears = case.own().map_or(0, |own| own.clears);
        let key = (case.node.clone(), case.path.clone(), rid);
        let known = self.budget.attempts.entry(key).or_default();
        // A clear gives the whole budget back.
        if known.0 != clears {
            *known = (clears, Vec::new());
        }
        known.1.push(case.now);
        let recent = known.1.iter().filter(|attempt| case.now.since(**attempt) < rules.window).count();
        if recent as u32 > rules.budget {
            self.violate("budget", format!("attempt {recent} of {}: {}", rules.budget, case.describe()));
        }
    }

    pub(super) fn budget_rebooted(&mut self, node: &NodeName) {
        // Their times are of a clock that has begun anew.
        self.budget.attempts.retain(|(on, ..), _| on != node);
    }
}
