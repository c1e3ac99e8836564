//! A resource that a person stopped stays down until a person, an order or a boot starts it.

use std::collections::BTreeSet;

use model::{NodeName, ObjectPath, Rid};
use orchestrate::{ActionCause, ActionEnd, ActionScope, ActionStep, InstanceAction};

use super::{BeginCase, Checks};

#[derive(Debug, Default)]
pub(super) struct ManualMemory {
    stopped: BTreeSet<(NodeName, ObjectPath, Rid)>,
}

impl Checks {
    pub(crate) fn by_hand(&mut self, node: &NodeName, path: &ObjectPath, step: &ActionStep) {
        if let (InstanceAction::Stop, ActionScope::Resources(rids)) = (step.action, &step.scope) {
            let marks = rids.iter().map(|rid| (node.clone(), path.clone(), rid.clone()));
            self.manual.stopped.extend(marks);
        }
    }

    pub(super) fn manual(&mut self, case: BeginCase<'_>) {
        let starts = matches!(case.step.action, InstanceAction::Start | InstanceAction::StartStandby);
        if !starts || !case.step.cause.is_automatic() {
            return;
        }
        let marked = |rid: &Rid| self.manual.stopped.contains(&(case.node.clone(), case.path.clone(), rid.clone()));
        let down = |rid: &Rid| {
            let status = case.own().and_then(|own| own.fresh_status());
            status.and_then(|status| status.resources.get(rid)).is_some_and(|view| !view.state.is_up())
        };
        let violated = match &case.step.scope {
            ActionScope::Resources(rids) => rids.iter().any(marked),
            ActionScope::Whole => {
                let rules = case.view.objects()[case.path].rules.as_ref();
                rules.is_some_and(|rules| rules.resources.keys().any(|rid| marked(rid) && down(rid)))
            }
        };
        if violated {
            self.violate("manual", case.describe());
        }
    }

    /// A start that succeeded, and a boot, end the mark.
    pub(super) fn manual_ended(&mut self, node: &NodeName, path: &ObjectPath, step: &ActionStep, end: &ActionEnd) {
        let starts = matches!(
            step.action,
            InstanceAction::Start | InstanceAction::StartStandby | InstanceAction::Provision | InstanceAction::Boot
        );
        if !starts || *end != ActionEnd::Success || (step.cause.is_automatic() && step.cause != ActionCause::Boot) {
            return;
        }
        self.manual.stopped.retain(|(on, of, rid)| {
            let concerned = match &step.scope {
                ActionScope::Whole => true,
                ActionScope::Resources(rids) => rids.contains(rid),
            };
            on != node || of != path || !concerned
        });
    }
}
