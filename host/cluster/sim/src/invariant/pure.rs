//! A decision is a function of its view: the same view gives the same decision, and the cache gives what a whole decision gives.

use std::collections::BTreeMap;

use model::{NodeName, ObjectPath};
use orchestrate::{BootTime, Decision, DecisionCache, View, ViewChange, decide};

use super::Checks;

#[derive(Debug, Default)]
pub(super) struct PureMemory {
    decisions: u64,
}

/// Every so many decisions are made again.
const SAMPLE: u64 = 31;

impl Checks {
    pub(crate) fn pure(
        &mut self,
        view: &View,
        me: &NodeName,
        now: BootTime,
        decisions: &BTreeMap<ObjectPath, Decision>,
    ) {
        self.pure.decisions += 1;
        if !self.pure.decisions.is_multiple_of(SAMPLE) {
            return;
        }
        if decide(view, me, now) != *decisions {
            self.violate("pure", format!("{me} decides otherwise from the same view"));
        }
        let steps = DecisionCache::default().update(view, &[ViewChange::Cluster], me, now);
        let with_steps = |path: &ObjectPath| decisions.get(path).map(|decision| &decision.steps);
        if steps.iter().any(|(path, decision)| Some(&decision.steps) != with_steps(path)) {
            self.violate("pure", format!("the cache of {me} decides otherwise"));
        }
    }
}
